import HelioHTTP
import HeliographTesting
import Testing

@Suite("Requests over HTTP/2")
struct RequestTests {
    @Test("A request is answered with status, type, length and body")
    func hello() {
        let server = MemorySession(handler: HelioHTTPTests.hello())
        defer { server.close() }
        let client = TestClient()
        let stream = client.request("GET", "/hello")
        server.exchange(with: client)
        #expect(client[stream].status == 200)
        #expect(client[stream]["content-type"] == "text/plain")
        #expect(client[stream]["content-length"] == "13")
        #expect(client[stream].text == "Hello, World!")
        #expect(client[stream].closeCode == 0)
        #expect(client[stream].fields.count == 2)
    }

    @Test("The head tells method, path, query, authority, scheme and fields")
    func head() {
        var seen: [String] = []
        let handler = RecordingHandler { exchange in
            seen = [
                exchange.method.rawValue, exchange.path, exchange.query ?? "-", exchange.authority, exchange.scheme,
                exchange.headers["x-a"] ?? "-", exchange.headers["x-b"] ?? "-", exchange.target,
            ]
            exchange.respond(.noContent)
        }
        let server = MemorySession(handler: handler)
        defer { server.close() }
        let client = TestClient()
        let stream = client.request("DELETE", "/a/b?c=d&e", [("x-a", "1"), ("x-b", "")])
        server.exchange(with: client)
        #expect(seen == ["DELETE", "/a/b", "c=d&e", "localhost", "https", "1", "", "/a/b?c=d&e"])
        #expect(client[stream].status == 204)
        #expect(client[stream].fields.isEmpty)
    }

