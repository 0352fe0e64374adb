/// The request that a session began with.
public struct SocketHandshake: Sendable {
    /// Fields by their names in lower case; of those that came more than once, the first.
    public var headers: [String: String] = [:]
    /// The parameters of the query.
    public var query: [String: String] = [:]
    /// The session began as a WebSocket.
    public var isWebSocket = false
    public var isHTTP2 = false
    /// The address that it came from; empty when that is not known.
    public var peerHost = ""

    public init() {}
}
