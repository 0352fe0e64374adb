/// How a server of Socket.IO behaves, and every bound that a client can reach, with its default.
///
/// ```swift
/// var options = SocketOptions()
/// options.origins = .list(["https://example.org"])
/// options.recovery = SocketRecoveryOptions()
/// ```
public struct SocketOptions: Sendable {
    public enum Transport: String, Sendable, Hashable {
        case polling
        case webSocket = "websocket"
    }

    /// Which pages may connect, by the `origin` that a browser sends. Who sends none is no browser, and is let in.
    public enum Origins: Sendable {
        /// Any page.
        case any
        /// Pages of the host and port that the request itself names.
        case sameHost
        /// Pages of these origins, each as a browser writes it: `https://example.org`.
        case list([String])
        /// Pages that the closure says yes to. Called on the loop.
        case check(@Sendable (_ origin: String) -> Bool)
    }

    // Who may connect, and how.

    public var transports: Set<Transport> = [.polling, .webSocket]
    public var origins = Origins.sameHost
    /// Whether pages of other origins that are let in may send cookies with long polling.
    public var allowsCredentials = false
    /// Whether WebSocket messages may be compressed.
    public var compressesWebSockets = false
    /// What brings state back to a client whose connection was lost; nil: nothing does.
    public var recovery: SocketRecoveryOptions?

    // Time.

    /// How often a client is asked whether it is there.
    public var pingInterval: Duration = .seconds(25)
    /// How long it has to answer. Then its session ends with `ping timeout`.
    public var pingTimeout: Duration = .seconds(20)
    /// How long an upgrade from long polling may take. Then its WebSocket is closed.
    public var upgradeTimeout: Duration = .seconds(10)
    /// How long a session that closes waits for the request that tells its client.
    public var closeTimeout: Duration = .seconds(30)
    /// How long a client may be in no namespace after its session began. Then the session is closed.
    public var connectTimeout: Duration = .seconds(45)

    // What a client sends.

    /// The body of a POST, or a WebSocket message, in bytes; clients are told. Past it 413, or 1009.
    public var maxPayload = 1_000_000
    /// Packets of one POST. Past it 400, and the session ends.
    public var maxPacketsPerPayload = 10_000
    /// Attachments of one packet. Past it the session ends with `parse error`.
    public var maxAttachments = 10
    /// A packet with its attachments, in bytes. Past it the session ends with `parse error`.
    public var maxPacketSize = 4_000_000
    /// Objects and arrays within each other. Past it the session ends with `parse error`.
    public var maxDepth = 32
    /// Values of one packet. Past it the session ends with `parse error`.
    public var maxValues = 100_000

    // What is kept for a client.

    /// Sessions of one loop. Past it 503.
    public var maxSessionsPerLoop = 100_000
    /// Namespaces that one session may be in. Past it a connect error.
    public var maxSocketsPerSession = 16
    /// Bytes that wait for a client that does not take them. Past it the session ends with `transport error`.
    public var maxBufferedBytes = 4 * 1024 * 1024
    /// Packets of one answer of long polling; the rest goes with the next. Clients of python-socketio take no more than 16.
    public var maxPacketsPerResponse = 16
    /// Acknowledgements that one socket owes. Past it the next is given up at once.
    public var maxPendingAcknowledgements = 1024
    /// Events to many whose acknowledgements one loop gathers at a time. Past it the next is given up at once.
    public var maxGatherings = 256
    /// What the receivers of one of these answer, in bytes. Past it answers are missing.
    public var maxGatheredBytes = 1024 * 1024
    /// Rooms of one socket, its own among them. Past it it is not let in.
    public var maxRoomsPerSocket = 1024

    // Between loops.

    /// Bytes on their way from one loop to another. Past it what a client sends is refused, and the rest waits.
    public var mailboxBytes = 4 * 1024 * 1024
    /// Bytes that wait for such a mailbox, for each loop. Past it they are lost.
    public var maxBacklogBytes = 64 * 1024 * 1024

    public init() {}
}

/// Connection state recovery: a client that comes back in time has its id, its rooms and its data again, and gets the
/// events that it missed.
public struct SocketRecoveryOptions: Sendable {
    /// How long a client may be away.
    public var maxDisconnection: Duration = .seconds(120)
    /// Whether a client that comes back passes by the middleware.
    public var skipsMiddleware = true
    /// Events that are kept of a namespace on a loop, in bytes. Past it the oldest are forgotten.
    public var maxBytes = 16 * 1024 * 1024
    /// Clients of a loop that are away. Past it the oldest are forgotten.
    public var maxSockets = 10_000

    public init() {}
}
