/// The client's side of one connection, in one version of HTTP: exchanges and bytes in, events to their handlers and bytes out.
///
/// ``HTTPSession/close(_:)`` ends what is open with what ended the connection, where the session knows it better than the
/// reason that it is given.
public protocol ClientSession: HTTPSession {
    /// Exchanges that it would take now.
    var freeStreams: Int { get }
    /// Whether it takes none any more, however many end.
    var isExhausted: Bool { get }
    /// Whether it can carry another protocol (``ClientRequest/requestedProtocol``); nil while the server has not said so.
    var opensTunnels: Bool? { get }
    /// Exchanges that have come to their end on it, or nearly.
    var completedExchanges: Int { get }
    /// Sends the exchange's request. Only while ``freeStreams`` is above 0.
    ///
    /// - Returns: false when it takes none any more, and the exchange is still the caller's.
    func open(_ exchange: ClientExchange) -> Bool
}

/// Who gives a session its exchanges. Called on the loop's thread.
public protocol ClientSessionObserver: AnyObject {
    /// ``ClientSession/freeStreams`` or ``ClientSession/isExhausted`` may have changed. Not from within a handler's call that
    /// the session makes, but perhaps from within ``HTTPSession/receive(_:now:)`` or ``HTTPSession/drain(into:now:)``, when
    /// they are about to return.
    func sessionChanged()
    /// The session gives an exchange back that may be sent again on another connection.
    ///
    /// - Returns: false when it is not wanted, and the session ends it.
    func sessionReturns(_ exchange: ClientExchange) -> Bool
}

/// What a connection tells the session that it opens.
public struct ClientSessionOptions: Sendable {
    /// Whether the server may promise responses (SETTINGS_ENABLE_PUSH).
    public var acceptsPush = false

    public init() {}
}

/// The protocol side of a client's exchange.
protocol ClientExchangeCodec: AnyObject {
    var owner: any HTTPSessionOwner { get }
    /// There is more in the exchange's queue, or its end is known.
    func bodyAvailable(_ exchange: ClientExchange)
    /// `count` bytes were added to the exchange's queue. False: a limit is crossed and the exchange has been reset.
    func queued(_ exchange: ClientExchange, _ count: Int) -> Bool
    /// The handler has taken `count` bytes of the response's body.
    func consumed(_ exchange: ClientExchange, _ count: Int)
    /// Ends the stream for the server. The caller ends it for the handler.
    func reset(_ exchange: ClientExchange, _ code: HTTP2ErrorCode)
}
