import HeliographTesting
import Testing

@testable import Heliograph

/// A client and a router in memory.
private struct Routed {
    let client = TestClient()
    let server: MemorySession

    init(_ define: (Routes) -> Void) throws {
        server = MemorySession(handler: Router(on: try EventLoop(), define))
    }

    func ask(_ method: String = "GET", _ path: String, _ fields: [(String, String)] = []) -> TestClient.Response {
        let stream = client.request(method, path, fields)
        server.exchange(with: client)
        return client[stream]
    }
}

/// Adds a field to the response, as a wrapper does.
private final class Tag: Handler {
    private let name: String
    private let next: any Handler

    init(_ name: String, _ next: any Handler) {
        self.name = name
        self.next = next
    }

    func request(_ exchange: Exchange) {
        exchange.addHeader("x-tag", name)
        exchange.hand(to: next)
    }
}

@Suite("The router")
struct RouterTests {
    private static func answer(_ text: String) -> (Exchange) -> Void {
        { $0.respond(.ok, contentType: "text/plain", text) }
    }

    @Test("Handlers and closures are routes")
    func forms() throws {
        let routed = try Routed { routes in
            routes.get("/handler", Tag("handler", ClosureHandler(Self.answer("one"))))
            routes.get("/closure") { exchange in exchange.respond(.ok, contentType: "text/plain", "two") }
        }
        defer { routed.server.close() }
        #expect(routed.ask("GET", "/handler").text == "one")
        #expect(routed.ask("GET", "/closure?query").text == "two")
    }

    @Test(
        "Parameters are decoded when they are read",
        arguments: [
            ("/a", "a"), ("/a%20b", "a b"), ("/%2F", "/"), ("/%C3%BC", "ü"), ("/%zz%4", "%zz%4"), ("/100%", "100%"),
            ("/%ff", "\u{fffd}"), ("/%25", "%"), ("/+", "+"),
        ])
    func decoding(path: String, value: String) throws {
        let routed = try Routed { routes in
            routes.get("/{x}") { exchange in
                let raw = exchange.withParameter("x") { span in span.byteCount }
                exchange.addHeader("x-raw", "\(raw ?? -1)")
                exchange.respond(.ok, contentType: "text/plain", exchange.parameter("x") ?? "-")
            }
        }
        defer { routed.server.close() }
        let response = routed.ask("GET", path)
        #expect(response.text == value)
        #expect(response["x-raw"] == "\(path.utf8.count - 1)")
    }

    @Test("Parameters have types, and each route its own names for the same places")
    func typedParameters() throws {
        let routed = try Routed { routes in
            routes.get("/{id}/{name}") { exchange in
                let id = exchange.parameter("id", as: Int.self).map(String.init) ?? "nil"
                exchange.respond(.ok, contentType: "text/plain", "\(id) \(exchange.parameter("key") ?? "nil")")
            }
            routes.post("/{key}/{rest...}") { exchange in
                let text = "\(exchange.parameter("key") ?? "nil") \(exchange.parameter("rest") ?? "nil")"
                exchange.respond(.ok, contentType: "text/plain", text)
            }
            routes.get("/none") { exchange in
                exchange.respond(.ok, contentType: "text/plain", exchange.parameter("id") ?? "nil")
            }
        }
        defer { routed.server.close() }
        #expect(routed.ask("GET", "/42/x").text == "42 nil")
        #expect(routed.ask("GET", "/4x/x").text == "nil nil")
        #expect(routed.ask("POST", "/k/a/b").text == "k a/b")
        // The exchange of an earlier stream is used again, and knows nothing of it.
        #expect(routed.ask("GET", "/none").text == "nil")
    }

