import Testing

@testable import HelioHTTP

/// Shapes by which one server is made to see a request where another sees a body, and others that are against the grammar.
@Suite("What the parser of HTTP/1.1 refuses")
struct SmugglingTests {
    private static func post(_ fields: String, _ body: String = "") -> String {
        "POST / HTTP/1.1\nHost: h\n\(fields)\n\(body)"
    }

    static let framing: [(String, Int)] = [
        // RFC 9112 section 6.1 and 6.3.
        (post("Content-Length: 5\nTransfer-Encoding: chunked\n", "0\n\n"), 400),
        (post("Transfer-Encoding: chunked\nContent-Length: 5\n", "0\n\n"), 400),
        (post("Content-Length: 5\nContent-Length: 5\n"), 400),
        (post("Content-Length: 5\nContent-Length: 6\n"), 400),
        (post("Content-Length: 5, 5\n"), 400),
        (post("Content-Length: +5\n"), 400),
        (post("Content-Length: -5\n"), 400),
        (post("Content-Length: 0x5\n"), 400),
        (post("Content-Length: 5 5\n"), 400),
        (post("Content-Length: 5.0\n"), 400),
        (post("Content-Length:\n"), 400),
        (post("Content-Length: five\n"), 400),
        (post("Content-Length: \u{661}\n"), 400),
        (post("Content-Length: 1000000000000000000\n"), 413),
        (post("Content-Length: 18446744073709551621\n"), 413),
        (post("Content-Length : 5\n"), 400),
        (post(" Content-Length: 5\n"), 400),
        (post("Content-Length\t: 5\n"), 400),
        (post("Transfer-Encoding: chunked\nTransfer-Encoding: chunked\n"), 400),
        (post("Transfer-Encoding: chunked, chunked\n"), 400),
        (post("Transfer-Encoding: chunked, gzip\n"), 400),
        (post("Transfer-Encoding: chunked, identity\n"), 400),
        (post("Transfer-Encoding: ,chunked\n"), 400),
        (post("Transfer-Encoding: chunked,\n"), 400),
        (post("Transfer-Encoding:\n"), 400),
        (post("Transfer-Encoding: chunked;q=1\n"), 400),
        (post("Transfer-Encoding: \"chunked\"\n"), 400),
        (post("Transfer-Encoding: chun ked\n"), 400),
        (post("Transfer-Encoding: \u{b}chunked\n"), 400),
        (post("Transfer-Encoding : chunked\n"), 400),
        (post("Transfer-Encoding: xchunked\n"), 501),
        (post("Transfer-Encoding: gzip, chunked\n"), 501),
        (post("Transfer-Encoding: gzip\nTransfer-Encoding: chunked\n"), 501),
        (post("Transfer-Encoding: identity\n"), 501),
        (post("Transfer-Encoding: gzip\n"), 501),
        (post("Transfer-Encoding: chunk\n"), 501),
        (post("X: y\n Transfer-Encoding: chunked\n"), 400),
        ("POST / HTTP/1.0\nTransfer-Encoding: chunked\n\n", 400),
        ("POST / HTTP/1.0\nTransfer-Encoding: gzip\n\n", 400),
        ("CONNECT h:1 HTTP/1.1\nHost: h\nContent-Length: 1\n\n", 400),
        ("CONNECT h:1 HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\n", 400),
    ]

    private static func chunked(_ body: String) -> String { post("Transfer-Encoding: chunked\n", body) }

