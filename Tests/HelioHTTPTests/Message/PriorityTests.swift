import Testing

@testable import HelioHTTP

@Suite("Priorities as fields have them")
struct PriorityTests {
    @Test(
        "A dictionary is read, and what it does not say is the default",
        arguments: [
            ("", "u=3"), ("u=0", "u=0"), ("u=7, i", "u=7, i"), ("i", "u=3, i"), ("i=?0", "u=3"), ("i=?1,u=5", "u=5, i"),
            ("  u=1", "u=1"), ("u=1\t ,\t i", "u=1, i"), ("u=1;x=2;y, i;z=\"a\\\"b\"", "u=1, i"),
            ("u=1, u=2", "u=2"), ("a=(1 \"b\" c;d=1.5), u=4", "u=4"), ("*k_-.9=tok/en:*, u=2", "u=2"),
            ("x=:aGk=:, u=6", "u=6"), ("x=-12.125, y=-999999999999999, u=6", "u=6"), ("uu=1, ii", "u=3"),
            ("x=()", "u=3"), ("x=( a  b )", "u=3"),
        ])
    func valid(text: String, meaning: String) { #expect(Priority(text)?.description == meaning) }

    @Test(
        "What is no dictionary, or has a known member that cannot be, is nothing",
        arguments: [
            "u=8", "u=-1", "u=1.0", "u=a", "u", "i=1", "i=?2", "i=a", "U=1", "u =1", "u=", "u=1,", ",", "u=1 i", "u=1;",
            "u=1;=2", "1=2", "x=\"a", "x=\"a\\b\"", "x=\"\u{e9}\"", "x=(1", "x=(1,2)", "x=(1\"a\")", "x=:a",
            "x=1234567890123456",
            "x=1.", "x=1.2345", "x=1234567890123.1", "x=-", "x=?", "\tu=1", "x=@1", "u=1, ;",
        ])
    func invalid(text: String) { #expect(Priority(text) == nil) }

    @Test("An urgency beyond the ends is taken as the nearer one")
    func clamping() {
        #expect(Priority(urgency: -1).urgency == 0)
        #expect(Priority(urgency: 9).urgency == 7)
        #expect(Priority() == Priority(urgency: 3, incremental: false))
    }

    @Test("Any bytes are read without harm")
    func random() {
        var generator = SeededGenerator(seed: 9218)
        let alphabet = Array("ui=?01,; \t\"\\:()*-.a8".utf8)
        for _ in 0..<20_000 {
            let length = Int.random(in: 0..<16, using: &generator)
            let bytes = (0..<length).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
            if let priority = Priority(String(decoding: bytes, as: UTF8.self)) {
                #expect(Priority(priority.description) == priority)
            }
        }
    }
}
