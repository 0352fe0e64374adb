import FuzzSupport
import HelioHTTP
import HeliographTesting

/// HTTP/1.1: the parser beside one that is plain, and a server's session. In any cut each finds the same.
///
/// In the input LF stands for CRLF if the first byte says so: then fewer changes break a line.
enum HTTP1Target {
    static func run(_ input: [UInt8]) {
        var choices = Choices(input)
        let flags = choices.byte()
        let seed = choices.byte()
        var bytes = choices.rest()
        if flags & 1 != 0 { bytes = bytes.flatMap { $0 == 10 ? [13, 10] : [$0] } }
        var limits = Limits()
        if flags & 2 != 0 {
            limits.maxTargetLength = 60
            limits.maxHeaderListSize = 180
            limits.maxHeaderCount = 4
            limits.maxChunkExtensions = 12
        }
        parse(bytes, seed, limits)
        if flags & 4 != 0 { SessionRun.compare(bytes, seed, flags, limits) }
    }

    private static func parse(_ bytes: [UInt8], _ seed: UInt8, _ limits: Limits) {
        let expected = ReferenceParser.events(bytes, limits: limits)
        let whole = ParserRun.events(bytes, limits: limits)
        check(whole == expected, "the parser finds \(whole), not \(expected)")
        var cuts = Cuts(seed)
        var places: [Int] = []
        for piece in cuts.pieces(of: bytes) { places.append((places.last ?? 0) + piece.count) }
        let cut = ParserRun.events(bytes, cuts: places.dropLast(), limits: limits)
        check(cut == expected, "in pieces the parser finds \(cut), not \(expected)")
    }

    static var seeds: [(name: String, bytes: [UInt8])] {
        requests.flatMap { name, text -> [(name: String, bytes: [UInt8])] in
            let bytes = Array(text.utf8)
            let wire = bytes.flatMap { $0 == 10 ? [13, 10] : [$0] }
            return [(name, [5, 0] + bytes), ("\(name)-cut", [7, 6] + bytes), ("\(name)-wire", [4, 9] + wire)]
        }
    }

    private static let requests: [(String, String)] = [
        ("get", "GET /t?x HTTP/1.1\nHost: example.org\nAccept: */*\nCookie: a=b\n\n"),
        (
            "pipeline",
            "GET /a HTTP/1.1\nHost: h\n\nHEAD /b HTTP/1.1\nHost: h\n\nGET /c HTTP/1.0\nConnection: keep-alive\n\n"
        ),
        ("post", "POST /e HTTP/1.1\nHost:h\nContent-Length: 11\nExpect: 100-continue\n\nhello world"),
        (
            "chunks",
            "PUT /e HTTP/1.1\nHost: [::1]:80\nTransfer-Encoding: chunked\n\n6;a=\"b\"\nchunks\n1\n!\n000\nX-Trailer: 42\n\n"
        ),
        (
            "absolute",
            "GET http://example.org/f HTTP/1.1\nHost: other\nConnection: upgrade, close\nUpgrade: websocket\n\n"
        ),
        ("connect", "CONNECT example.org:443 HTTP/1.1\nHost: example.org:443\n\nraw bytes"),
        ("options", "\nOPTIONS * HTTP/1.1\nHost: h\n\n"),
        (
            "upgrade",
            "GET /w HTTP/1.1\nHost: h\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n\n\u{1}\u{2}"
        ),
    ]
}
