import HelioHTTP
import Testing

@Suite("Taking multipart bodies apart")
struct MultipartParserTests {
    /// RFC 2046 section 5.1.1, the example.
    private static let example =
        "This is the preamble.  It is to be ignored, though it\r\nis a handy place for composition agents to include an\r\n"
        + "explanatory note to non-MIME conformant readers.\r\n\r\n--simple boundary\r\n\r\n"
        + "This is implicitly typed plain US-ASCII text.\r\nIt does NOT end with a linebreak.\r\n--simple boundary\r\n"
        + "Content-type: text/plain; charset=us-ascii\r\n\r\nThis is explicitly typed plain US-ASCII text.\r\n"
        + "It DOES end with a linebreak.\r\n\r\n--simple boundary--\r\n\r\nThis is the epilogue.  It is also to be ignored.\r\n"

    @Test("The example of RFC 2046 comes out in any cut", arguments: [false, true])
    func example(stops: Bool) {
        let bytes = Array(Self.example.utf8)
        for cut in 1...bytes.count {
            let (found, error) = parse(
                bytes, type: "multipart/mixed; boundary=\"simple boundary\"", cut: cut, stops: stops)
            #expect(error == nil, "cut \(cut)")
            #expect(
                found.parts.map(\.text) == [
                    "This is implicitly typed plain US-ASCII text.\r\nIt does NOT end with a linebreak.",
                    "This is explicitly typed plain US-ASCII text.\r\nIt DOES end with a linebreak.\r\n",
                ], "cut \(cut)")
            #expect(found.events == ["+0", "0", "-0", "+1", "1", "-1"], "cut \(cut)")
            #expect(found.objects.map(\.contentType.description) == ["text/plain", "text/plain; charset=us-ascii"])
        }
    }

    /// A part within a part, and in that one a third; the boundaries share their beginning.
    private static let nested =
        "--b1\r\nContent-Disposition: form-data; name=a\r\n\r\none\r\n--b1\r\n"
        + "Content-Disposition: form-data; name=files\r\nContent-Type: multipart/mixed;\r\n boundary=b2\r\n\r\npreamble\r\n"
        + "--b2\r\nContent-Disposition: file; filename=\"f1\"\r\n\r\n--b1x\r\n--b\r\n--b2\r\n"
        + "Content-Type: multipart/digest; boundary=\"b3\"\r\n\r\n--b3\r\n\r\nSubject: x\r\n\r\n\r\n--b3--\r\nepilogue\r\n--b2--\r\n"
        + "\r\n--b1\r\nContent-Disposition: form-data; name=z\r\n\r\n\r\n--b1--"

    @Test("Parts within parts come between the beginning and the end of theirs, in any cut", arguments: [false, true])
    func nested(stops: Bool) {
        // The data "--b1x" begins as the outermost boundary does.
        let text = Self.nested.replacing("--b1x", with: "-b1x")
        for cut in 1...text.utf8.count {
            let (found, error) = parse(text, type: "multipart/form-data; boundary=b1", cut: cut, stops: stops)
            #expect(error == nil, "cut \(cut)")
            #expect(found.events.joined(separator: " ") == "+0 0 -0 +1 +2 2 -2 +3 +4 4 -4 -3 -1 +5 -5", "cut \(cut)")
            #expect(found.parts.map(\.depth) == [1, 1, 2, 2, 3, 1])
            #expect(found.parts.map(\.text) == ["one", "", "-b1x\r\n--b", "", "Subject: x\r\n\r\n", ""], "cut \(cut)")
            #expect(found.objects[4].contentType == .message)
            #expect(found.objects[4].parent === found.objects[3])
        }
        #expect(parse(Self.nested, type: "multipart/form-data; boundary=b1").error == .truncated)
    }

    @Test(
        "What looks like a boundary and is none is data, in any cut",
        arguments: [
            "\r\n--a", "\r\n-", "\r", "\r\n", "\r\r\n--\r\n--", "--b", "x--b--", "\n--b\n", "\r\n --b", "\r\n--B\r\n",
            "\r\n--\r",
            "\r\n\r\n--c\r\n",
        ])
    func lookalikes(data: String) {
        for before in ["", "x"] {
            // At the beginning of a part's data a boundary needs no CRLF: its fields have ended in one.
            let data = before + data
            if data.hasPrefix("--b") { continue }
            let text = "--b\r\n\r\n\(data)\r\n--b--"
            for cut in 1...text.utf8.count {
                let (found, error) = parse(text, cut: cut)
                #expect(error == nil)
                #expect(found.parts.map(\.text) == [data], "cut \(cut)")
            }
        }
    }

    @Test(
        "Where boundaries may stand, and blanks behind them",
        arguments: [
            ("--b--", []), ("--b--\r\n", []), ("x\r\n--b--  \r\ny", []), ("--b\r\n\r\n--b--", [""]),
            ("--b\r\n\r\n\r\n--b--", [""]), ("--b \t \r\n\r\nx\r\n--b\t--", nil),
            ("--b \t \r\n\r\nx\r\n--b-- \t", ["x"]),
            ("\r\n--b\r\n\r\nx\r\n--b--", ["x"]), ("--b--\r\n--b\r\n\r\nx", []),
            ("--b\r\nA: b\r\n\r\n--b\r\nA: b\r\n\r\n--b--", ["", ""]),
        ] as [(String, [String]?)])
    func boundaries(text: String, parts: [String]?) {
        for cut in 1...text.utf8.count {
            let (found, error) = parse(text, cut: cut)
            #expect(error == (parts == nil ? .malformedDelimiter : nil), "cut \(cut)")
            if let parts { #expect(found.parts.map(\.text) == parts, "cut \(cut)") }
        }
    }

    @Test(
        "A malformed body is refused in any cut",
        arguments: [
            ("", MultipartError.truncated), ("x", .truncated), ("--b", .truncated), ("--b\r\n", .truncated),
            ("--b\r\n\r\nx", .truncated), ("--b\r\n\r\nx\r\n--b", .truncated), ("--b\r\n\r\nx\r\n--b-", .truncated),
            ("--b\r\nA: b\r\n", .truncated), ("--b\r\n\r\nx\n--b--", .truncated), ("--bx\r\n", .malformedDelimiter),
            ("--b-x", .malformedDelimiter), ("--b\n", .malformedDelimiter), ("--b\rx", .malformedDelimiter),
            ("--b--x", .malformedDelimiter), ("--b -", .malformedDelimiter), ("--b\r\nA\r\n\r\n", .malformedHeaders),
            ("--b\r\nA : b\r\n\r\n", .malformedHeaders), ("--b\r\n: b\r\n\r\n", .malformedHeaders),
            ("--b\r\n A: b\r\n\r\n", .malformedHeaders), ("--b\r\nA: b\n\r\n", .malformedHeaders),
            ("--b\r\nA: b\u{0}\r\n\r\n", .malformedHeaders), ("--b\r\nA: b\rc\r\n\r\n", .malformedHeaders),
            ("--b\r\n--b: c\r\n\r\n", .malformedHeaders), ("--b\r\nÄ: b\r\n\r\n", .malformedHeaders),
            ("--b\r\nContent-Transfer-Encoding: uu\r\n\r\n", .unsupportedEncoding("uu")),
            ("--b\r\nContent-Type: text\r\n\r\n", .field("content-type", .expected("'/'", at: 4))),
            ("--b\r\nContent-Disposition: ;\r\n\r\n", .field("content-disposition", .expected("a disposition", at: 0))),
            ("--b\r\nContent-Type: multipart/mixed\r\n\r\n", .invalidBoundary),
            ("--b\r\nContent-Type: multipart/mixed; boundary=bc\r\n\r\n", .ambiguousBoundary),
            ("--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n", .ambiguousBoundary),
            ("--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--b--", .truncated),
            ("--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--b--", .truncated),
            (
                "--b\r\nContent-Type: multipart/mixed; boundary=c\r\nContent-Transfer-Encoding: base64\r\n\r\n",
                .unsupportedEncoding("base64")
            ),
            ("--b\r\nContent-Transfer-Encoding: base64\r\n\r\nZg\r\n--b--", .encoding(.truncated)),
            ("--b\r\nContent-Transfer-Encoding: base64\r\n\r\n*", .encoding(.invalidByte(42))),
        ])
    func malformed(text: String, error: MultipartError) {
        for cut in 1...max(text.utf8.count, 1) {
            #expect(parse(text, cut: cut).error == error, "cut \(cut)")
        }
    }

    @Test(
        "A boundary has 1 to 70 characters of its set",
        arguments: [
            ("multipart/mixed", MultipartError.invalidBoundary), ("multipart/mixed; boundary=\"\"", .invalidBoundary),
            ("multipart/mixed; boundary=\"a \"", .invalidBoundary),
            ("multipart/mixed; boundary=\"a*\"", .invalidBoundary),
            ("text/plain; boundary=b", .notMultipart),
        ])
    func invalidBoundaries(type: String, error: MultipartError) {
        #expect(parse("--b--", type: type).error == error)
    }

    @Test("The longest boundary and every character of a boundary", arguments: [1, 70, 71])
    func longBoundary(length: Int) {
        let boundary = String("'()+_,-./:=? aZ09".suffix(length)) + String(repeating: "x", count: max(0, length - 17))
        let (found, error) = parse(
            "--\(boundary)\r\n\r\nx\r\n--\(boundary)--", type: "multipart/mixed; boundary=\"\(boundary)\"")
        #expect(error == (length > 70 ? .invalidBoundary : nil))
        #expect(found.parts.count == (length > 70 ? 0 : 1))
    }

    @Test("Data is decoded as a part declares it, in any cut")
    func decoding() {
        let text =
            "--b\r\nContent-Transfer-Encoding: BASE64\r\n\r\nSGVs\r\nbG8=\r\n\r\n--b\r\n"
            + "content-transfer-encoding: quoted-printable\r\n\r\nn=C3=A4=\r\nh\r\n--b\r\nContent-Transfer-Encoding: 7bit\r\n\r\nx\r\n--b--"
        for cut in 1...text.utf8.count {
            let (found, error) = parse(text, cut: cut)
            #expect(error == nil)
            #expect(found.parts.map(\.text) == ["Hello", "näh", "x"], "cut \(cut)")
            #expect(found.objects.map(\.size) == [5, 4, 1])
            #expect(found.objects.map(\.encodedSize) == [12, 11, 1])
        }
    }

    @Test("A part of a form has a name, and a file is a file whatever its type")
    func forms() {
        let type = "multipart/form-data; boundary=b"
        let file =
            "--b\r\nContent-Disposition: form-data; name=f; filename=x\r\nContent-Type: multipart/mixed\r\n\r\n--c\r\n--b--"
        let (found, error) = parse(file, type: type)
        #expect(error == nil)
        #expect(found.parts.map(\.text) == ["--c"])
        #expect(
            found.objects[0].isMultipart == false && found.objects[0].filename == "x" && found.objects[0].name == "f")
        for head in ["", "Content-Disposition: form-data\r\n", "Content-Disposition: attachment; name=x\r\n"] {
            #expect(parse("--b\r\n\(head)\r\n\r\n--b--", type: type).error == .missingName)
        }
    }

    @Test("Fields come in lower case, folded lines joined")
    func fields() {
        let (found, _) = parse("--b\r\nX-A:  b\t\r\nX-FOLD: one\r\n\ttwo\r\n  three\r\nX-EMPTY:\r\n\r\n\r\n--b--")
        #expect(
            found.objects[0].headers.fields.map { "\($0.name)=\($0.value)" } == [
                "x-a=b", "x-fold=one\ttwo  three", "x-empty=",
            ])
    }
}
