import HelioHTTP
import HeliographTesting
import Testing

/// A client of a WebSocket over HTTP/2 (RFC 8441) that sends frames as the test wants them, and keeps what it gets.
final class WebSocketPeer {
    let server: MemorySession
    private let client: TestClient
    private let stream: Int32
    private var taken = 0
    /// The server's end of it, if it was accepted.
    private(set) var webSocket: WebSocket?
    private var serializer = WebSocketSerializer(role: .client)
    private var parser: WebSocketParser
    private var read = 0
    private var open: [UInt8] = []
    private(set) var heard: [Heard] = []

    /// A message or control frame, with what it was.
    struct Heard: Equatable, CustomStringConvertible {
        var opcode: WebSocketOpcode
        var isCompressed = false
        var payload: [UInt8]

        static func text(_ text: String) -> Heard { Heard(opcode: .text, payload: Array(text.utf8)) }
        static func binary(_ bytes: [UInt8]) -> Heard { Heard(opcode: .binary, payload: bytes) }
        static func close(_ code: WebSocketCloseCode?, _ reason: String = "") -> Heard {
            let bytes = code.map { [UInt8($0.rawValue >> 8), UInt8(truncatingIfNeeded: $0.rawValue)] } ?? []
            return Heard(opcode: .close, payload: bytes + Array(reason.utf8))
        }
        var description: String {
            "\(opcode) \(String(decoding: payload.prefix(40), as: UTF8.self)) (\(payload.count))"
        }
    }

    /// Opens a WebSocket that is accepted with these options.
    ///
    /// - Parameter window: what the server may send before the client takes it by ``take()``; nil for no such bound.
    init(
        _ handler: (any WebSocketHandler)? = EchoWebSocket(), fields: [(String, String)] = [],
        limits: Limits = Limits(), window: UInt32? = nil, _ change: (inout WebSocketOptions) -> Void = { _ in }
    ) {
        var options = WebSocketOptions()
        change(&options)
        let accepted = options
        parser = WebSocketParser(
            role: .client, allowsCompression: options.compression != nil, maxMessageSize: 1 << 24, maxFragments: 1000)
        let server = RecordingHandler { _ in }
        self.server = MemorySession(handler: server, limits: limits)
        client = TestClient(streamWindow: window ?? 65_535, automaticWindowUpdates: window == nil)
        let version = fields.contains { $0.0 == "sec-websocket-version" } ? [] : [("sec-websocket-version", "13")]
        var made: WebSocket?
        server.onRequest = { made = $0.acceptWebSocket(accepted, handler: handler) }
        stream = client.request(
            "CONNECT", "/ws", [(":protocol", "websocket")] + version + fields, isOpen: true)
        settle()
        webSocket = made
    }

    func send(
        _ opcode: WebSocketOpcode, _ payload: [UInt8], isFinal: Bool = true, isCompressed: Bool = false
    ) {
        sendBytes(serializer.frame(opcode, isFinal: isFinal, isCompressed: isCompressed, payload))
    }

    func send(_ text: String) { send(.text, Array(text.utf8)) }

    func frame(_ opcode: WebSocketOpcode, _ payload: [UInt8], isFinal: Bool = true) -> [UInt8] {
        serializer.frame(opcode, isFinal: isFinal, isCompressed: false, payload)
    }

    /// Bytes of the stream. The server gets them, with their frames, in pieces of so many.
    func sendBytes(_ bytes: [UInt8], cut: Int = Int.max) {
        client.send(bytes, on: stream)
        settle(cut: cut)
    }

    /// The end of the client's side.
    func end() {
        client.send([], on: stream, finished: true)
        settle()
    }

    /// Opens the window by all that came.
    func take() {
        let count = client[stream].body.count - taken
        taken += count
        client.consume(stream: stream, count)
        settle()
    }

    func advance(by duration: Duration) {
        server.advance(by: duration)
        settle()
    }

    /// Bytes that the server has not let it send.
    var unsent: Int { client.unsent(on: stream) }

    var answer: TestClient.Response { client[stream] }

    func tripped(_ limit: LimitName) -> Int {
        server.resources.shared.counterSnapshot().limitsTripped[limit] ?? 0
    }

    /// Ends the connection; nothing may be left.
    func leave(sourceLocation: SourceLocation = #_sourceLocation) {
        server.close()
        #expect(server.webSockets?.openCount == 0, sourceLocation: sourceLocation)
        #expect(server.resources.liveBlocks == 0, sourceLocation: sourceLocation)
    }

    func settle(cut: Int = Int.max) {
        server.exchange(with: client, cut: cut)
        listen()
    }

    private func listen() {
        guard client[stream].status == 200 else { return }
        let bytes = Array(client[stream].body[read...])
        read += bytes.count
        var position = 0
        while let piece = try? parser.next(of: bytes, from: &position) {
            if piece.opcode.rawValue >= 8 {
                heard.append(Heard(opcode: piece.opcode, payload: Array(bytes[piece.range])))
                continue
            }
            open += bytes[piece.range]
            guard piece.isLast else { continue }
            heard.append(Heard(opcode: piece.opcode, isCompressed: piece.isCompressed, payload: open))
            open = []
        }
    }
}

/// Answers each message with itself.
final class EchoWebSocket: WebSocketHandler {
    private(set) var closed: [Closed] = []
    private(set) var pongs: [Duration] = []
    var onMessage: (WebSocket, String) -> Void = { _, _ in }
    var onOpened: (WebSocket) -> Void = { _ in }

    struct Closed: Equatable {
        var code: WebSocketCloseCode
        var reason = ""
        var wasClean = false
    }

    func opened(_ webSocket: WebSocket) { onOpened(webSocket) }

    func message(_ webSocket: WebSocket, _ message: RawSpan, _ kind: WebSocketKind) {
        onMessage(webSocket, unsafe message.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) })
        if !webSocket.send(message, kind) { webSocket.pause() }
    }

    func drained(_ webSocket: WebSocket) { webSocket.resume() }
    func pong(_ webSocket: WebSocket, roundTrip: Duration) { pongs.append(roundTrip) }
    func closed(_ webSocket: WebSocket, _ code: WebSocketCloseCode, _ reason: String, wasClean: Bool) {
        closed.append(Closed(code: code, reason: reason, wasClean: wasClean))
    }
}
