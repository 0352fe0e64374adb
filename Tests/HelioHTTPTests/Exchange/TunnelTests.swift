import HelioHTTP
import HeliographTesting
import Testing

@Suite("Tunnels over HTTP/2")
struct TunnelTests {
    private static func connect(_ fields: [(String, String)], stream: UInt32 = 1) -> [UInt8] {
        FrameBuilder.headers(stream: stream, [(":method", "CONNECT")] + fields, flags: FrameBuilder.endHeaders)
    }

    private static let webSocket = [
        (":protocol", "websocket"), (":scheme", "https"), (":path", "/ws"), (":authority", "localhost"),
    ]

    /// Sends back what comes, and ends when the peer does.
    private static func echo() -> RecordingHandler {
        let handler = RecordingHandler { $0.openTunnel() }
        handler.onBody = { $0.write($1) }
        handler.onEnd = { $0.finish() }
        return handler
    }

    @Test("An extended CONNECT opens a tunnel, both ways at once, and each side ends its own")
    func extendedConnect() {
        var seen: [String] = []
        let handler = Self.echo()
        handler.onRequest = { exchange in
            seen = [exchange.requestedProtocol ?? "-", exchange.path, exchange.authority]
            exchange.openTunnel()
        }
        let peer = RawPeer(handler: handler)
        peer.send(Self.connect(Self.webSocket))
        #expect(seen == ["websocket", "/ws", "localhost"])
        #expect(peer.isAnswered(1))
        peer.send(FrameBuilder.data(stream: 1, Array("ping".utf8)))
        #expect(peer.body(1) == Array("ping".utf8))
        #expect(handler.closed.isEmpty)
        peer.send(FrameBuilder.data(stream: 1, [], endsStream: true))
        #expect(handler.closed == [.finished])
        #expect(peer.reset(1) == nil)
        peer.leave()
    }

    @Test("A tunnel that we end first stays open for what the peer still sends")
    func halfClosed() {
        var received = 0
        let handler = RecordingHandler { exchange in
            exchange.openTunnel()
            exchange.write("bye")
            exchange.finish()
        }
        handler.onBody = { received += $1.count }
        let peer = RawPeer(handler: handler)
        peer.send(Self.connect(Self.webSocket))
        #expect(peer.reset(1) == nil)
        peer.send(FrameBuilder.data(stream: 1, [1, 2, 3]))
        #expect(received == 3)
        peer.send(FrameBuilder.data(stream: 1, [], endsStream: true))
        #expect(handler.closed == [.finished])
        peer.leave()
    }

    @Test("A plain CONNECT names a host and port and nothing else")
    func connect() {
        var seen: [String?] = []
        let handler = RecordingHandler { exchange in
            seen = [exchange.method.rawValue, exchange.authority, exchange.path, exchange.requestedProtocol]
            exchange.openTunnel()
        }
        let peer = RawPeer(handler: handler)
        peer.send(Self.connect([(":authority", "example.org:443")]))
        #expect(seen == ["CONNECT", "example.org:443", "", nil])
        #expect(peer.isAnswered(1))
        peer.leave()
    }

    @Test("A tunnel outlives the time in which a body must come")
    func noTimeout() {
        let handler = Self.echo()
        let peer = RawPeer(handler: handler, limits: limits { $0.bodyTimeout = .seconds(1) })
        peer.send(Self.connect(Self.webSocket))
        peer.advance(by: .seconds(3_600))
        #expect(handler.closed.isEmpty)
        peer.leave()
    }

    @Test("A request that asks for no protocol opens no tunnel")
    func noProtocol() {
        var opened: Bool?
        let peer = RawPeer(
            handler: RecordingHandler {
                opened = $0.openTunnel()
                $0.respond(.badRequest)
            })
        peer.get(1)
        #expect(opened == false)
        #expect(peer.isAnswered(1))
        peer.leave()
    }

    @Test("Where the listener does not allow it, :protocol is an error of the stream")
    func notAllowed() {
        var options = SessionOptions()
        options.allowsConnectProtocol = false
        let handler = Self.echo()
        let server = MemorySession(handler: handler, options: options)
        defer { server.close() }
        server.receive(FrameBuilder.preface + FrameBuilder.settings())
        server.receive(Self.connect(Self.webSocket))
        let frames = RawFrame.parse(server.output())
        #expect(frames.contains { $0.isType(.resetStream) && $0.number() == HTTP2ErrorCode.protocolError.rawValue })
        #expect(handler.requests == 0)
    }
}
