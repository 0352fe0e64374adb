import HelioHTTP
import HeliographTesting
import Testing

@Suite struct ClientExchangeTests {
    @Test(arguments: [1, 2, 3, 7, 9, 100, Int.max])
    func aRequestGetsItsResponseInAnyCut(cut: Int) {
        let server = MemorySession(handler: hello())
        let client = MemoryClient()
        let handler = RecordingClientHandler()
        client.get("/hello?x=1", handler)
        client.exchange(with: server, cut: cut)
        #expect(handler.status == 200)
        #expect(handler.text == "Hello, World!")
        #expect(handler.fields.contains { $0 == ("content-type", "text/plain") })
        #expect(handler.events == ["response", "body", "end", "closed"])
        client.leave()
        server.close()
    }

    @Test func whatSessionsShareGoesWithThemThoughExchangesAreKeptForReuse() {
        let server = MemorySession(handler: hello())
        weak var shared: HTTPClientResources?
        do {
            let client = MemoryClient()
            shared = client.shared
            client.get("/hello", RecordingClientHandler())
            client.exchange(with: server)
            client.leave()
        }
        #expect(shared == nil)
        server.close()
    }

    @Test func theServerSeesTheRequestAsItWasMade() throws {
        var seen: [String] = []
        let server = MemorySession(
            handler: RecordingHandler { exchange in
                seen = [
                    exchange.method.rawValue, exchange.scheme, exchange.authority, exchange.target,
                    exchange.headers["x-one"] ?? "", exchange.headers["host"] ?? "none",
                    exchange.headers["connection"] ?? "none", exchange.headers["content-length"] ?? "none",
                ]
                exchange.respond(.ok)
            })
        let client = MemoryClient()
        var request = try ClientRequest(.put, "https://Example.org:8443/a?b=c#d")
        request.headers = [("x-one", "1\r\n2"), ("connection", "close"), ("host", "other")]
        request.body = [1, 2, 3]
        client.send(request, to: RecordingClientHandler())
        client.exchange(with: server)
        #expect(seen == ["PUT", "https", "Example.org:8443", "/a?b=c", "1  2", "none", "none", "3"])
        client.leave()
        server.close()
    }

    @Test func aBodyIsStreamedWithBackpressureAndComesBack() {
        let server = MemorySession(handler: Echo())
        let client = MemoryClient()
        let handler = RecordingClientHandler()
        let piece = [UInt8](repeating: 7, count: 10_000)
        var left = 100
        let send: (ClientExchange) -> Void = { exchange in
            while left > 0 {
                left -= 1
                if !exchange.write(piece) { return }
            }
            exchange.finish()
        }
        handler.onDrained = send
        let exchange = client.send(
            ClientRequest(.post, authority: "localhost", target: "/echo"), to: handler, isStreamed: true)
        send(exchange)
        #expect(left > 0)
        client.exchange(with: server)
        #expect(left == 0)
        #expect(handler.received.count == 1_000_000)
        #expect(handler.ends == 1 && handler.error == nil)
        client.leave()
        server.close()
    }

    @Test func trailersGoBothWays() {
        let echo = RecordingHandler { $0.start(.ok) }
        echo.onEnd = { $0.finish(trailers: [("x-sum", $0.trailers?["x-in"] ?? "none")]) }
        let server = MemorySession(handler: echo)
        let client = MemoryClient()
        let handler = RecordingClientHandler()
        let exchange = client.send(
            ClientRequest(.post, authority: "localhost"), to: handler, isStreamed: true)
        exchange.write("data")
        exchange.finish(trailers: [("x-in", "42")])
        client.exchange(with: server)
        #expect(handler.trailers.map(\.value) == ["42"])
        client.leave()
        server.close()
    }

    @Test func informationalResponsesComeBeforeTheFinalOne() {
        let server = MemorySession(
            handler: RecordingHandler { exchange in
                exchange.sendInformational(.earlyHints, headers: [("link", "</style.css>")])
                exchange.respond(.ok)
            })
        let client = MemoryClient()
        let handler = RecordingClientHandler()
        client.get("/", handler)
        client.exchange(with: server)
        #expect(handler.informational == [103])
        #expect(handler.status == 200)
        #expect(!handler.fields.contains { $0.name == "link" })
        client.leave()
        server.close()
    }

