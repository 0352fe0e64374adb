import Heliograph
import SignalingCore

/// A session over a WebSocket: each message is JSON in a text.
final class WebSocketStream: WebSocketHandler, StreamSink {
    static let subprotocol = "signal.v1.json"

    let version: String
    let connection: String?
    private let stream: DuplexStream
    private var webSocket: WebSocket?

    init(_ service: LoopService, _ exchange: Exchange, _ credential: [UInt8]?) {
        version = exchange.version == .http2 ? "2" : "1.1"
        connection = service.name(of: exchange)
        stream = DuplexStream(service, exchange, credential: credential)
    }

    static func options(_ limits: ServiceLimits) -> WebSocketOptions {
        var options = WebSocketOptions()
        options.subprotocols = [subprotocol]
        options.maxMessageSize = limits.messageSize
        options.pingInterval = limits.pingInterval
        return options
    }

    // MARK: From the client

    func opened(_ webSocket: WebSocket) {
        self.webSocket = webSocket
        stream.open(.websocket, self)
    }

    func message(_ webSocket: WebSocket, _ message: RawSpan, _ kind: WebSocketKind) {
        guard kind == .text else {
            return stream.refuse(.unsupportedMediaType, "a message is a text, not binary")
        }
        stream.take(unsafe message.withUnsafeBytes { unsafe Array($0) })
    }

    func drained(_ webSocket: WebSocket) { stream.drained() }

    func closed(_ webSocket: WebSocket, _ code: WebSocketCloseCode, _ reason: String, wasClean: Bool) {
        stream.closed()
        self.webSocket = nil
    }

    // MARK: From the node

    var queuedBytes: Int { 0 }

    func write(_ bytes: [UInt8]) -> Bool {
        unsafe bytes.withUnsafeBytes { unsafe webSocket?.send($0.bytes, .text) } ?? false
    }

    func end(_ reason: StreamEnd) {
        webSocket?.close(WebSocketCloseCode(rawValue: reason.code), reason: reason.name)
    }

    func pause() { webSocket?.pause() }
    func resume() { webSocket?.resume() }
}

extension HeaderBlock {
    /// What a browser, which cannot set fields, offers beside the subprotocol: `bearer.` and its token.
    var subprotocolToken: [UInt8]? {
        let prefix = "bearer."
        return subprotocols.first { $0.hasPrefix(prefix) }.map { Array($0.utf8.dropFirst(prefix.utf8.count)) }
    }

    var subprotocols: [String] {
        (self["sec-websocket-protocol"] ?? "").split(separator: ",").map { text in
            String(text.drop { $0 == " " }.prefix { $0 != " " })
        }
    }
}
