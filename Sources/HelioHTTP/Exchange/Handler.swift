/// What an application plugs in: it answers requests, on the thread of the loop that carries them.
///
/// A handler is made once for each loop, so what it holds needs no lock. Every method runs synchronously on the loop's
/// thread and must not block it. A handler that needs state for each exchange hands the exchange to an object of its
/// own by ``Exchange/hand(to:)``.
///
/// ```swift
/// final class Echo: Handler {
///     func request(_ exchange: Exchange) { exchange.start(.ok) }
///     func body(_ exchange: Exchange, _ chunk: RawSpan) { if !exchange.write(chunk) { exchange.pauseBody() } }
///     func drained(_ exchange: Exchange) { exchange.resumeBody() }
///     func end(_ exchange: Exchange) { exchange.finish() }
/// }
/// ```
public protocol Handler: AnyObject {
    /// The request's head has arrived; its body, if any, follows.
    func request(_ exchange: Exchange)
    /// A piece of the request's body. The span is valid for the call only; when the call returns, the peer may send as
    /// many bytes more (unless the handler paused the body: ``Exchange/pauseBody()``).
    func body(_ exchange: Exchange, _ chunk: RawSpan)
    /// The request is complete; ``Exchange/trailers`` is set if there were any.
    func end(_ exchange: Exchange)
    /// The response's queue has fallen below the low-water mark after a `write` had answered false.
    func drained(_ exchange: Exchange)
    /// The exchange has ended. The last call for it, and the only one that always comes.
    func closed(_ exchange: Exchange, _ reason: CloseReason)
}

extension Handler {
    public func body(_ exchange: Exchange, _ chunk: RawSpan) {}
    public func end(_ exchange: Exchange) {}
    public func drained(_ exchange: Exchange) {}
    public func closed(_ exchange: Exchange, _ reason: CloseReason) {}
}

/// Why an exchange has ended.
public enum CloseReason: Hashable, Sendable {
    /// Request and response are complete.
    case finished
    /// The stream was reset, by the peer or by us.
    case reset(HTTP2ErrorCode)
    /// The connection ended under it.
    case connectionLost
    /// The peer crossed this limit; the exchange was ended on its account.
    case limit(LimitName)
    /// The server stops and its deadline has passed.
    case shutdown
}
