import Testing

@testable import Heliograph

@Suite("Lines of a log")
struct LogLineTests {
    private func line(_ fill: (inout LogLine) -> Void) -> String {
        var line = LogLine()
        defer { line.deallocate() }
        fill(&line)
        return unsafe String(decoding: line.bytes, as: UTF8.self)
    }

    @Test("Numbers, with zeros in front where they are wanted")
    func numbers() {
        #expect(line { $0.append(0) } == "0")
        #expect(line { $0.append(-120) } == "-120")
        #expect(line { $0.append(7, digits: 3) } == "007")
        #expect(line { $0.append(Int.max) } == "\(Int.max)")
        #expect(line { $0.append(Int.min) } == "\(Int.min)")
        #expect(line { $0.appendSeconds(nanoseconds: 61_000_123_999) } == "61.000123")
    }

    @Test(
        "In the combined format a peer's bytes end neither the quotes nor the line",
        arguments: [
            ("plain text", "plain text"), ("a\"b", #"a\x22b"#), ("a\\b", #"a\x5cb"#), ("a\r\nb", #"a\x0d\x0ab"#),
            ("\u{1b}[31m", #"\x1b[31m"#), ("ü", #"\xc3\xbc"#), ("\u{7f}", #"\x7f"#), ("\0", #"\x00"#),
        ])
    func combined(value: String, expected: String) {
        #expect(line { $0.appendEscaped(value) } == expected)
    }

    @Test(
        "In JSON they are a string, whatever they are",
        arguments: [
            (Array("plain ü€😀".utf8), "plain ü€😀"), (Array("a\"b\\".utf8), #"a\"b\\"#),
            (Array("\n\0\u{7f}".utf8), #"\u000a\u0000\u007f"#),
            (Array("\u{9b}31m".utf8), #"\u009b31m"#), ([0xff, 0x41], #"\ufffdA"#), ([0xc3], #"\ufffd"#),
            ([0xc0, 0xaf], #"\ufffd\ufffd"#), ([0xed, 0xa0, 0x80], #"\ufffd\ufffd\ufffd"#),
            ([0xf4, 0x90, 0x80, 0x80], #"\ufffd\ufffd\ufffd\ufffd"#), ([0xe2, 0x82], #"\ufffd\ufffd"#),
        ] as [([UInt8], String)])
    func json(value: [UInt8], expected: String) {
        #expect(line { line in unsafe line.appendJSON(value.span.bytes) } == expected)
    }

    @Test("A value is cut off where it is too long for a log")
    func length() {
        let long = String(repeating: "x", count: 3 * LogLine.longestValue)
        #expect(line { $0.appendEscaped(long) }.utf8.count == LogLine.longestValue)
        #expect(line { $0.appendJSON(long) }.utf8.count == LogLine.longestValue)
    }

    @Test("A text of random bytes gives JSON that is UTF-8 and has no control character", arguments: 0..<20)
    func random(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let bytes = (0..<1000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        var line = LogLine()
        defer { line.deallocate() }
        unsafe line.appendJSON(bytes.span.bytes)
        let written = unsafe Array(line.bytes)
        #expect(String(validating: written, as: UTF8.self) != nil)
        #expect(written.allSatisfy { $0 >= 0x20 && $0 != 0x7f })
    }
}
