import HelioHTTP
import Testing

@Suite("Content-Disposition and MIME-Version")
struct ContentDispositionTests {
    @Test(
        "A disposition is read as RFC 6266 and RFC 8187 write it",
        arguments: [
            ("Attachment; filename=example.html", "attachment", "example.html"),
            ("INLINE; FILENAME= \"an example.html\"", "", ""),
            ("inline; filename=\"an example.html\"", "inline", "an example.html"),
            ("attachment; filename*= UTF-8''%e2%82%ac%20rates", "", ""),
            ("attachment; filename*=UTF-8''%e2%82%ac%20rates", "attachment", "€ rates"),
            ("attachment; filename=\"EURO rates\"; filename*=utf-8''%e2%82%ac%20rates", "attachment", "€ rates"),
            ("attachment; filename*=utf-8'en'a; filename=b", "attachment", "a"),
            ("attachment; filename*=iso-8859-1'en'%A3%20rates", "attachment", "£ rates"),
            ("attachment; filename=\"a\\\"b\\\\c\"", "attachment", "a\"b\\c"),
            ("attachment; filename=\"C:\\dir\\file.txt\"", "attachment", "C:\\dir\\file.txt"),
            ("attachment; filename=b; filename*=utf-16''a", "attachment", "b"),
            ("attachment; filename=b; filename*=utf-8''%ff", "attachment", "b"),
            ("attachment; filename=b; filename*=utf-8''%f", "attachment", "b"),
            ("attachment; filename=\"täst\"", "attachment", "täst"),
        ])
    func reads(text: String, type: String, filename: String) throws {
        guard !type.isEmpty else {
            #expect(throws: FieldSyntaxError.self) { try ContentDisposition(parsing: text) }
            return
        }
        let disposition = try ContentDisposition(parsing: text)
        #expect(disposition.type == type)
        #expect(disposition.filename == filename)
    }

    @Test(
        "What is no disposition is refused",
        arguments: [
            "", ";", "attachment filename=a", "attachment; filename=a b", "attachment; filename=\"a",
            "attachment; filename=a; filename=b", "attachment; filename*=utf-16''a", "attachment; filename*=a",
            "attachment; filename=\"a\u{0}\"", "attachment, inline",
        ])
    func refuses(text: String) {
        #expect(throws: FieldSyntaxError.self) { try ContentDisposition(parsing: text) }
    }

    @Test("A form's field has a name")
    func formData() throws {
        let field = try ContentDisposition(parsing: "form-data; name=\"a b\"; filename=\"x.txt\"")
        #expect(field == .formData(name: "a b", filename: "x.txt"))
    }

    @Test(
        "What is written can be read again",
        arguments: [
            "plain.txt", "an example.txt", "na\"ive\\.txt", "naïve.txt", "€ 100%.txt", "日本語.txt", "a'b*c.txt", "",
        ])
    func roundTrip(filename: String) throws {
        let attachment = ContentDisposition.attachment(filename: filename)
        #expect(try ContentDisposition(parsing: attachment.description).filename == filename)
        #expect(attachment.description.utf8.allSatisfy { 0x20..<0x7f ~= $0 })
    }

    @Test("A name that is not ASCII comes twice, but in a form as it is")
    func serialized() {
        #expect(
            ContentDisposition.attachment(filename: "€ 1%.txt").description
                == "attachment; filename=\"_ 1_.txt\"; filename*=UTF-8''%E2%82%AC%201%25.txt")
        #expect(ContentDisposition.inline(filename: "a.txt").description == "inline; filename=\"a.txt\"")
        #expect(
            ContentDisposition.formData(name: "a\"b\r\n", filename: "ü").description
                == "form-data; name=\"a%22b%0D%0A\"; filename=\"ü\"")
    }

    @Test(
        "A safe name is a name for a file, or nothing",
        arguments: [
            ("cat.jpg", "cat.jpg"), ("../../etc/passwd", "passwd"), ("C:\\dir\\file.txt", "file.txt"), ("/", nil),
            ("..", nil), (".", nil), ("", nil), (".htaccess", "htaccess"), ("a\u{0}b\r\n.txt", "ab.txt"),
            ("  x .  ", "x"), ("a/b/", "b"), ("in:va|lid?.txt", "invalid.txt"), ("exe\u{202e}fdp.txt", "exefdp.txt"),
            ("日本語.txt", "日本語.txt"),
        ] as [(String, String?)])
    func safeNames(filename: String, safe: String?) {
        #expect(ContentDisposition.attachment(filename: filename).safeFilename == safe)
    }

    @Test("A long name is cut, its extension kept")
    func longNames() throws {
        let plain = ContentDisposition.attachment(filename: String(repeating: "a", count: 5000) + ".jpeg")
        let safe = try #require(plain.safeFilename)
        #expect(safe.utf8.count <= 200 && safe.utf8.count > 190 && safe.hasSuffix("a.jpeg"))
        let wide = ContentDisposition.attachment(filename: String(repeating: "語", count: 300))
        #expect(try #require(wide.safeFilename).utf8.count <= 200)
        #expect(ContentDisposition("inline").safeFilename == nil)
    }

    @Test(
        "A version of MIME may have comments",
        arguments: [
            ("1.0", "1.0"), (" 1.0 (produced by MetaSend Vx.x)", "1.0"), ("(produced by MetaSend Vx.x) 1.0", "1.0"),
            ("1.(produced by (nested) x)0", "1.0"), ("2.1", "2.1"), ("1", nil), ("1.", nil), ("a.b", nil),
            ("1.0 (", nil),
            ("1.0)", nil), ("1.99999", nil), ("1.0.0", nil), ("", nil),
        ] as [(String, String?)])
    func versions(text: String, version: String?) {
        #expect((try? MIMEVersion(parsing: text))?.description == version)
    }
}
