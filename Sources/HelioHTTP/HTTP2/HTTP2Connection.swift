/// An HTTP/2 connection as a whole: what concerns it beside its streams.
///
/// It may be kept after the end of the connection; then ``isOpen`` is false and what is asked of it is refused. Loop thread.
///
/// ```swift
/// exchange.http2?.ping { time in if let time { print("the peer is \(time) away") } }
/// ```
public struct HTTP2Connection: Hashable {
    /// Not held: a handler that keeps its connections would be kept by them.
    private weak var session: HTTP2Session?
    private let identity: ObjectIdentifier

    init(session: HTTP2Session) {
        self.session = session
        identity = ObjectIdentifier(session)
    }

    public static func == (left: HTTP2Connection, right: HTTP2Connection) -> Bool { left.identity == right.identity }

    public func hash(into hasher: inout Hasher) { hasher.combine(identity) }

    /// Whether there still is a connection.
    public var isOpen: Bool { session?.isOpen ?? false }

    // MARK: PING

    /// Sends PING and calls `done` on the loop with the time from its sending to its return, or with nil when the connection
    /// ended first (RFC 9113 section 6.7).
    ///
    /// - Returns: false, and `done` is not called, when the connection has ended or `Limits.maxUnansweredFrames` of them are
    ///   on their way.
    @discardableResult
    public func ping(_ done: @escaping (_ roundTrip: Duration?) -> Void) -> Bool { session?.ping(done) ?? false }

    /// As ``ping(_:)``, for async code: the time, or nil.
    nonisolated(nonsending) public func ping() async -> Duration? {
        await unsafe withUnsafeContinuation { continuation in
            if !ping({ unsafe continuation.resume(returning: $0) }) { unsafe continuation.resume(returning: nil) }
        }
    }

    // MARK: Settings

    /// What the peer goes by of what we have said: changes count once they are acknowledged. Nil after the end.
    public var localSettings: HTTP2Settings? { session?.settings(local: true) }
    /// What the peer has said; nil after the end.
    public var remoteSettings: HTTP2Settings? { session?.settings(local: false) }

    /// Tells the peer other settings.
    ///
    /// - Precondition: the values are in the ranges that `HTTP2Settings.Changes` gives.
    /// - Returns: false when the connection has ended, or the peer has left `Limits.maxUnansweredFrames` of ours
    ///   unacknowledged.
    @discardableResult
    public func updateSettings(_ changes: HTTP2Settings.Changes) -> Bool { session?.update(changes) ?? false }

    /// Changes the size of the connection's window, which bounds what the peer may have on its way to all handlers together;
    /// `Limits.connectionWindow` at first. A smaller one takes effect as the peer uses the larger one up.
    ///
    /// - Precondition: from 65,535 to 2^31-1 bytes.
    @discardableResult
    public func setReceiveWindow(_ size: Int) -> Bool { session?.setReceiveWindow(size) ?? false }

    // MARK: The end

    /// Says goodbye: no further streams are taken; those that are open, up to `lastStream`, finish, and then the connection
    /// is closed (RFC 9113 section 6.8).
    ///
    /// - Parameters:
    ///   - code: why.
    ///   - lastStream: streams after this one are reset with REFUSED_STREAM; nil is the last that a handler was given. An odd
    ///     number, or 0.
    ///   - data: up to 16,376 bytes for whoever debugs the peer.
    /// - Returns: false when the connection has ended or takes no streams already, or an argument is out of its range.
    @discardableResult
    public func goAway(_ code: HTTP2ErrorCode = .noError, lastStream: Int32? = nil, data: [UInt8] = []) -> Bool {
        session?.goAway(code, lastStream: lastStream, data: data) ?? false
    }

    // MARK: Other places

    /// Tells which origins the connection is good for (ORIGIN, RFC 8336), such as `https://static.example.com`. Clients heed
    /// it over TLS alone. An empty list: only that of the server's name.
    ///
    /// - Returns: false when the connection has ended, or they do not fit into a frame of 16 KiB.
    @discardableResult
    public func sendOrigins(_ origins: [String]) -> Bool { session?.sendOrigins(origins) ?? false }

    /// Tells of another place for an origin (ALTSVC, RFC 7838 section 4).
    ///
    /// - Parameters:
    ///   - value: as an `alt-svc` field has it, such as `h2="alt.example.com:443"; ma=3600`.
    ///   - origin: such as `https://example.com`.
    /// - Returns: false when the connection has ended, or it does not fit into a frame of 16 KiB.
    @discardableResult
    public func sendAlternativeService(_ value: String, origin: String) -> Bool {
        !origin.isEmpty && session?.sendAlternativeService(value, stream: 0, origin: origin) == true
    }

    /// As ``sendAlternativeService(_:origin:)``, for the origin of an exchange of this connection.
    @discardableResult
    public func sendAlternativeService(_ value: String, for exchange: Exchange) -> Bool {
        guard exchange.http2 == self, !exchange.isPushed else { return false }
        return session?.sendAlternativeService(value, stream: exchange.streamID, origin: "") ?? false
    }

    // MARK: Inspection

    /// The connection now; nil after its end.
    public var state: HTTP2ConnectionState? { session?.state }

    /// An exchange's stream now; nil after its end.
    public func state(of exchange: Exchange) -> HTTP2StreamState? {
        exchange.http2 == self ? session?.state(of: exchange) : nil
    }
}

extension Exchange {
    /// The HTTP/2 connection that carries the exchange; nil over HTTP/1.1, and after its end.
    public var http2: HTTP2Connection? { codec?.http2.map(\.connection) }
}