    static let chunks: [(String, Int)] = [
        // RFC 9112 section 7.1.
        (chunked("5 \nhello\n"), 400),
        (chunked(" 5\nhello\n"), 400),
        (chunked("0x5\nhello\n"), 400),
        (chunked("+5\nhello\n"), 400),
        (chunked("-1\nhello\n"), 400),
        (chunked("\n"), 400),
        (chunked("g\n"), 400),
        (chunked("5\nhelloX\n"), 400),
        (chunked("5\nhello0\n\n"), 400),
        (chunked("5\rhello\n"), 400),
        (chunked("10000000000000000\n"), 400),
        (chunked("ffffffffffffffff\n"), 400),
        (chunked("0000000000000005\n"), 400),
        (chunked("5;\nhello\n"), 400),
        (chunked("5;=x\nhello\n"), 400),
        (chunked("5;a=\nhello\n"), 400),
        (chunked("5;a=\"b\nhello\n"), 400),
        (chunked("5;a=b c\nhello\n"), 400),
        (chunked("5 a\nhello\n"), 400),
        (chunked("5;a=\"\u{1}\"\nhello\n"), 400),
        (chunked("5;a b\nhello\n"), 400),
        (chunked("5;a \nhello\n"), 400),
        (chunked("0\nX : y\n\n"), 400),
        (chunked("0\n X: y\n\n"), 400),
        (chunked("0\nX: y\n folded\n\n"), 400),
        (chunked("0\n: y\n\n"), 400),
        (chunked("0\nX\n\n"), 400),
        (chunked("0\n\r\r\n"), 400),
    ]

    static let lines: [(String, Int)] = [
        // RFC 9112 sections 2.2, 3 and 5.
        ("GET  / HTTP/1.1\nHost: h\n\n", 400),
        ("GET /  HTTP/1.1\nHost: h\n\n", 400),
        (" GET / HTTP/1.1\nHost: h\n\n", 400),
        ("GET / HTTP/1.1 \nHost: h\n\n", 400),
        ("GET\t/ HTTP/1.1\nHost: h\n\n", 400),
        ("GET /\n\n", 400),
        ("GET\n\n", 400),
        ("GET / a HTTP/1.1\nHost: h\n\n", 400),
        ("G\u{0}T / HTTP/1.1\nHost: h\n\n", 400),
        ("GET /\u{0} HTTP/1.1\nHost: h\n\n", 400),
        ("G(T / HTTP/1.1\nHost: h\n\n", 400),
        ("GET /#a HTTP/1.1\nHost: h\n\n", 400),
        ("GET /\u{7f} HTTP/1.1\nHost: h\n\n", 400),
        ("GET /\u{b}a HTTP/1.1\nHost: h\n\n", 400),
        ("GET / http/1.1\nHost: h\n\n", 400),
        ("GET / HTTP/1.10\nHost: h\n\n", 400),
        ("GET / HTTP/11\nHost: h\n\n", 400),
        ("GET / HTTP/1,1\nHost: h\n\n", 400),
        ("GET / HTTP/x.1\nHost: h\n\n", 400),
        ("GET / HTTP/2.0\nHost: h\n\n", 505),
        ("GET / HTTP/0.9\nHost: h\n\n", 505),
        ("GET / HTTP/3.1\nHost: h\n\n", 505),
        ("PRI * HTTP/2.0\n\nSM\n\n", 505),
        ("GET * HTTP/1.1\nHost: h\n\n", 400),
        ("OPTIONS ** HTTP/1.1\nHost: h\n\n", 400),
        ("GET h HTTP/1.1\nHost: h\n\n", 400),
        ("GET ftp://h/ HTTP/1.1\nHost: h\n\n", 400),
        ("GET http:///a HTTP/1.1\nHost: h\n\n", 400),
        ("GET http:/a HTTP/1.1\nHost: h\n\n", 400),
        ("GET http://u@h/ HTTP/1.1\nHost: h\n\n", 400),
        ("GET http://h:x/ HTTP/1.1\nHost: h\n\n", 400),
        ("CONNECT / HTTP/1.1\nHost: h\n\n", 400),
        ("CONNECT h HTTP/1.1\nHost: h\n\n", 400),
        ("CONNECT h: HTTP/1.1\nHost: h\n\n", 400),
        ("CONNECT http://h:1/ HTTP/1.1\nHost: h\n\n", 400),
        ("CONNECT h:123456 HTTP/1.1\nHost: h\n\n", 400),
        ("GET / HTTP/1.1\n Host: h\n\n", 400),
        ("GET / HTTP/1.1\nHost: h\n folded\n\n", 400),
        ("GET / HTTP/1.1\nHost: h\n\tfolded\n\n", 400),
        ("GET / HTTP/1.1\nHost: h\n \n\n", 400),
        ("GET / HTTP/1.1\nHost: h\nNo colon\n\n", 400),
        ("GET / HTTP/1.1\nHost: h\n: v\n\n", 400),
        ("GET / HTTP/1.1\nHost: h\nX Y: v\n\n", 400),
        ("GET / HTTP/1.1\nHost: h\nX\u{e9}: v\n\n", 400),
        ("GET / HTTP/1.1\nHost: h\nX: a\u{0}b\n\n", 400),
        ("GET / HTTP/1.1\nHost: h\nX: a\u{7f}b\n\n", 400),
        ("GET / HTTP/1.1\nHost: h\nX: a\rb\n\n", 400),
        ("GET / HTTP/1.1\nHost: h\nX: a\r\r\n\n", 400),
        ("GET / HTTP/1.1\nHost: h\n\r\r\n", 400),
        ("GET / HTTP/1.1\nHost: h\nX\r: v\n\n", 400),
        // RFC 9112 section 3.2.
        ("GET / HTTP/1.1\n\n", 400),
        ("GET / HTTP/1.1\nX: y\n\n", 400),
        ("GET / HTTP/1.1\nHost: h\nHost: h\n\n", 400),
        ("GET / HTTP/1.0\nHost: h\nHost: i\n\n", 400),
        ("GET http://h/ HTTP/1.1\n\n", 400),
        ("GET / HTTP/1.1\nHost: h i\n\n", 400),
        ("GET / HTTP/1.1\nHost: h/\n\n", 400),
        ("GET / HTTP/1.1\nHost: u@h\n\n", 400),
        ("GET / HTTP/1.1\nHost: h:\u{661}\n\n", 400),
        ("GET / HTTP/1.1\nHost: h:8x\n\n", 400),
        ("GET / HTTP/1.1\nHost: [::1\n\n", 400),
        ("GET / HTTP/1.1\nHost: ::1\n\n", 400),
        ("GET / HTTP/1.1\nHost: []\n\n", 400),
        ("GET / HTTP/1.1\nHost: [::1]x\n\n", 400),
        ("GET / HTTP/1.1\nHost: :80\n\n", 400),
        ("GET http://h/ HTTP/1.1\nHost: h?\n\n", 400),
    ]

