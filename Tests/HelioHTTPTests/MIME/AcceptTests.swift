import HelioHTTP
import Testing

@Suite("Content negotiation")
struct AcceptTests {
    /// The example of RFC 9110 section 12.5.1.
    @Test(
        "The range that fits most closely decides",
        arguments: [
            ("text/plain;format=flowed", 1000), ("text/plain", 700), ("text/html", 300), ("image/jpeg", 500),
            ("text/plain;format=fixed", 400), ("text/html;level=3", 700),
        ])
    func specificity(type: String, weight: Int) throws {
        let accept = try Accept(
            parsing:
                "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, */*;q=0.5")
        let html = try Accept(
            parsing: "text/*;q=0.3, text/html;q=0.7, text/html;level=1, text/html;level=2;q=0.4, */*;q=0.5")
        let media = try MediaType(parsing: type)
        let chosen = type.hasPrefix("text/html;") ? html : accept
        #expect(chosen.weight(of: media) == weight)
    }

    @Test("The offer that is liked best is taken, of several the first; none where none is acceptable")
    func best() throws {
        let accept = try Accept(parsing: "text/html, application/json;q=0.9, image/*;q=0")
        #expect(accept.best(of: [.json, .html]) == .html)
        #expect(accept.best(of: [.json, .xml]) == .json)
        #expect(accept.best(of: [.png, .xml]) == nil)
        #expect(try Accept(parsing: "*/*").best(of: [.json, .html]) == .json)
        #expect(try Accept(parsing: "").best(of: [.json, .html]) == .json)
        #expect(try Accept(parsing: ", ,text/html").best(of: [.html]) == .html)
        #expect(try Accept(parsing: "*/*, text/html;q=0").best(of: [.html]) == nil)
    }

    @Test(
        "What is no list of weighted ranges is refused",
        arguments: [
            "text", "text/", "*/html", "text/html;q=2", "text/html;q=1.001", "text/html;q=0.1234", "text/html;q=.5",
            "text/html;q=", "text/html;q=-1", "text/html;q=1.1", "text/html json", "text/html;q=0.5 x",
            "text/html;q=\"x\"",
        ])
    func refused(text: String) {
        #expect(throws: FieldSyntaxError.self) { try Accept(parsing: text) }
    }

    @Test(
        "Weights have up to three decimals",
        arguments: [
            ("0", 0), ("1", 1000), ("0.", 0), ("1.", 1000), ("0.5", 500), ("0.05", 50), ("0.001", 1), ("1.000", 1000),
        ])
    func weights(text: String, weight: Int) throws {
        #expect(try Accept(parsing: "a/b; Q=\(text)").ranges.first?.weight == weight)
        #expect(try AcceptEncoding(parsing: "gzip;q=\(text)").codings.first?.weight == weight)
    }

    @Test("At most 64 elements are read")
    func manyElements() throws {
        func list(_ count: Int) -> String { Array(repeating: "a/b", count: count).joined(separator: ",") }
        #expect(try Accept(parsing: list(64)).ranges.count == 64)
        #expect(throws: FieldSyntaxError.tooMany(limit: 64)) { try Accept(parsing: list(65)) }
    }

    @Test(
        "A coding is chosen by weight; the content as it is unless it is ruled out",
        arguments: [
            ("gzip, deflate, br", "gzip"), ("deflate", "deflate"), ("", nil), ("identity", nil), ("br", nil),
            ("gzip;q=0.5, deflate", "deflate"), ("gzip;q=0, *", "deflate"), ("*", "gzip"), ("*;q=0", nil),
            ("identity;q=1, gzip;q=0.5", nil), ("identity;q=0.5, gzip;q=1.0", "gzip"), ("x-gzip", "gzip"),
            ("GZIP", "gzip"), ("gzip;q=0.001", "gzip"), ("identity;q=0, deflate;q=0.1", "deflate"),
        ] as [(String, String?)])
    func codings(text: String, chosen: String?) throws {
        #expect(try AcceptEncoding(parsing: text).best(of: ["gzip", "deflate"]) == chosen)
    }

    @Test("Identity is acceptable unless it is ruled out")
    func identity() throws {
        #expect(try AcceptEncoding(parsing: "gzip").weight(of: "identity") > 0)
        #expect(try AcceptEncoding(parsing: "gzip, identity;q=0").weight(of: "identity") == 0)
        #expect(try AcceptEncoding(parsing: "gzip, *;q=0").weight(of: "identity") == 0)
        #expect(try AcceptEncoding(parsing: "*;q=0, identity;q=0.2").weight(of: "identity") == 200)
    }

    @Test(
        "A list of codings with anything else in it is refused",
        arguments: ["gzip;x=1", "gzip q=1", "gzip;q", "(", "a;q=1;q=1"])
    func badCodings(text: String) {
        #expect(throws: FieldSyntaxError.self) { try AcceptEncoding(parsing: text) }
    }

    @Test(
        "A language is chosen as RFC 4647 matches",
        arguments: [
            ("da, en-gb;q=0.8, en;q=0.7", ["en", "da"], "da"), ("en-gb;q=0.8, en;q=0.7", ["en-GB", "en"], "en-GB"),
            ("de-CH", ["en", "de"], "de"), ("fr", ["en", "de"], nil), ("fr, *;q=0.1", ["en", "de"], "en"),
            ("en;q=0, *", ["en", "de"], "de"), ("", ["en"], "en"), ("de-DE, en;q=0.5", ["de-CH", "en-US"], "en-US"),
        ] as [(String, [String], String?)])
    func languages(text: String, offers: [String], chosen: String?) throws {
        #expect(try AcceptLanguage(parsing: text).best(of: offers) == chosen)
    }

    @Test("What is no language range is refused", arguments: ["e_n", "en--gb", "toolonglanguage", "1a", "en-", "en;x"])
    func badLanguages(text: String) {
        #expect(throws: FieldSyntaxError.self) { try AcceptLanguage(parsing: text) }
    }
}
