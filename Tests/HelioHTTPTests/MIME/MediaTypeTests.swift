import HelioHTTP
import Testing

@Suite("Media types")
struct MediaTypeTests {
    @Test(
        "A media type is read as RFC 9110 section 8.3.1 writes it",
        arguments: [
            ("text/html;charset=utf-8", "text/html; charset=utf-8"),
            ("Text/HTML;Charset=\"utf-8\"", "text/html; charset=utf-8"),
            ("text/html; charset=\"utf-8\"", "text/html; charset=utf-8"),
            ("text/html;charset=UTF-8", "text/html; charset=UTF-8"),
            (" application/json \t", "application/json"),
            ("a/b;;; c=d ;", "a/b; c=d"),
            ("a/b; x=\"\"", "a/b; x=\"\""),
            ("multipart/mixed; boundary=\"a b\\\"c\\\\\"", "multipart/mixed; boundary=\"a b\\\"c\\\\\""),
            ("application/vnd.api+json;v=1;w=2", "application/vnd.api+json; v=1; w=2"),
        ])
    func reads(text: String, canonical: String) throws {
        let type = try MediaType(parsing: text)
        #expect(type.description == canonical)
        #expect(try MediaType(parsing: canonical) == type)
    }

    @Test(
        "What is no media type is refused, and where",
        arguments: [
            ("", FieldSyntaxError.expected("a type", at: 0)), ("text", .expected("'/'", at: 4)),
            ("text/", .expected("a subtype", at: 5)), ("text /html", .expected("'/'", at: 4)),
            ("text/html charset", .expected("the end", at: 10)), ("text/html;charset", .expected("'='", at: 17)),
            ("text/html;charset =x", .expected("'='", at: 17)), ("text/html;charset=", .expected("a value", at: 18)),
            ("text/html;a=\"b", .unterminatedString(at: 12)), ("text/html;a=\"b\\", .unterminatedString(at: 12)),
            ("text/html;a=\"\u{1}\"", .forbiddenByte(at: 13)), ("text/html;a=\"\\\n\"", .forbiddenByte(at: 14)),
            ("text/html;a=b;A=c", .duplicateParameter("a")), ("text/html, a/b", .expected("the end", at: 9)),
            ("täxt/html", .expected("'/'", at: 1)),
        ])
    func refuses(text: String, error: FieldSyntaxError) {
        #expect(throws: error) { try MediaType(parsing: text) }
    }

    @Test("At most 32 parameters are read")
    func manyParameters() throws {
        func text(_ count: Int) -> String { "a/b" + (0..<count).map { ";p\($0)=1" }.joined() }
        #expect(try MediaType(parsing: text(32)).parameters.count == 32)
        #expect(throws: FieldSyntaxError.tooMany(limit: 32)) { try MediaType(parsing: text(33)) }
    }

    @Test("Parameters are found by name, and the charset is in lower case")
    func parameters() throws {
        let type = try MediaType(parsing: "text/plain; Format=Flowed; charset=ISO-8859-1")
        #expect(type["format"] == "Flowed")
        #expect(type["other"] == nil)
        #expect(type.charset == "iso-8859-1")
        #expect(type.essence == "text/plain")
        #expect(type.isSameKind(as: .plainText) && type != .plainText)
        #expect(type.with("charset", "a b").description == "text/plain; format=Flowed; charset=\"a b\"")
        #expect(Set([MediaType.html, try MediaType(parsing: "TEXT/html;charset=utf-8")]).count == 1)
    }

    @Test("A control character in a value of the program cannot end the field")
    func injection() {
        let type = MediaType("a", "b", parameters: [.init("n", "x\r\ny: z")])
        #expect(type.description == "a/b; n=\"x  y: z\"")
    }

    @Test("Files have types by the ends of their names")
    func extensions() {
        #expect(MediaType.forExtension("html") == .html)
        #expect(MediaType.forExtension("HTML") == .html)
        #expect(MediaType.forExtension("nothing") == nil)
        #expect(MediaType.forExtension("") == nil)
        #expect(MediaType.forExtension("woff2")?.description == "font/woff2")
        #expect(MediaType.forExtension("docx")?.type == "application")
        #expect(MediaType.forFile("/a.b/c.tar.gz") == .gzip)
        #expect(MediaType.forFile("/a.css/c") == .octetStream)
        #expect(MediaType.forFile("/.css") == .octetStream)
        #expect(MediaType.forFile("x.") == .octetStream)
        #expect(MediaType.forFile("app.mjs").description == "text/javascript; charset=utf-8")
    }
}
