import Testing

@testable import Heliograph

@Suite struct FilePathTests {
    private func parse(_ text: String, showsHidden: Bool = false) -> String {
        let bytes = Array(text.utf8)
        do throws(FilePath.Refusal) {
            return try FilePath(encoded: unsafe bytes.span.bytes, showsHidden: showsHidden).text
        } catch {
            return "\(error)"
        }
    }

    @Test(arguments: [
        ("", ""), ("a", "a"), ("a/b.txt", "a/b.txt"), ("a/", "a/"), ("a%20b", "a b"), ("%61", "a"), ("a+b", "a+b"),
        ("%C3%A9", "é"), ("a%25b", "a%b"), ("%2525", "%25"), ("a%3Fb", "a?b"), ("...", "hidden"), ("a/..b", "hidden"),
        (".well-known/acme", ".well-known/acme"), (".well-known", ".well-known"),
    ])
    func aPathIsDecodedOnce(text: String, expected: String) { #expect(parse(text) == expected) }

    @Test(arguments: [
        ".", "..", "../a", "a/..", "a/../b", "a/./b", "./a", "%2e%2e/a", ".%2e/a", "%2E%2E", "a%2fb", "a%2Fb", "%2f",
        "..%2fetc", "a%00", "%00", "a%00.txt", "a\u{0}", "a\\b", "a%5cb", "..%5c..%5ca", "%", "%4", "a%", "a%4", "%zz",
        "%+1", "%%30", "%u0041", "a%0d%0ab", "a\tb", "a%7f", "%ff", "%c0%ae%c0%ae/a", "%c0%afetc", "%ed%a0%80",
        "..;/a%0a",
    ])
    func whatNoClientMeansIsMalformed(text: String) { #expect(parse(text) == "malformed") }

    @Test(arguments: [
        "/", "/a", "//a", "a//b", "a//", "//host/a", ".git", ".git/config", "a/.htpasswd", "a/.b/c", ".well-known-not",
        "%2egit/config", ".ssh/", "..;/a",
    ])
    func whatIsNotShownIsHidden(text: String) { #expect(parse(text) == "hidden") }

    @Test func hiddenNamesAreShownOnRequestAndDotsStillLeadNowhere() {
        #expect(parse(".git/config", showsHidden: true) == ".git/config")
        #expect(parse("...", showsHidden: true) == "...")
        #expect(parse("../a", showsHidden: true) == "malformed")
        #expect(parse("a/.", showsHidden: true) == "malformed")
    }

    @Test func whatIsLongerThanAnyPathIsHidden() {
        #expect(parse(String(repeating: "a", count: 4095)) != "hidden")
        #expect(parse(String(repeating: "a", count: 4096)) == "hidden")
    }

    @Test(
        arguments: [
            ("/files/dir", nil, "./dir/"), ("/dir", "a=1&b=/x", "./dir/?a=1&b=/x"),
            ("//evil.example/dir", nil, "./dir/"),
            ("//evil.example", nil, "./evil.example/"), ("/https:", nil, "./https:/"), ("/a\\b", nil, "./a%5Cb/"),
            ("/%0d%0ax", nil, "./%0d%0ax/"), ("/é", nil, "./%C3%A9/"),
        ] as [(String, String?, String)])
    func aRedirectStaysUnderItsPath(path: String, query: String?, expected: String) {
        #expect(FilePath.redirect(fromLastNameOf: path, query: query) == expected)
    }

    /// Whatever bytes it is made of, a path that is taken has no name that leads up or is empty.
    @Test func noBytesLeadOut() {
        var generator = SeededGenerator(seed: 7)
        let pieces = ["..", ".", "/", "%2e", "%2f", "%5c", "\\", "a", "%", "2", "e", "%00", "%25", "//", "é", "%c0%ae"]
        for _ in 0..<50_000 {
            let text = (0..<Int.random(in: 1...8, using: &generator)).map { _ in
                pieces.randomElement(using: &generator) ?? ""
            }.joined()
            guard let path = try? FilePath(encoded: unsafe Array(text.utf8).span.bytes, showsHidden: true) else {
                continue
            }
            let names = path.text.split(separator: "/", omittingEmptySubsequences: false)
            let leadsOut = names.contains { $0 == ".." || $0 == "." } || names.dropLast().contains("")
            #expect(!leadsOut && !path.text.utf8.contains(0), "\(text)")
        }
    }
}
