import HelioHTTP
import HeliographTesting
import Testing

/// RFC 9113 section 8.2.3.
@Suite("Cookies over HTTP/2")
struct CookieTests {
    private func fields(of request: [(String, String)]) -> [String] {
        var seen: [String] = []
        let peer = RawPeer(
            handler: RecordingHandler { exchange in
                seen = exchange.headers.fields.map { "\($0.name): \($0.value)" }
                exchange.respond(.noContent)
            })
        peer.get(1, request)
        peer.leave()
        return seen
    }

    @Test("The crumbs of a cookie are one field for the handler, in the first one's place")
    func joined() {
        #expect(fields(of: [("cookie", "a=1"), ("cookie", "b=2"), ("cookie", "")]) == ["cookie: a=1; b=2; "])
        #expect(
            fields(of: [("x", "1"), ("cookie", "a=1"), ("y", "2"), ("cookie", "b=2"), ("z", "3")])
                == ["x: 1", "cookie: a=1; b=2", "y: 2", "z: 3"])
    }

    @Test("One cookie, or none, is left alone; so is what only looks like one")
    func single() {
        #expect(fields(of: [("cookie", "a=1; b=2")]) == ["cookie: a=1; b=2"])
        #expect(fields(of: [("accept", "1"), ("accept", "2"), ("cookiE".lowercased() + "s", "1")]).count == 3)
    }

    @Test("Many crumbs outgrow the block and keep their bytes")
    func many() {
        let crumbs = (0..<90).map { ("cookie", "n\($0)=" + String(repeating: "v", count: 100)) }
        #expect(fields(of: crumbs) == ["cookie: " + crumbs.map(\.1).joined(separator: "; ")])
    }
}