    @Test("Two hundred streams at once are all answered, and leave nothing behind")
    func multiplexing() {
        var limits = Limits()
        limits.maxConcurrentStreams = 200
        let handler = RecordingHandler { $0.respond(.ok, contentType: "text/plain", $0.path) }
        let server = MemorySession(handler: handler, limits: limits)
        let client = TestClient()
        let streams = (0..<200).map { client.request("GET", "/\($0)") }
        server.exchange(with: client)
        for (index, stream) in streams.enumerated() { #expect(client[stream].text == "/\(index)") }
        #expect(handler.closed == Array(repeating: .finished, count: 200))
        #expect(server.session.openStreams == 0)
        server.close()
        #expect(server.resources.liveBlocks == 0)
    }

    @Test("A HEAD is answered without a body, with the length that a GET would have")
    func headHasNoBody() {
        let server = MemorySession(handler: HelioHTTPTests.hello())
        defer { server.close() }
        let client = TestClient()
        let stream = client.request("HEAD", "/")
        server.exchange(with: client)
        #expect(client[stream]["content-length"] == "13")
        #expect(client[stream].body.isEmpty)
        #expect(client[stream].isComplete)
    }

    @Test("A body is echoed as it comes, across both windows", arguments: [0, 1, 1000, 65_535, 1_000_000])
    func echo(size: Int) {
        let echo = Echo()
        let server = MemorySession(handler: echo)
        defer { server.close() }
        let client = TestClient()
        let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let stream = client.request("POST", "/echo", body: body)
        server.exchange(with: client)
        #expect(client[stream].body == body)
        #expect(client[stream].isComplete)
        #expect(echo.closed == [.finished])
    }

    @Test("Bytes cut anywhere give the same events", arguments: [1, 2, 3, 7, 8, 9, 10, 13, 64, 1000])
    func cuts(cut: Int) {
        let echo = Echo()
        let server = MemorySession(handler: echo)
        defer { server.close() }
        let client = TestClient()
        let body = (0..<40_000).map { UInt8(truncatingIfNeeded: $0) }
        let first = client.request("POST", "/1", [("x-long", String(repeating: "v", count: 5000))], body: body)
        let second = client.request("POST", "/2", body: body)
        server.exchange(with: client, cut: cut)
        #expect(client[first].body == body)
        #expect(client[second].body == body)
        #expect(echo.closed == [.finished, .finished])
    }

    @Test("A header block in CONTINUATION frames is one block, wherever it is cut")
    func continuations() {
        let block = FrameBuilder.headerBlock([
            (":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/"), ("x-name", "value"),
        ])
        for cut in 1..<block.count {
            var value: String?
            let handler = RecordingHandler {
                value = $0.headers["x-name"]
                $0.respond(.ok)
            }
            let server = MemorySession(handler: handler)
            server.receive(FrameBuilder.preface + FrameBuilder.settings())
            server.receive(
                FrameBuilder.frame(.headers, flags: FrameBuilder.endStream, stream: 1, Array(block[..<cut]))
                    + FrameBuilder.frame(
                        .continuation, flags: FrameBuilder.endHeaders, stream: 1, Array(block[cut...])))
            #expect(value == "value", "cut at \(cut)")
            server.close()
        }
    }

    @Test("Trailers come and go")
    func trailers() {
        var received: String?
        let handler = RecordingHandler { _ in }
        handler.onEnd = { exchange in
            received = exchange.trailers?["x-sum"]
            exchange.start(.ok)
            exchange.write("body")
            exchange.finish(trailers: [("x-checksum", "abc")])
        }
        let server = MemorySession(handler: handler)
        defer { server.close() }
        let client = TestClient()
        let stream = client.request("POST", "/", isOpen: true)
        client.send([1, 2, 3], on: stream, trailers: [("x-sum", "6")])
        server.exchange(with: client)
        #expect(received == "6")
        #expect(client[stream].trailers.map(\.name) == ["x-checksum"])
        #expect(client[stream].trailers.map(\.value) == ["abc"])
        #expect(client[stream].text == "body")
    }

    @Test("A response that ends before its request is followed by RST_STREAM(NO_ERROR)")
    func earlyResponse() {
        let handler = HelioHTTPTests.hello()
        let server = MemorySession(handler: handler)
        defer { server.close() }
        let client = TestClient()
        let stream = client.request("POST", "/", isOpen: true)
        server.exchange(with: client)
        #expect(client[stream].text == "Hello, World!")
        #expect(client[stream].resetCode == 0)
        #expect(handler.closed == [.finished])
    }

    @Test("A peer's reset reaches the handler")
    func peerResets() {
        let handler = RecordingHandler { $0.start(.ok) }
        let server = MemorySession(handler: handler)
        defer { server.close() }
        let client = TestClient()
        let stream = client.request("GET", "/")
        server.exchange(with: client)
        client.reset(stream, code: 8)
        server.exchange(with: client)
        #expect(handler.closed == [.reset(.cancel)])
        #expect(server.session.openStreams == 0)
    }

    @Test("The end of the connection reaches every handler, and what comes after is refused")
    func connectionLost() {
        var kept: [Exchange] = []
        let handler = RecordingHandler { kept.append($0) }
        let server = MemorySession(handler: handler)
        let client = TestClient()
        for _ in 0..<5 { client.request("GET", "/") }
        server.exchange(with: client)
        server.close()
        #expect(handler.closed == Array(repeating: .connectionLost, count: 5))
        for exchange in kept { #expect(!exchange.respond(.ok)) }
        #expect(server.resources.liveBlocks == 0)
    }

    @Test("A handler resets its stream")
    func handlerResets() {
        let handler = RecordingHandler { $0.reset(.http11Required) }
        let server = MemorySession(handler: handler)
        defer { server.close() }
        let client = TestClient()
        let stream = client.request("GET", "/")
        server.exchange(with: client)
        #expect(client[stream].resetCode == 0xd)
        #expect(handler.closed == [.reset(.http11Required)])
    }

    @Test("A value that holds line ends cannot make a second field")
    func headerInjection() {
        let handler = RecordingHandler {
            $0.addHeader("x-a", " one\r\nx-b: two\0\t")
            $0.respond(.ok)
        }
        let server = MemorySession(handler: handler)
        defer { server.close() }
        let client = TestClient()
        let stream = client.request("GET", "/")
        server.exchange(with: client)
        #expect(client[stream]["x-a"] == "one  x-b: two")
        #expect(client[stream]["x-b"] == nil)
    }
}
