import HelioReactor
import HeliographTesting
import Testing

@testable import Heliograph

/// A client and a wrapped handler in memory.
private struct Wrapped {
    let client = TestClient()
    let server: MemorySession

    init(_ handler: any Handler) { server = MemorySession(handler: handler) }

    func ask(_ method: String = "GET", _ path: String = "/", _ fields: [(String, String)] = []) -> TestClient.Response {
        let stream = client.request(method, path, fields)
        server.exchange(with: client)
        return client[stream]
    }
}

private func hello() -> any Handler {
    ClosureHandler { $0.respond(.ok, contentType: "text/plain", $0.requestID ?? "none") }
}

@Suite("Ids of requests")
struct RequestIDTests {
    @Test("A request without an id is given one, and no two the same")
    func new() throws {
        let wrapped = Wrapped(RequestID(wrapping: hello()))
        defer { wrapped.server.close() }
        let ids = try (0..<100).map { _ in
            let response = wrapped.ask()
            let id = try #require(response["x-request-id"])
            #expect(response.text == id)
            return id
        }
        #expect(Set(ids).count == 100)
        #expect(ids.allSatisfy { $0.utf8.count == 32 && UInt64($0.prefix(16), radix: 16) != nil })
    }

    @Test(
        "A sane id is taken, another one is not",
        arguments: [
            ("abc-123", true), (String(repeating: "x", count: 128), true), ("a:b/c.d_e+f=g@h", true),
            ("", false), (String(repeating: "x", count: 129), false), ("a b", false), ("a\"b", false), ("ü", false),
            ("<script>", false),
        ])
    func given(id: String, isTaken: Bool) {
        let wrapped = Wrapped(RequestID(wrapping: hello()))
        defer { wrapped.server.close() }
        #expect((wrapped.ask("GET", "/", [("x-request-id", id)])["x-request-id"] == id) == isTaken)
        let strict = Wrapped(RequestID(takesGiven: false, wrapping: hello()))
        defer { strict.server.close() }
        #expect(strict.ask("GET", "/", [("x-request-id", id)])["x-request-id"] != id)
    }

    @Test("One inside of another leaves the id as it is")
    func nested() {
        let wrapped = Wrapped(RequestID(wrapping: RequestID(wrapping: hello())))
        defer { wrapped.server.close() }
        #expect(wrapped.ask().fields.filter { $0.name == "x-request-id" }.count == 1)
    }
}

@Suite("Requests of other origins")
struct CORSTests {
    private static let preflight = [
        ("access-control-request-method", "PUT"), ("access-control-request-headers", "x-a"),
    ]

    @Test("An origin that is listed may read the answer, another may not", arguments: [true, false])
    func list(isListed: Bool) {
        let wrapped = Wrapped(
            CORS(.list(["https://a.example"]), allowsCredentials: true, exposed: ["x-e"], wrapping: hello()))
        defer { wrapped.server.close() }
        let origin = isListed ? "https://a.example" : "https://a.example.evil"
        let response = wrapped.ask("GET", "/", [("origin", origin)])
        #expect(response.status == 200)
        #expect(response["access-control-allow-origin"] == (isListed ? origin : nil))
        #expect(response["access-control-allow-credentials"] == (isListed ? "true" : nil))
        #expect(response["access-control-expose-headers"] == (isListed ? "x-e" : nil))
        #expect(response["vary"] == "origin")
        #expect(wrapped.ask()["vary"] == "origin")
    }

    @Test("A preflight is answered without the handler")
    func preflight() {
        let wrapped = Wrapped(CORS(.list(["https://a.example"]), maxAge: .seconds(60), wrapping: hello()))
        defer { wrapped.server.close() }
        let allowed = wrapped.ask("OPTIONS", "/", [("origin", "https://a.example")] + Self.preflight)
        #expect(allowed.status == 204)
        #expect(allowed["access-control-allow-methods"] == "GET, HEAD, POST, PUT, PATCH, DELETE")
        #expect(allowed["access-control-allow-headers"] == "x-a")
        #expect(allowed["access-control-max-age"] == "60")
        #expect(allowed["access-control-allow-credentials"] == nil)
        let refused = wrapped.ask("OPTIONS", "/", [("origin", "null")] + Self.preflight)
        #expect(refused.status == 403)
        #expect(refused["access-control-allow-methods"] == nil)
        // An OPTIONS that is none of it is the handler's.
        #expect(wrapped.ask("OPTIONS", "/", [("origin", "https://a.example")]).status == 200)
    }

    @Test("Any origin is a star, and the answer the same for all")
    func any() {
        let wrapped = Wrapped(CORS(.any, headers: ["x-b"], wrapping: hello()))
        defer { wrapped.server.close() }
        let response = wrapped.ask("OPTIONS", "/", [("origin", "null")] + Self.preflight)
        #expect(response["access-control-allow-origin"] == "*")
        #expect(response["access-control-allow-headers"] == "x-b")
        #expect(response["vary"] == nil)
        #expect(wrapped.ask()["access-control-allow-origin"] == nil)
    }

    @Test("A closure decides about origins")
    func predicate() {
        let wrapped = Wrapped(CORS(.matching { $0.hasSuffix(".example") }, wrapping: hello()))
        defer { wrapped.server.close() }
        #expect(wrapped.ask("GET", "/", [("origin", "https://x.example")])["access-control-allow-origin"] != nil)
        #expect(wrapped.ask("GET", "/", [("origin", "https://x.test")])["access-control-allow-origin"] == nil)
    }
}
