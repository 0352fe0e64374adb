/// A handler that wants to hear of what concerns a connection as a whole. Whether a server's handler is one is asked when
/// there is something to tell; handlers that are none pay nothing.
///
/// ```swift
/// final class Site: HTTP2ConnectionHandler {
///     func request(_ exchange: Exchange) { exchange.respond(.noContent) }
///     func goAwayReceived(_ connection: HTTP2Connection, _ goAway: HTTP2GoAway) { print("leaves: \(goAway.code)") }
/// }
/// ```
public protocol HTTP2ConnectionHandler: Handler {
    /// The peer's SETTINGS have come: ``HTTP2Connection/remoteSettings`` has them. The first come before any request.
    func settingsReceived(_ connection: HTTP2Connection)
    /// The peer follows our SETTINGS: ``HTTP2Connection/localSettings`` has them.
    func settingsAcknowledged(_ connection: HTTP2Connection)
    /// The peer takes no more pushes and is about to leave (RFC 9113 section 6.8).
    func goAwayReceived(_ connection: HTTP2Connection, _ goAway: HTTP2GoAway)
}

extension HTTP2ConnectionHandler {
    public func settingsReceived(_ connection: HTTP2Connection) {}
    public func settingsAcknowledged(_ connection: HTTP2Connection) {}
    public func goAwayReceived(_ connection: HTTP2Connection, _ goAway: HTTP2GoAway) {}
}

/// What a GOAWAY frame says (RFC 9113 section 6.8).
public struct HTTP2GoAway: Hashable, Sendable {
    /// The last stream of ours that the peer has looked at: a pushed one, or 0.
    public let lastStream: Int32
    public let code: HTTP2ErrorCode
    /// Any bytes, for the log: the peer's word, not to be trusted.
    public let data: [UInt8]
}
