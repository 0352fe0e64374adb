/// The stream of bytes under a WebSocket: an ``Exchange`` that is a tunnel, or a client's stream.
///
/// It tells the WebSocket what happens to it by `receive`, `transportDrained`, `transportEnded` and `transportClosed`.
/// Everything on one thread.
public protocol WebSocketTransport: AnyObject {
    /// Sends a copy of the bytes.
    ///
    /// - Returns: false when more should wait for ``WebSocket/transportDrained()``, or nothing can be sent any more.
    func write(_ bytes: RawSpan) -> Bool
    /// As ``write(_:)-(RawSpan)``, without a copy.
    func write(_ bytes: [UInt8]) -> Bool
    /// Ends our side; the peer may go on.
    func finish() -> Bool
    /// Ends both sides at once.
    func reset(_ code: HTTP2ErrorCode)
    /// Lets no more come, within a bound, until ``resumeBody()``.
    func pauseBody()
    func resumeBody()
    /// Counts a limit that was crossed.
    func tripped(_ limit: LimitName)
}

extension Exchange: WebSocketTransport {
    public func tripped(_ limit: LimitName) { codec?.tripped(limit) }
}
