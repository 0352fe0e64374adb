import Testing

@testable import SignalingCore

@Suite struct JSONScannerTests {
    private func check(_ bytes: [UInt8], maxDepth: Int = 8) throws(JSONError) {
        var scanner = JSONScanner(bytes, maxDepth: maxDepth)
        try scanner.skipValue(depth: 0)
        try scanner.expectEnd()
    }

    private func reason(_ text: String) -> JSONError.Reason? {
        do throws(JSONError) {
            try check(Array(text.utf8))
            return nil
        } catch { return error.reason }
    }

    @Test(arguments: [
        "0", "-0", "1.5", "1e9", "-12.25E-3", "true", "false", "null", "\"\"", "\"é€😀\"", "[]", "{}",
        " [ 1 , [ ] , { } ] ",
        "{\"a\":{\"b\":[1,{\"c\":null}]},\"d\":\"\\u00e9\\n\\\"\\\\\\/\"}", "[[[[[[[[1]]]]]]]]", "\"\\ud800\"",
    ])
    func takesValidJSON(_ text: String) { #expect(reason(text) == nil) }

    @Test(arguments: [
        ("", JSONError.Reason.truncated), ("{", .truncated), ("[1,", .truncated), ("\"abc", .truncated),
        ("{\"a\"", .truncated), ("tru", .truncated), ("-", .truncated), ("\"\\", .truncated), ("\"\\u12", .truncated),
        ("01", .number), ("-01", .number), ("1.", .number), ("1.e1", .number), ("1e", .number), ("-x", .number),
        ("[1,]", .unexpected), ("{\"a\":1,}", .unexpected), ("{a:1}", .unexpected), ("{\"a\" 1}", .unexpected),
        ("[1 2]", .unexpected), ("[1}", .unexpected), ("{\"a\":1]", .unexpected), ("+1", .unexpected),
        ("NaN", .unexpected),
        ("'a'", .unexpected), ("trux", .unexpected), (".5", .unexpected), ("\u{FEFF}1", .unexpected),
        ("1 2", .trailing), ("{}{}", .trailing), ("\"a\nb\"", .control), ("\"\u{0}\"", .control),
        ("\"\\x\"", .escape), ("\"\\u12g4\"", .escape), ("[[[[[[[[[1]]]]]]]]]", .depth),
    ])
    func refusesWhatIsNotJSON(_ text: String, _ expected: JSONError.Reason) { #expect(reason(text) == expected) }

    @Test(
        arguments: [
            [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x9F, 0x80], [0xED, 0xA0, 0x80], [0xF0, 0x8F, 0x80, 0x80],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x98, 0x41],
        ] as [[UInt8]])
    func refusesStringsThatAreNotUTF8(_ bytes: [UInt8]) {
        #expect(throws: JSONError(reason: .encoding, offset: 1)) { try check([0x22] + bytes + [0x22]) }
    }

    @Test func refusesTheSameFieldTwiceHoweverItIsSpelled() throws {
        for text in ["{\"t\":1,\"t\":2}", "{\"t\":1,\"\\u0074\":2}", "{\"\\u0074\":1,\"\\u0074\":2}"] {
            var scanner = JSONScanner(Array(text.utf8), maxDepth: 8)
            let second = text.utf8.prefix { $0 != UInt8(ascii: ",") }.count + 1
            #expect(throws: JSONError(reason: .duplicate, offset: second)) {
                try scanner.object(maxMembers: 8) { scanner, _, _ throws(JSONError) in try scanner.skipValue(depth: 1) }
            }
        }
    }

    @Test func refusesMoreFieldsThanAllowed() throws {
        var scanner = JSONScanner(Array("{\"a\":1,\"b\":2,\"c\":3}".utf8), maxDepth: 8)
        #expect(throws: JSONError(reason: .members, offset: 13)) {
            try scanner.object(maxMembers: 2) { scanner, _, _ throws(JSONError) in try scanner.skipValue(depth: 1) }
        }
    }

    @Test(arguments: [
        ("\\u0041\\n\\t\\b\\f\\r\\/\\\\\\\"", "A\n\t\u{8}\u{C}\r/\\\"", true), ("\\u00e9", "é", true),
        ("\\u20ac", "€", true),
        ("\\uD83D\\uDE00x", "😀x", true), ("é€😀", "é€😀", true), ("\\u0000", "\0", true),
    ])
    func decodesEscapes(_ source: String, _ expected: String, _ isUnicode: Bool) throws {
        var scanner = JSONScanner(Array("\"\(source)\"".utf8), maxDepth: 1)
        let decoded = scanner.decoded(try scanner.string())
        #expect(String(decoding: decoded.utf8, as: UTF8.self) == expected)
        #expect(decoded.isUnicode == isUnicode)
    }

    @Test(arguments: ["\\ud800", "\\udc00", "\\ud800\\ud800", "\\ud83dx", "\\udc00\\ud800", "a\\ud83d"])
    func tellsHalvesOfSurrogatePairs(_ source: String) throws {
        var scanner = JSONScanner(Array("\"\(source)\"".utf8), maxDepth: 1)
        #expect(!scanner.decoded(try scanner.string()).isUnicode)
    }
}