    @Test("Other methods are answered with 405, HEAD as GET, OPTIONS with what is allowed")
    func methods() throws {
        let routed = try Routed { routes in
            routes.get("/x", Self.answer("x"))
            routes.put("/x", Self.answer("put"))
            routes.on(.options, "/own", Self.answer("own"))
            routes.on(nil, "/all") { exchange in
                exchange.respond(.ok, contentType: "text/plain", exchange.method.rawValue)
            }
        }
        defer { routed.server.close() }
        let refused = routed.ask("DELETE", "/x")
        #expect(refused.status == 405)
        #expect(refused["allow"] == "GET, HEAD, OPTIONS, PUT")
        let head = routed.ask("HEAD", "/x")
        #expect(head.status == 200 && head["content-length"] == "1" && head.body.isEmpty)
        let options = routed.ask("OPTIONS", "/x")
        #expect(options.status == 204 && options["allow"] == "GET, HEAD, OPTIONS, PUT")
        #expect(routed.ask("OPTIONS", "/own").text == "own")
        #expect(routed.ask("FROB", "/all").text == "FROB")
        #expect(routed.ask("OPTIONS", "/nothing").status == 404)
    }

    @Test("What no route takes goes to the handler for that, else it is not found")
    func fallback() throws {
        let bare = try Routed { _ in }
        defer { bare.server.close() }
        #expect(bare.ask("GET", "/").status == 404)
        let routed = try Routed { routes in
            routes.otherwise { exchange in exchange.respond(.notFound, contentType: "text/plain", "lost") }
        }
        defer { routed.server.close() }
        #expect(routed.ask("GET", "/x").text == "lost")
    }

    @Test("What routes take by other methods only goes to the handler for that, which finds the allowed ones added")
    func methodNotAllowed() throws {
        let routed = try Routed { routes in
            routes.get("/x", Self.answer("x"))
            routes.methodNotAllowed { exchange in
                let allowed = exchange.responseHeaders["allow"] ?? "nil"
                exchange.respond(.methodNotAllowed, contentType: "text/plain", "only \(allowed)")
            }
        }
        defer { routed.server.close() }
        let refused = routed.ask("DELETE", "/x")
        #expect(refused.status == 405 && refused["allow"] == "GET, HEAD, OPTIONS")
        #expect(refused.text == "only GET, HEAD, OPTIONS")
        #expect(routed.ask("OPTIONS", "/x").status == 204)
        #expect(routed.ask("DELETE", "/y").status == 404)
    }

    @Test("A group has its prefix, and its middleware from the outside in, around its OPTIONS too")
    func groups() throws {
        let routed = try Routed { routes in
            routes.group("/api/{version}", through: [{ Tag("outer", $0) }]) { api in
                api.group(through: [{ Tag("inner", $0) }]) { inner in
                    inner.get("/deep") { exchange in
                        exchange.respond(.ok, contentType: "text/plain", exchange.parameter("version") ?? "nil")
                    }
                }
                api.get("/flat", Self.answer("flat"))
            }
            routes.get("/outside", Self.answer("outside"))
        }
        defer { routed.server.close() }
        let deep = routed.ask("GET", "/api/2/deep")
        #expect(deep.text == "2")
        #expect(deep.fields.filter { $0.name == "x-tag" }.map(\.value) == ["outer", "inner"])
        #expect(routed.ask("GET", "/api/2/flat")["x-tag"] == "outer")
        #expect(routed.ask("OPTIONS", "/api/2/flat")["x-tag"] == "outer")
        #expect(routed.ask("GET", "/outside")["x-tag"] == nil)
    }
}

extension LiveTests {
    @Suite struct AsyncRouteTests {
        @Test func anAsyncClosureIsARoute() async throws {
            let live = try LiveServer.start { loop in
                Router(on: loop) { routes in
                    routes.get("/wait/{id}") { exchange in
                        try await loop.sleep(for: .milliseconds(1))
                        let text = "\(exchange.parameter("id") ?? "nil") \(loop.isCurrent)"
                        exchange.respond(.ok, contentType: "text/plain", text)
                    }
                }
            }
            #expect(try live.connect().get("/wait/7").text == "7 true")
            await live.server.stop(within: .zero)
        }
    }
}
