import FuzzSupport
import HelioHTTP
import HeliographTesting

/// A WebSocket of the server over HTTP/2, whose peer sends any bytes.
enum EndpointRun {
    static func compare(_ choices: inout Choices) {
        let flags = choices.byte()
        let seed = choices.byte()
        let bytes = flags & 8 == 0 ? choices.rest() : Frames.make(&choices)
        let whole = run(bytes, Cuts(0), flags)
        let cut = run(bytes, Cuts(seed), flags)
        check(whole == cut, "a cut changes what is heard: \(whole), not \(cut)")
    }

    private static func run(_ bytes: [UInt8], _ cuts: Cuts, _ flags: UInt8) -> [String] {
        var options = WebSocketOptions()
        if flags & 1 != 0 { options.compression = WebSocketCompressionOptions() }
        options.deliversPieces = flags & 2 != 0
        if flags & 4 != 0 {
            options.maxMessageSize = 64
            options.maxFragments = 3
        }
        let listener = Listener()
        let server = MemorySession(handler: Acceptor(options, listener))
        server.receive(
            FrameBuilder.preface + FrameBuilder.settings([(id: 4, value: 1 << 30)])
                + FrameBuilder.windowUpdate(stream: 0, by: 1 << 30)
                + FrameBuilder.request(
                    stream: 1, method: "CONNECT",
                    [
                        (":protocol", "websocket"), ("sec-websocket-version", "13"),
                        ("sec-websocket-extensions", "permessage-deflate"),
                    ], endsStream: false))
        _ = server.output()
        check(listener.isOpen, "it was not accepted")
        var cuts = cuts
        for piece in cuts.pieces(of: bytes) {
            // As a well-behaved peer sends it: in frames of no more than it may.
            for start in stride(from: 0, to: piece.count, by: 16_384) {
                server.receive(FrameBuilder.data(stream: 1, Array(piece[start..<min(start + 16_384, piece.count)])))
                _ = server.output()
            }
        }
        server.receive(FrameBuilder.data(stream: 1, [], endsStream: true))
        _ = server.output()
        for _ in 0..<4 {
            server.advance(by: .seconds(100))
            _ = server.output()
        }
        server.close()
        check(!listener.isOpen, "it has not been told of its end")
        check(server.webSockets?.openCount == 0, "it is still open")
        check(server.resources.liveBlocks == 0, "blocks of nghttp2's are left")
        return listener.heard
    }
}

private final class Acceptor: Handler {
    private let options: WebSocketOptions
    private let listener: Listener

    init(_ options: WebSocketOptions, _ listener: Listener) {
        self.options = options
        self.listener = listener
    }

    func request(_ exchange: Exchange) { _ = exchange.acceptWebSocket(options, handler: listener) }
}

/// Writes down what it hears, and answers messages with themselves.
private final class Listener: WebSocketHandler {
    private(set) var heard: [String] = []
    private(set) var isOpen = false
    private var open: [UInt8] = []

    func opened(_ webSocket: WebSocket) { isOpen = true }

    func message(_ webSocket: WebSocket, _ message: RawSpan, _ kind: WebSocketKind) {
        check(isOpen, "a message after the end")
        let bytes = message.withUnsafeBytes { Array($0) }
        check(kind != .text || String(validating: bytes, as: UTF8.self) != nil, "a text is none")
        heard.append("\(kind) \(bytes)")
        if !webSocket.send(message, kind) { webSocket.pause() }
    }

    func piece(_ webSocket: WebSocket, _ piece: RawSpan, _ kind: WebSocketKind, isLast: Bool) {
        check(isOpen, "a piece after the end")
        piece.withUnsafeBytes { open += $0 }
        guard isLast else { return }
        check(kind != .text || String(validating: open, as: UTF8.self) != nil, "a text is none")
        heard.append("\(kind) \(open)")
        open = []
    }

    func drained(_ webSocket: WebSocket) { webSocket.resume() }

    func closed(_ webSocket: WebSocket, _ code: WebSocketCloseCode, _ reason: String, wasClean: Bool) {
        check(isOpen, "two ends")
        isOpen = false
        heard.append("closed \(code) \(reason) \(wasClean)")
    }
}