    /// All of the body has come and the stream is over: who has paused still gets the rest, then the end.
    @Test func aPausedBodyIsKeptPastTheEndOfItsStream() {
        let server = MemorySession(handler: hello())
        let client = MemoryClient()
        let handler = RecordingClientHandler()
        handler.onResponse = { $0.pauseBody() }
        let exchange = client.get("/", handler)
        client.exchange(with: server)
        #expect(handler.events == ["response"])
        #expect(client.session.openStreams == 0)
        exchange.resumeBody()
        #expect(handler.events == ["response", "body", "end", "closed"])
        #expect(handler.text == "Hello, World!")
        client.leave()
        server.close()
    }

    @Test func aPausedHandlerHoldsTheServerBackAtOneWindow() {
        var limits = ClientLimits()
        limits.streamWindow = 65_535
        let server = MemorySession(
            handler: RecordingHandler { exchange in
                exchange.respond(.ok, contentType: "text/plain", bytes: [UInt8](repeating: 1, count: 1_000_000))
            })
        let client = MemoryClient(limits: limits)
        let handler = RecordingClientHandler()
        handler.onBody = { $0.pauseBody() }
        let exchange = client.get("/", handler)
        client.exchange(with: server)
        #expect(handler.received.count < 65_535)
        // Another exchange of the connection goes on.
        let other = RecordingClientHandler()
        client.get("/", other)
        client.exchange(with: server)
        #expect(other.received.count == 1_000_000)
        handler.onBody = { _ in }
        exchange.resumeBody()
        client.exchange(with: server)
        #expect(handler.received.count == 1_000_000)
        #expect(handler.events.last == "closed")
        client.leave()
        server.close()
    }

    @Test func aResetEndsTheExchangeAtOnceForBothSides() {
        let log = RecordingHandler { $0.start(.ok) }
        let server = MemorySession(handler: log)
        let client = MemoryClient()
        let handler = RecordingClientHandler()
        let exchange = client.get("/", handler)
        client.exchange(with: server)
        exchange.reset()
        #expect(handler.error.name == "cancelled")
        #expect(!exchange.write("x"))
        client.exchange(with: server)
        #expect(log.closed == [.reset(.cancel)])
        client.leave()
        server.close()
    }

    /// nghttp2 has the request in its queue only.
    @Test func aRequestThatWasNeverSentIsCancelledWithoutATrace() {
        let log = hello()
        let server = MemorySession(handler: log)
        let client = MemoryClient()
        let handler = RecordingClientHandler()
        client.get("/", handler).reset()
        client.exchange(with: server)
        #expect(handler.error.name == "cancelled")
        #expect(log.requests == 0)
        #expect(client.session.openStreams == 0)
        client.leave()
        server.close()
    }

    @Test func anExchangeInSteadyStateIsRecycled() {
        let server = MemorySession(handler: hello())
        let client = MemoryClient()
        var identities: Set<ObjectIdentifier> = []
        for _ in 0..<20 {
            let handler = RecordingClientHandler()
            identities.insert(ObjectIdentifier(client.get("/", handler)))
            client.exchange(with: server)
            #expect(handler.text == "Hello, World!")
        }
        #expect(identities.count == 1)
        client.leave()
        server.close()
    }

    @Test func aHundredStreamsShareAConnection() {
        let server = MemorySession(handler: hello())
        let client = MemoryClient()
        client.exchange(with: server)
        let handlers = (0..<100).map { _ in RecordingClientHandler() }
        for handler in handlers { client.get("/", handler) }
        #expect(client.session.freeStreams == 0)
        client.exchange(with: server)
        #expect(handlers.allSatisfy { $0.text == "Hello, World!" && $0.error == nil })
        #expect(client.session.freeStreams == 100)
        #expect(client.changes > 0)
        client.leave()
        server.close()
    }

    @Test func theServersNumberOfStreamsIsKept() {
        let server = MemorySession(handler: hello(), limits: limits { $0.maxConcurrentStreams = 3 })
        let client = MemoryClient()
        client.exchange(with: server)
        #expect(client.session.freeStreams == 3)
        client.leave()
        server.close()
    }
}
