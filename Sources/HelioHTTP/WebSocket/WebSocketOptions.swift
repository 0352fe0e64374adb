/// How a WebSocket is accepted, and its bounds.
///
/// ```swift
/// var options = WebSocketOptions()
/// options.subprotocols = ["chat.v2", "chat.v1"]
/// options.compression = WebSocketCompressionOptions()
/// options.maxMessageSize = 64 * 1024
/// ```
public struct WebSocketOptions: Sendable {
    /// The subprotocols that are spoken. The client's first that is among them is chosen; when none is, none is named, and
    /// the client may go.
    public var subprotocols: [String] = []
    /// Which pages may open it.
    public var origins = WebSocketOrigins.sameHost
    /// Whether messages may be compressed (permessage-deflate, RFC 7692), and how. Nil: not at all.
    public var compression: WebSocketCompressionOptions?
    /// The largest message that is taken, decompressed, over all of its fragments. In bytes. Past it 1009.
    public var maxMessageSize = 1024 * 1024
    /// Frames that a message may come in. Past it 1008.
    public var maxFragments = 4096
    /// After how long a silence of the peer's it is sent a ping; nil: never. The silence is noticed within twice that time.
    public var pingInterval: Duration? = .seconds(30)
    /// How long the peer may stay silent after such a ping. Then the stream is reset, and the code is 1006.
    public var pongTimeout: Duration = .seconds(20)
    /// How long the peer has to answer a close frame, and to end its side of the stream. Then the stream is reset.
    public var closeTimeout: Duration = .seconds(5)
    /// Whether the handler gets messages by pieces, as they come, in ``WebSocketHandler/piece(_:_:_:isLast:)``, and not whole.
    /// A compressed one is still gathered before.
    public var deliversPieces = false

    public init() {}
}

/// Which pages may open a WebSocket, by the `origin` that a browser sends (RFC 6455 section 10.2). Browsers let any page
/// open one to any server, with the server's cookies. Who sends no `origin` is no browser, and is let in.
public enum WebSocketOrigins: Sendable {
    /// Any page.
    case any
    /// Pages of the host and port that the request itself names.
    case sameHost
    /// Pages of these origins, each as a browser writes it: `https://example.org`, with a port that is not the default.
    case list([String])
    /// Pages that the closure says yes to. Called on the loop, with what the `origin` field has.
    case check(@Sendable (_ origin: String) -> Bool)

    func allow(_ origin: String, authority: String) -> Bool {
        switch self {
        case .any: return true
        case .list(let origins): return origins.contains(origin)
        case .check(let isAllowed): return isAllowed(origin)
        case .sameHost:
            // The two are compared as they were sent: neither names the default port of its scheme (RFC 6454 section 6.2).
            guard let host = origin.split(separator: "://", maxSplits: 1).last, host.count < origin.count else {
                return false
            }
            return !authority.isEmpty && host.lowercased() == authority.lowercased()
        }
    }
}

/// How messages are compressed.
public struct WebSocketCompressionOptions: Sendable, Hashable {
    /// 1 (fastest) to 9 (smallest).
    public var level = 6
    /// Smaller messages are sent as they are; in bytes.
    public var threshold = 256
    /// Whether each side keeps what it has sent, for the next message to refer to, if the peer does too. It compresses
    /// small messages better and costs each WebSocket some 270 KiB for its whole life; without, it costs nothing.
    public var keepsContext = false
    /// The logarithm of the window's size, 9 to 15.
    public var windowBits = 15

    public init() {}
}
