/// Who gets a response, as events on the thread of the loop that carries it.
///
/// One handler serves any number of exchanges. Every method runs synchronously on the loop's thread and must not block it.
///
/// ```swift
/// final class Sum: ClientHandler {
///     var bytes = 0
///     func response(_ exchange: ClientExchange) { print(exchange.status) }
///     func body(_ exchange: ClientExchange, _ chunk: RawSpan) { bytes += chunk.byteCount }
///     func closed(_ exchange: ClientExchange, _ error: ClientError?) { print(error?.description ?? "\(bytes) bytes") }
/// }
/// ```
public protocol ClientHandler: AnyObject {
    /// The response's head has come; its body, if any, follows.
    func response(_ exchange: ClientExchange)
    /// A piece of the response's body. The span is valid for the call only; when the call returns, the server may send as many
    /// bytes more (unless the handler paused the body: ``ClientExchange/pauseBody()``).
    func body(_ exchange: ClientExchange, _ chunk: RawSpan)
    /// The response is complete; ``ClientExchange/trailers`` is set if there were any.
    func end(_ exchange: ClientExchange)
    /// The request's queue has fallen below the low-water mark after a `write` had answered false.
    func drained(_ exchange: ClientExchange)
    /// A response of a status 1xx has come ahead of the final one. The fields are valid for the call only.
    func informational(_ exchange: ClientExchange, _ status: Status, _ headers: HeaderBlock)
    /// The server promises a response to a request that nobody made (RFC 9113 section 8.4): `promised` has that request.
    ///
    /// - Returns: who gets it, or nil to refuse it.
    func pushed(_ exchange: ClientExchange, _ promised: ClientExchange) -> (any ClientHandler)?
    /// The exchange has ended: with nil, request and response are complete. The last call for it, and the only one that always
    /// comes.
    func closed(_ exchange: ClientExchange, _ error: ClientError?)
}

extension ClientHandler {
    public func response(_ exchange: ClientExchange) {}
    public func body(_ exchange: ClientExchange, _ chunk: RawSpan) {}
    public func end(_ exchange: ClientExchange) {}
    public func drained(_ exchange: ClientExchange) {}
    public func informational(_ exchange: ClientExchange, _ status: Status, _ headers: HeaderBlock) {}
    public func pushed(_ exchange: ClientExchange, _ promised: ClientExchange) -> (any ClientHandler)? { nil }
}

/// The receiver of exchanges that wait in the pool, and of those whose reader pulls.
final class NobodyClientHandler: ClientHandler {
    func closed(_ exchange: ClientExchange, _ error: ClientError?) {}
}
