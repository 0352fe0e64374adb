/// The server's side of one connection, in one version of HTTP: bytes in, events to handlers and bytes out.
///
/// It sees no descriptor and no clock: `now` is nanoseconds of any monotonic clock. One thread.
public protocol HTTPSession: AnyObject {
    /// Takes what the peer has sent; calls handlers.
    ///
    /// - Parameter bytes: any bytes in any cut; read within the call. None: it goes on with what it has kept.
    func receive(_ bytes: UnsafeRawBufferPointer, now: UInt64)
    /// Writes what is due to the peer.
    ///
    /// - Parameter region: at least 64 KiB.
    /// - Returns: the number of bytes written.
    func drain(into region: UnsafeMutableRawBufferPointer, now: UInt64) -> Int
    /// After a drain: has `send` send the source whose bytes are next, where ``SessionOptions/passesSources`` leaves it to the
    /// owner.
    ///
    /// - Parameter send: answers how many bytes it has sent, and nil when the peer takes none now.
    func passSource(now: UInt64, _ send: (any BodySource, Exchange) -> BodyRead?)
    /// Whether a drain is due.
    var wantsDrain: Bool { get }
    /// Whether it takes no more input for now. Who owns it then reads no more, until
    /// ``HTTPSessionOwner/sessionWantsInput()`` is called.
    var isInputPaused: Bool { get }
    /// The peer has ended its side of the connection, and sends no more. Called once or more often.
    ///
    /// - Returns: whether there is still something to be sent that the peer may want: else the connection is closed at once.
    func endInput(now: UInt64) -> Bool
    /// Whether all is said: nothing more is read or written, and the connection may be closed.
    var isFinished: Bool { get }
    /// Whether it has finished in the middle of a response: the peer must not take the end of the connection for the
    /// response's.
    var endsAbruptly: Bool { get }
    /// Exchanges that are open now.
    var openStreams: Int { get }
    /// When ``expire(now:)`` is next due, in nanoseconds; `UInt64.max`: never, as things stand.
    func nextDeadline(now: UInt64) -> UInt64
    /// The shortest time from an event that starts a timeout to its end; nanoseconds.
    var shortestTimeout: UInt64 { get }
    /// Ends what has taken too long.
    func expire(now: UInt64)
    /// Lets open exchanges finish and admits no others.
    func beginShutdown(now: UInt64)
    /// Ends all exchanges and frees what the session holds. The connection is gone, or is about to be. Not from within a
    /// handler.
    func close(_ reason: CloseReason)
}

extension HTTPSession {
    /// A side of a connection that ends takes the other one along.
    public func endInput(now: UInt64) -> Bool { false }
    /// Streams have ends of their own.
    public var endsAbruptly: Bool { false }
}

/// What owns a session: the connection. Called on the loop's thread.
public protocol HTTPSessionOwner: AnyObject {
    /// The session has output: ``HTTPSession/drain(into:now:)`` is due at the end of this iteration. Called once until
    /// the next drain.
    func sessionNeedsDrain()
    /// The session takes input again, after ``HTTPSession/isInputPaused``: ``HTTPSession/receive(_:now:)`` is due, in a turn
    /// of its own, with what there is or with nothing.
    func sessionWantsInput()
    /// What the WebSockets of its loop share; nil for an owner that has none.
    var webSockets: WebSocketResources? { get }
}

extension HTTPSession {
    /// Nothing, for a version whose frames lie between the bytes.
    public func passSource(now: UInt64, _ send: (any BodySource, Exchange) -> BodyRead?) {}
}

extension HTTPSessionOwner {
    /// For an owner of HTTP/2 sessions alone: they never pause.
    public func sessionWantsInput() {}
    /// For an owner without WebSockets.
    public var webSockets: WebSocketResources? { nil }
}

/// What a listener tells each session that it opens.
public struct SessionOptions: Sendable {
    /// Whether TLS protects the connection: then the scheme of an HTTP/1.1 request is `https`.
    public var isSecure = false
    /// Whether a stream may be opened as a WebSocket over HTTP/2 (RFC 8441, SETTINGS_ENABLE_CONNECT_PROTOCOL).
    public var allowsConnectProtocol = true
    /// Whether the owner sends sources that let it (``BodySource/isPassable``) itself, by sendfile(2) say: the drain stops in
    /// front of them.
    public var passesSources = false
    /// What an HTTP/2 connection is good for beside the name that the client came by, such as
    /// `https://static.example.com`: told in an ORIGIN frame at the start (RFC 8336).
    public var origins: [String] = []
    /// Other places for origins: told in ALTSVC frames at the start of an HTTP/2 connection (RFC 7838 section 4).
    public var alternativeServices: [AlternativeService] = []

    /// Another place for an origin.
    public struct AlternativeService: Hashable, Sendable {
        /// Such as `https://example.com`.
        public var origin: String
        /// As an `alt-svc` field has it, such as `h2="alt.example.com:443"; ma=3600`.
        public var value: String

        public init(origin: String, value: String) {
            self.origin = origin
            self.value = value
        }
    }

    public init() {}
}
