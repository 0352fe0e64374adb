/// Why a client's exchange did not come to its end, and whose fault that is.
///
/// ```swift
/// func closed(_ exchange: ClientExchange, _ error: ClientError?) {
///     if let error, error.blame == .server { print("the server is broken: \(error)") }
/// }
/// ```
public enum ClientError: Error, Sendable, CustomStringConvertible {
    /// The request cannot be sent as it is; why.
    case invalidRequest(String)
    /// The program has ended it: ``ClientExchange/reset(_:)``, a cancelled task, a response that nobody reads any more.
    case cancelled
    /// The client has been stopped, or its loop has ended.
    case stopped
    /// The response's body is larger than the caller takes.
    case bodyTooLarge(limit: Int)
    /// No connection came about: the name, the network, or TLS. The error says which.
    case unreachable(any Error)
    /// The connection ended before the response was complete.
    case connectionLost
    /// The server reset the stream, with this code (RFC 9113 section 7).
    case reset(HTTP2ErrorCode)
    /// The server ended the connection with this code before it looked at the request, as often as it was sent.
    case refused(HTTP2ErrorCode)
    /// What the server sent is not HTTP; how.
    case malformed(String)
    /// The server opens no WebSocket; why.
    case webSocket(WebSocketHandshakeError)
    /// This limit was crossed: by the server, or, where it bounds what waits, by the program.
    case limit(LimitName)

    /// Who has to change something.
    public enum Blame: Hashable, Sendable {
        /// This program: the request, or how many there are.
        case caller
        /// The server.
        case server
        /// What lies between, or it cannot be told.
        case network
    }

    /// Whose fault it is, as far as this side can tell.
    public var blame: Blame {
        switch self {
        case .invalidRequest, .cancelled, .stopped, .bodyTooLarge: .caller
        case .unreachable, .connectionLost: .network
        case .reset, .refused, .malformed, .webSocket: .server
        case .limit(let name): Self.isOfCaller(name) ? .caller : .server
        }
    }

    private static func isOfCaller(_ limit: LimitName) -> Bool {
        limit == .queuedRequests || limit == .requestTimeout || limit == .queuedOutput
    }

    /// One line: what happened, and to do where it is known.
    public var description: String {
        switch self {
        case .invalidRequest(let reason): "the request cannot be sent: \(reason)"
        case .cancelled: "the request was cancelled"
        case .stopped: "the client has been stopped"
        case .bodyTooLarge(let limit): "the response's body is over \(limit) bytes"
        case .unreachable(let error): "\(error)"
        case .connectionLost: "the connection ended before the response was complete"
        case .reset(let code): "the server reset the stream with \(code)"
        case .refused(let code): "the server refused the request with \(code) before it looked at it; try again later"
        case .malformed(let reason): "the server's answer is not HTTP: \(reason)"
        case .webSocket(let error): "no WebSocket: \(error)"
        case .limit(let name): "the limit \(name.rawValue) was crossed"
        }
    }
}
