import HelioHTTP
import HeliographTesting
import Testing

/// A stream between two WebSockets in memory: what one writes the other gets when it is pumped.
final class Pipe: WebSocketTransport {
    private(set) var written: [UInt8] = []
    private(set) var isFinished = false
    private(set) var isReset = false
    private(set) var isPaused = false
    private(set) var tripped: [LimitName] = []

    func write(_ bytes: RawSpan) -> Bool {
        unsafe bytes.withUnsafeBytes { unsafe written.append(contentsOf: $0) }
        return true
    }
    func write(_ bytes: [UInt8]) -> Bool {
        written += bytes
        return true
    }
    func finish() -> Bool {
        defer { isFinished = true }
        return !isFinished
    }
    func reset(_ code: HTTP2ErrorCode) { isReset = true }
    func pauseBody() { isPaused = true }
    func resumeBody() { isPaused = false }
    func tripped(_ limit: LimitName) { tripped.append(limit) }

    func take() -> [UInt8] {
        defer { written = [] }
        return written
    }
}

@Suite("A WebSocket at the client's end")
final class WebSocketClientTests {
    private let clock = ManualClock()
    private let toServer = Pipe()
    private let toClient = Pipe()
    private let server = EchoWebSocket()
    private let client = Collector()
    private let ends: [WebSocket]
    private let resources: WebSocketResources

    final class Collector: WebSocketHandler {
        var texts: [String] = []
        var closed: [EchoWebSocket.Closed] = []
        func message(_ webSocket: WebSocket, _ message: RawSpan, _ kind: WebSocketKind) {
            texts.append(unsafe message.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) })
        }
        func closed(_ webSocket: WebSocket, _ code: WebSocketCloseCode, _ reason: String, wasClean: Bool) {
            closed.append(.init(code: code, reason: reason, wasClean: wasClean))
        }
    }

    init() {
        resources = MemoryWebSockets.resources(on: clock)
        var options = WebSocketOptions()
        options.compression = WebSocketCompressionOptions()
        ends = [
            WebSocket(
                role: .client, transport: toServer, options: options, compression: WebSocketCompressionParameters(),
                resources: resources, handler: client),
            WebSocket(
                role: .server, transport: toClient, options: options, compression: WebSocketCompressionParameters(),
                resources: resources, handler: server),
        ]
        for end in ends { end.start() }
    }

    deinit { for end in ends { end.transportClosed() } }

    /// Passes bytes both ways, in pieces.
    private func pump(cut: Int = Int.max) {
        while !toServer.written.isEmpty || !toClient.written.isEmpty {
            for (from, to) in [(toServer, ends[1]), (toClient, ends[0])] {
                var bytes = from.take()[...]
                while !bytes.isEmpty {
                    unsafe to.receive(Array(bytes.prefix(cut)).span.bytes)
                    bytes = bytes.dropFirst(cut)
                }
            }
        }
    }

    @Test("What it sends is masked, and understood", arguments: [1, 7, Int.max])
    func masked(_ cut: Int) {
        let texts = ["", "hi", String(repeating: "é", count: 100), String(repeating: "x", count: 70_000)]
        for text in texts { ends[0].send(text) }
        #expect(toServer.written[1] & 0x80 != 0)
        ends[0].send(PreparedWebSocketMessage("prepared"))
        pump(cut: cut)
        #expect(client.texts == texts + ["prepared"])
    }

    @Test("Two messages alike are masked differently")
    func keys() {
        ends[0].send("the same")
        let first = toServer.take()
        ends[0].send("the same")
        #expect(first != toServer.take())
    }

    @Test("It closes, is answered, and leaves the end of the stream to the server")
    func closes() {
        ends[0].close(.goingAway, reason: "away")
        pump()
        #expect(server.closed == [.init(code: .goingAway, reason: "away", wasClean: true)])
        #expect(client.closed == [.init(code: .goingAway, wasClean: true)])
        #expect(toClient.isFinished && !toServer.isFinished)
        ends[0].transportEnded()
        #expect(toServer.isFinished)
    }

    @Test("A server that does not end the stream is not waited for")
    func closeTimeout() {
        ends[1].close()
        pump()
        #expect(client.closed == [.init(code: .normal, wasClean: true)])
        clock.advance(by: .seconds(6))
        resources.expire(now: clock.now)
        #expect(toServer.isReset)
        #expect(toServer.tripped == [.webSocketCloseTimeout])
    }

    @Test("A masked frame from a server is a fault")
    func maskedServer() {
        unsafe ends[0].receive([0x81, 0x80, 0, 0, 0, 0].span.bytes)
        #expect(client.closed.map(\.code) == [.protocolError])
        #expect(toServer.isFinished)
    }
}
