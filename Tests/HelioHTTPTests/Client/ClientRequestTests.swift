import HelioHTTP
import Testing

@Suite struct ClientRequestTests {
    @Test(arguments: [
        ("https://example.org", "https://example.org:443", "/"),
        ("HTTP://Example.ORG/a/b?c#d", "http://example.org:80", "/a/b?c"),
        ("https://example.org?q=1", "https://example.org:443", "/?q=1"),
        ("http://[::1]:8080/x", "http://[::1]:8080", "/x"),
        ("http://127.0.0.1:1/", "http://127.0.0.1:1", "/"),
        ("https://example.org:/", "https://example.org:443", "/"),
    ])
    func aURLIsTakenApart(url: String, origin: String, target: String) throws {
        let request = try ClientRequest(.get, url)
        #expect(try request.origin().description == origin)
        #expect(request.target == target)
    }

    @Test(arguments: [
        "", "example.org", "ftp://example.org/", "https://", "https:///path", "https://user@example.org/",
        "https://exa mple.org/", "https://example.org/\u{e9}", "https://example.org:0/", "https://example.org:65536/",
        "https://example.org:8x/", "https://[::1/", "https://[]/", "https://[::1]x/", "https://ex\"mple.org/",
        "https://example.org/a\r\nb", "://x/",
    ])
    func whatIsNoURLIsRefused(url: String) {
        #expect(throws: ClientError.self) { try ClientRequest(.get, url) }
    }

    @Test func fieldsAreCheckedBeforeTheyAreSent() {
        var request = ClientRequest(authority: "localhost")
        request.headers = [("Upper", "x")]
        #expect(throws: ClientError.self) { try request.check() }
        request.headers = [("bad name", "x")]
        #expect(throws: ClientError.self) { try request.check() }
        request.headers = []
        request.target = "no-slash"
        #expect(throws: ClientError.self) { try request.check() }
        request.target = "/a b"
        #expect(throws: ClientError.self) { try request.check() }
        request.target = "*"
        #expect(throws: Never.self) { try request.check() }
    }
}
