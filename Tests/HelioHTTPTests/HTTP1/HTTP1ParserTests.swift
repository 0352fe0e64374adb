import Testing

@testable import HelioHTTP

/// Bytes of a text; `\n` is CRLF, so that requests read as they are.
func wire(_ text: String) -> [UInt8] {
    text.utf8.flatMap { $0 == 10 ? [13, 10] : [$0] }
}

@Suite("The parser of HTTP/1.1")
struct HTTP1ParserTests {
    private func events(_ bytes: [UInt8]) -> [String] { ParserRun.events(bytes) }

    @Test("A request has its parts where they belong")
    func request() {
        let text = "GET /a/b?c=d HTTP/1.1\nHost: example.org:8443\nX-One:  1 \t\nACCEPT:*/*\n\n"
        #expect(
            events(wire(text)) == [
                "HTTP/1.1 GET [/a/b?c=d] path:4 authority:example.org:8443 asks:- persists x-one=1|accept=*/*", "end ",
            ])
    }

    @Test("An empty line in front is passed over, once")
    func emptyLine() {
        #expect(events(wire("\nGET / HTTP/1.0\n\n")).count == 2)
        #expect(events(wire("\n\nGET / HTTP/1.0\n\n")) == ["refused 400 "])
        #expect(events(wire("\nGET / HTTP/1.0\n\n\nGET / HTTP/1.0\n\n")).count == 4)
        #expect(events([13]) == [])
        #expect(events([10]) == ["refused 400 "])
        #expect(events([13, 13]) == [])
        #expect(events([13, 13, 10]) == ["refused 400 "])
    }

    @Test(
        "Each form of a target",
        arguments: [
            ("GET / HTTP/1.1", "[/] path:1 authority:h"),
            ("GET /%00?a?b HTTP/1.1", "[/%00?a?b] path:4 authority:h"),
            ("GET http://example.org HTTP/1.1", "[/] path:1 authority:example.org"),
            ("GET HTTPS://example.org:1/x?y HTTP/1.1", "[/x?y] path:2 authority:example.org:1"),
            ("GET http://[::1]:80?y HTTP/1.1", "[/?y] path:1 authority:[::1]:80"),
            ("OPTIONS * HTTP/1.1", "[*] path:1 authority:h"),
            ("OPTIONS http://example.org HTTP/1.1", "[*] path:1 authority:example.org"),
            ("CONNECT example.org:443 HTTP/1.1", "[] path:0 authority:example.org:443"),
            ("CONNECT [::1]:443 HTTP/1.1", "[] path:0 authority:[::1]:443"),
        ])
    func targets(line: String, expected: String) {
        let lines = events(wire("\(line)\nHost: h\n\n"))
        #expect(lines.first?.contains(expected) == true, "\(lines)")
        #expect(lines.count == 2)
    }

    @Test(
        "Whether the connection persists",
        arguments: [
            ("HTTP/1.1", "", true), ("HTTP/1.1", "Connection: close\n", false),
            ("HTTP/1.1", "Connection: keep-alive\n", true), ("HTTP/1.1", "Connection: keep-alive, CLOSE\n", false),
            ("HTTP/1.1", "Connection: a, , b\nConnection: Close\n", false), ("HTTP/1.0", "", false),
            ("HTTP/1.0", "Connection: Keep-Alive\n", true), ("HTTP/1.0", "Connection: keep-alive,close\n", false),
            ("HTTP/1.2", "", true), ("HTTP/1.9", "Connection: close\n", false),
        ])
    func persistence(version: String, field: String, expected: Bool) {
        let lines = events(wire("GET / \(version)\nHost: h\n\(field)\n"))
        #expect(lines.first?.contains(expected ? " persists " : " closes ") == true, "\(lines)")
    }

    @Test("A body of known length, then the next request")
    func contentLength() {
        let lines = events(wire("POST / HTTP/1.1\nHost: h\nContent-Length: 007\n\n1234567GET / HTTP/1.1\nHost: h\n\n"))
        #expect(lines.count == 5)
        #expect(lines[1] == "body 1234567")
        #expect(lines[4] == "end ")
        #expect(events(wire("POST / HTTP/1.1\nHost: h\nContent-Length: 0\n\n")).last == "end ")
    }

    @Test("Chunks, their extensions, and trailers without those that belong in a head")
    func chunks() {
        let text =
            "POST / HTTP/1.1\nHost: h\nTransfer-Encoding: Chunked\n\n5;a;b=c;d=\"\\\"; x\" ; e = f\nhello\n"
            + "00A\n, chunked!\n0\nX-Sum: 1\nContent-Length: 5\nAuthorization: x\nHost: i\nx-b:\n\n"
        let lines = events(wire(text))
        #expect(lines.dropFirst() == ["body hello, chunked!", "end x-sum=1|x-b="])
    }

    @Test("Fields of the connection do not reach the handler; what they ask for does")
    func connectionFields() {
        let fields = "Connection: Upgrade\nUpgrade: h2c, WebSocket, other\nKeep-Alive: 5\nProxy-Connection: x\n"
        let text = "GET / HTTP/1.1\nHost: h\n\(fields)\n"
        #expect(events(wire(text)).first?.hasSuffix("authority:h asks:websocket persists ") == true)
        let asked = [
            "GET / HTTP/1.1\nHost: h\nUpgrade: websocket\n\n",
            "GET / HTTP/1.0\nConnection: upgrade\nUpgrade: websocket\n\n",
            "GET / HTTP/1.1\nHost: h\nConnection: upgrade\nUpgrade: h2c\n\n",
            "POST / HTTP/1.1\nHost: h\nContent-Length: 1\nConnection: upgrade\nUpgrade: websocket\n\nx",
        ]
        for text in asked { #expect(events(wire(text)).first?.contains("asks:- ") == true, "\(text)") }
    }

    @Test("Expectations are met, refused or none of HTTP/1.0's")
    func expect() {
        #expect(
            events(wire("POST / HTTP/1.1\nHost: h\nExpect: 100-Continue\nContent-Length: 1\n\nx")).first?
                .hasSuffix("expect=100-Continue|content-length=1") == true)
        #expect(events(wire("POST / HTTP/1.1\nHost: h\nExpect: tea\n")) == ["refused 417 "])
        #expect(events(wire("POST / HTTP/1.0\nExpect: tea\n\n")).count == 2)
    }

    @Test("Each limit is met to the byte", arguments: [false, true])
    func limits(isCrossed: Bool) {
        let limits = HelioHTTPTests.limits {
            $0.maxTargetLength = 100
            $0.maxHeaderListSize = 200
            $0.maxHeaderCount = 3
            $0.maxChunkExtensions = 20
        }
        let more = isCrossed ? 1 : 0
        func last(_ text: String) -> String? { ParserRun.events(wire(text), limits: limits).last }
        func letters(_ count: Int) -> String { String(repeating: "a", count: count + more) }
        #expect(last("GET /\(letters(99)) HTTP/1.0\n\n") == (isCrossed ? "refused 414 target_length" : "end "))
        #expect(
            last("GET / HTTP/1.0\nx:\(letters(200 - 33))\n\n") == (isCrossed ? "refused 431 header_list_size" : "end "))
        // More blanks than a field's 32 bytes allow for count too.
        let padding = String(repeating: " ", count: 200 - 3 + more)
        #expect(last("GET / HTTP/1.0\nx:\(padding)y\n\n") == (isCrossed ? "refused 431 header_list_size" : "end "))
        let count = String(repeating: "x: y\n", count: 3 + more)
        #expect(last("GET / HTTP/1.0\n\(count)\n") == (isCrossed ? "refused 431 header_count" : "end "))
        let post = "POST / HTTP/1.1\nhost: h\ntransfer-encoding: chunked\n\n"
        #expect(
            last("\(post)1;\(letters(9))\nx\n0;\(letters(9))\n\n")
                == (isCrossed ? "refused 400 chunk_extensions" : "end "))
        let trailers = "\(post)0\nx:\(letters(200 - 33))\n\n"
        #expect(last(trailers)?.hasPrefix(isCrossed ? "refused 431 header_list_size" : "end x=a") == true)
        #expect(
            last("\(String(repeating: "M", count: 64 + more)) / HTTP/1.0\n\n") == (isCrossed ? "refused 501 " : "end "))
    }

    @Test("What never ends is refused before it has come whole")
    func endless() {
        let limits = HelioHTTPTests.limits { $0.maxTargetLength = 1000 }
        let many = [UInt8](repeating: UInt8(ascii: "a"), count: 100_000)
        #expect(ParserRun.events(many, limits: limits) == ["refused 414 target_length"])
        #expect(ParserRun.events(wire("GET / HTTP/1.0\n") + many) == ["refused 431 header_list_size"])
        let chunked = wire("POST / HTTP/1.1\nhost: h\ntransfer-encoding: chunked\n\n")
        #expect(ParserRun.events(chunked + many).last == "refused 400 chunk_extensions")
        #expect(ParserRun.events(chunked + wire("0\n") + many).last == "refused 431 header_list_size")
        let zeros = [UInt8](repeating: UInt8(ascii: "0"), count: 100_000)
        #expect(ParserRun.events(chunked + zeros).last == "refused 400 chunk_extensions")
    }

    @Test("Field values of eight bytes and more are checked in every lane", arguments: Array(0..<24))
    func lanes(position: Int) {
        for byte in UInt8.min...UInt8.max {
            var value = [UInt8](repeating: UInt8(ascii: "v"), count: 24)
            value[position] = byte
            let isFine = byte >= 32 && byte != 127 || byte == 9
            #expect(unsafe value.withUnsafeBytes { unsafe HTTP1Characters.areFieldValue($0) } == isFine, "\(byte)")
        }
    }
}