    @Test("Both framings, none, or one that two servers would read in two ways", arguments: framing)
    func refusesFraming(text: String, status: Int) { expectRefusal(wire(text), status) }

    @Test("Chunks that are not by the grammar", arguments: chunks)
    func refusesChunks(text: String, status: Int) { expectRefusal(wire(text), status) }

    @Test("Lines and hosts that are not by the grammar", arguments: lines)
    func refusesLines(text: String, status: Int) { expectRefusal(wire(text), status) }

    @Test("A line feed alone ends no line", arguments: [0, 1, 2, 3, 4, 5, 6, 7])
    func bareLineFeed(line: Int) {
        var lines = "POST / HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\n1\nx\n0\n\n"
            .split(separator: "\n", omittingEmptySubsequences: false).dropLast().map { Array($0.utf8) }
        for index in lines.indices { lines[index] += index == line ? [10] : [13, 10] }
        expectRefusal(lines.flatMap { $0 }, 400)
    }

    private func expectRefusal(_ bytes: [UInt8], _ status: Int) {
        let whole = ParserRun.events(bytes)
        #expect(whole.last?.hasPrefix("refused \(status) ") == true, "\(whole)")
        #expect(ReferenceParser.events(bytes) == whole)
        #expect(ParserRun.events(bytes, cuts: Array(1..<max(1, bytes.count))) == whole)
    }
}
