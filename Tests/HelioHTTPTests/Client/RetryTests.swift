import HelioHTTP
import HeliographTesting
import Testing

/// What a client may send again, and what it must not.
@Suite struct RetryTests {
    private let preface = FrameBuilder.settings() + FrameBuilder.frame(.settings, flags: FrameBuilder.ack)
    private let goaway = FrameBuilder.frame(.goaway, [0, 0, 0, 1, 0, 0, 0, 0])

    @Test func whatAGoawayLeavesOutComesBackAndTheRestFinishes() {
        let client = MemoryClient()
        let first = RecordingClientHandler()
        let second = RecordingClientHandler()
        client.get("/", first)
        client.get("/again", second)
        _ = client.output()
        client.receive(preface + goaway)
        #expect(client.returned.count == 1)
        #expect(client.session.freeStreams == 0 && client.session.isExhausted)
        client.receive(FrameBuilder.headers(stream: 1, [(":status", "204")]))
        #expect(first.error.name == "none")
        // Another connection takes it, body and all.
        let other = MemoryClient(resources: client.resources)
        #expect(other.session.open(client.returned[0]))
        let server = MemorySession(handler: hello())
        other.exchange(with: server)
        #expect(second.text == "Hello, World!")
        client.close()
        other.leave()
        server.close()
    }

    @Test func aBodyGivenWholeIsSentAgainFromItsBeginning() {
        let client = MemoryClient()
        let handler = RecordingClientHandler()
        client.send(ClientRequest(.post, authority: "localhost", body: Array("payload".utf8)), to: handler)
        #expect(String(decoding: client.output(), as: UTF8.self).contains("payload"))
        client.receive(preface + FrameBuilder.reset(stream: 1, code: 7))
        let other = MemoryClient(resources: client.resources)
        #expect(other.session.open(client.returned[0]))
        let server = MemorySession(handler: Echo())
        other.exchange(with: server)
        #expect(handler.text == "payload")
        client.close()
        other.leave()
        server.close()
    }

    @Test func aStreamedBodyThatHasBegunIsNotSentAgain() {
        let client = MemoryClient()
        let handler = RecordingClientHandler()
        let exchange = client.send(ClientRequest(.post, authority: "localhost"), to: handler, isStreamed: true)
        exchange.write("begun")
        _ = client.output()
        client.receive(preface + FrameBuilder.reset(stream: 1, code: 7))
        #expect(client.returned.isEmpty)
        #expect(handler.error.name == "refused REFUSED_STREAM")
        client.leave()
    }

    @Test func aServerThatRefusesForEverIsBelievedInTheEnd() {
        var limits = ClientLimits()
        limits.maxRetries = 2
        let resources = HTTP2ClientResources(HTTPClientResources(limits: limits))
        let handler = RecordingClientHandler()
        var exchange: ClientExchange?
        for _ in 0..<3 {
            let client = MemoryClient(resources: resources)
            if let exchange { #expect(client.session.open(exchange)) } else { client.get("/", handler) }
            _ = client.output()
            client.receive(preface + FrameBuilder.reset(stream: 1, code: 7))
            exchange = client.returned.first
            client.leave()
        }
        #expect(exchange == nil)
        #expect(handler.error.name == "refused REFUSED_STREAM")
    }

    @Test(arguments: [(Method.get, true), (.put, true), (.post, false), (.patch, false)])
    func aUsedConnectionThatIsLostGivesBackWhatIsIdempotent(method: Method, comesBack: Bool) {
        let client = MemoryClient()
        client.get("/", RecordingClientHandler())
        _ = client.output()
        client.receive(preface + FrameBuilder.headers(stream: 1, [(":status", "204")]))
        let handler = RecordingClientHandler()
        client.send(ClientRequest(method, authority: "localhost"), to: handler)
        _ = client.output()
        client.close()
        #expect((client.returned.count == 1) == comesBack)
        if !comesBack { #expect(handler.error.name == "connection lost") }
        client.returned.first?.reset()
        client.leave()
    }

    @Test func aResponseThatHasBegunIsNotAskedForAgain() {
        let client = MemoryClient()
        client.get("/", RecordingClientHandler())
        let handler = RecordingClientHandler()
        client.get("/", handler)
        _ = client.output()
        client.receive(preface + FrameBuilder.headers(stream: 1, [(":status", "204")]))
        client.receive(FrameBuilder.headers(stream: 3, [(":status", "200")], flags: FrameBuilder.endHeaders))
        client.close()
        #expect(client.returned.isEmpty)
        #expect(handler.error.name == "connection lost")
        client.leave()
    }
}
