import HelioHTTP
import HeliographTesting
import Testing

@Suite("Responses ahead of the final one")
struct InformationalTests {
    @Test("103 with its fields comes before the final response")
    func earlyHints() {
        let handler = RecordingHandler { exchange in
            #expect(exchange.sendInformational(.earlyHints, headers: [("link", "</a.css>; rel=preload")]))
            exchange.respond(.ok, contentType: "text/plain", "x")
            #expect(!exchange.sendInformational(.earlyHints))
        }
        let server = MemorySession(handler: handler)
        defer { server.close() }
        let client = TestClient()
        let stream = client.request("GET", "/")
        server.exchange(with: client)
        #expect(client[stream].informational.map(\.status) == [103])
        #expect(client[stream].informational.first?.fields.first?.value == "</a.css>; rel=preload")
        #expect(client[stream].status == 200)
        #expect(client[stream].text == "x")
    }

    @Test("A body that waits for 100 is asked for when the handler takes it")
    func continues() {
        var kept: Exchange?
        let handler = RecordingHandler { exchange in
            exchange.pauseBody()
            kept = exchange
        }
        handler.onEnd = { $0.respond(.ok) }
        let server = MemorySession(handler: handler)
        defer { server.close() }
        let client = TestClient()
        let stream = client.request("POST", "/", [("expect", "100-continue")], isOpen: true)
        server.exchange(with: client)
        #expect(client[stream].informational.isEmpty)
        kept?.resumeBody()
        kept = nil
        server.exchange(with: client)
        #expect(client[stream].informational.map(\.status) == [100])
        client.send([1], on: stream, finished: true)
        server.exchange(with: client)
        #expect(client[stream].status == 200)
    }

    @Test("A request that is refused at once is not told to go on")
    func refused() {
        let handler = RecordingHandler { $0.respond(.forbidden) }
        let server = MemorySession(handler: handler)
        defer { server.close() }
        let client = TestClient()
        let stream = client.request("POST", "/", [("expect", "100-continue")], isOpen: true)
        server.exchange(with: client)
        #expect(client[stream].informational.isEmpty)
        #expect(client[stream].status == 403)
    }

    @Test("A response that begins before its body has come asks for the body first")
    func continuesWithinResponse() {
        let server = MemorySession(handler: Echo())
        defer { server.close() }
        let client = TestClient()
        let stream = client.request("POST", "/", [("expect", "100-continue")], isOpen: true)
        server.exchange(with: client)
        #expect(client[stream].informational.map(\.status) == [100])
        #expect(client[stream].status == 200)
        client.send(Array("body".utf8), on: stream, finished: true)
        server.exchange(with: client)
        #expect(client[stream].text == "body")
    }
}
