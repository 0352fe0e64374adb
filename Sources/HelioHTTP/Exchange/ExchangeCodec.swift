/// The protocol side of an exchange: what a session of any HTTP version does for one.
protocol ExchangeCodec: AnyObject {
    var owner: any HTTPSessionOwner { get }
    var limits: Limits { get }
    /// The session, where it is of HTTP/2.
    var http2: HTTP2Session? { get }
    var version: HTTPVersion { get }
    /// Sends a response of a status 1xx, which another follows.
    func submitInformational(_ exchange: Exchange, status: Status, _ fields: HeaderBlock)
    /// Sends the head that stands in `exchange.responseFields`. `endsStream`: nothing follows.
    func submitHead(_ exchange: Exchange, status: Status, endsStream: Bool)
    /// There is more in the exchange's queue, or its end is known.
    func bodyAvailable(_ exchange: Exchange)
    /// `count` bytes were added to the exchange's queue. False: a limit is crossed and the exchange has been reset.
    func queued(_ exchange: Exchange, _ count: Int) -> Bool
    /// The handler has taken `count` bytes of the request's body.
    func consumed(_ exchange: Exchange, _ count: Int)
    /// Answers with a bare status, on behalf of the server: the handler is done with the exchange.
    func answer(_ exchange: Exchange, _ status: Status)
    /// Resets the stream. `forFaultOfPeer`: it counts against the peer's `inducedResetRate`.
    func reset(_ exchange: Exchange, _ code: HTTP2ErrorCode, forFaultOfPeer: Bool)
    /// Counts a limit that the exchange itself watches.
    func tripped(_ limit: LimitName)
}

extension ExchangeCodec {
    var http2: HTTP2Session? { nil }
}
