/// One request and its response, over any version of HTTP.
///
/// An exchange belongs to its loop: it is not `Sendable`, and all of it is used on the loop's thread. It may be kept
/// after its end (an async handler does); then what it is asked to send is refused, and what waits throws
/// ``ExchangeError/closed(_:)``.
@safe public final class Exchange {
    // What the codec knows it by.
    var codec: (any ExchangeCodec)?
    var streamID: Int32 = 0
    /// Its place in the session's list of open exchanges.
    var slot = -1
    var state: State = []
    var closeReason: CloseReason = .finished

    // The request.
    var requestFields = HeaderBlock()
    var trailerFields: HeaderBlock?
    var requestMethod = Method.get
    var carriedBy = HTTPVersion.http2
    var targetSlice = HeaderBlock.Slice()
    /// `:protocol` (RFC 8441), or the one that `upgrade` names.
    var protocolSlice = HeaderBlock.Slice()
    var schemeSlice = HeaderBlock.Slice()
    var authoritySlice = HeaderBlock.Slice()
    var pathLength = 0
    var pathParameters = PathParameters()
    var headerListSize = 0
    /// What a PRIORITY_UPDATE or the handler has said, packed.
    var prioritySignal = Exchange.noPriority
    /// Body bytes that the handler has not taken.
    @Unguarded var inbound = BodyQueue()
    /// Bytes that the handler has given back: they precede those of `inbound`, and the peer knows them taken.
    @Unguarded var returned: [UInt8] = []
    var bodyTimeout: UInt64?
    /// When the body last made progress that the handler was ready for; 0: from the next look at the clock.
    var bodyProgress: UInt64 = 0

    /// When the request's head had come.
    var headTime: UInt64 = 0

    // The response.
    let responseFields = HeaderBlock()
    /// 0: it is not settled.
    var statusCode: UInt16 = 0
    var bodyBytesSent = 0
    var responseTrailers: HeaderBlock?
    @Unguarded var queue = BodyQueue()
    /// What the body is read from, in place of the queue.
    var source: (any BodySource)?
    /// When the peer last took some of the queue; 0: from the next look at the clock.
    var sendProgress: UInt64 = 0
    /// Bytes of the queue that count against the connection's `maxQueuedOutput`.
    var countedOutput = 0

    // Who hears of it.
    var receiver: any Handler { didSet { receiverIdentity = ObjectIdentifier(receiver) } }
    /// Who that is, to be compared without being counted.
    private(set) var receiverIdentity: ObjectIdentifier
    @Unguarded var collector: BodyCollector? = nil
    var producer: ((Exchange) -> Bool)?
    var waiters: ExchangeWaiters?
    /// Who watches it, the first to begin in front.
    @Unguarded var observers: [any ExchangeObserver] = []
    var encoder: (any ContentEncoder)?
    /// Bytes that the handler has written, before they are encoded.
    var writtenBytes = 0

    struct State: OptionSet {
        let rawValue: UInt32
        /// The handler has been given the request, and will be told of the end.
        static let delivered = State(rawValue: 1 << 0)
        /// The peer has sent all of the request.
        static let requestEnded = State(rawValue: 1 << 1)
        /// The handler has been told so.
        static let endDelivered = State(rawValue: 1 << 2)
        /// The handler takes no body now.
        static let paused = State(rawValue: 1 << 3)
        /// It stands on the list of those to be told `drained`.
        static let drainListed = State(rawValue: 1 << 4)
        static let responseStarted = State(rawValue: 1 << 5)
        static let responseFinished = State(rawValue: 1 << 6)
        /// The response has no body, whatever the handler writes (HEAD, 204, 304).
        static let bodiless = State(rawValue: 1 << 7)
        /// The codec waits for ``ExchangeCodec/bodyAvailable(_:)``.
        static let starved = State(rawValue: 1 << 8)
        /// A write has answered false, and `drained` is owed.
        static let overHighWater = State(rawValue: 1 << 9)
        /// The handler is done with it: nothing that it does reaches the peer.
        static let closed = State(rawValue: 1 << 10)
        static let headTooLarge = State(rawValue: 1 << 11)
        static let tooManyFields = State(rawValue: 1 << 12)
        /// An async reader pulls the body: nothing is delivered by events.
        static let pulled = State(rawValue: 1 << 13)
        /// The peer has been sent the end of the response.
        static let responseSent = State(rawValue: 1 << 14)
        /// Nothing can be added to the response's head any more.
        static let headSettled = State(rawValue: 1 << 15)
        /// The peer holds its body back until it is sent 100 (RFC 9110 section 10.1.1).
        static let expectsContinue = State(rawValue: 1 << 16)
        /// Both bodies are raw bytes of another protocol.
        static let tunnel = State(rawValue: 1 << 17)
        /// The handler has set its priority.
        static let prioritized = State(rawValue: 1 << 18)
        /// A field is named `cookie`; more than one is.
        static let cookie = State(rawValue: 1 << 19)
        static let cookieInPieces = State(rawValue: 1 << 20)
    }

    init(receiver: any Handler) {
        self.receiver = receiver
        receiverIdentity = ObjectIdentifier(receiver)
    }

    deinit {
        inbound.deallocate()
        queue.deallocate()
        _inbound.deallocate()
        _returned.deallocate()
        _queue.deallocate()
        _collector.deallocate()
        _observers.deallocate()
    }

    // MARK: The request

    /// The stream's identifier: odd numbers over HTTP/2, unique within the connection.
    public var id: Int32 { streamID }
    public var method: Method { requestMethod }
    /// The version that carries it, or carried it.
    public var version: HTTPVersion { carriedBy }
    /// When the request's head had come: nanoseconds of the loop's clock.
    public var receivedAt: UInt64 { headTime }
    /// The request target as it was sent: path and query.
    public var target: String { requestFields.string(targetSlice) }
    /// The target up to `?`, not percent-decoded.
    public var path: String { requestFields.string(pathSlice) }
    /// What follows `?` in the target, or nil.
    public var query: String? {
        guard pathLength < Int(targetSlice.length) else { return nil }
        let length = targetSlice.length - UInt32(pathLength) - 1
        return requestFields.string(.init(offset: targetSlice.offset + UInt32(pathLength) + 1, length: length))
    }
    /// `https` or `http`.
    public var scheme: String { requestFields.string(schemeSlice) }
    /// The host and port that the client asked (`:authority`, else `host`); empty when it named none.
    public var authority: String {
        authoritySlice.isPresent ? requestFields.string(authoritySlice) : requestFields["host"] ?? ""
    }
    /// The request's fields, without pseudo-header fields.
    public var headers: HeaderBlock { requestFields }
    /// The fields that came after the body; nil when none did, or not yet.
    public var trailers: HeaderBlock? { trailerFields }

    /// Whether the path is exactly this. Allocates nothing.
    public func pathIs(_ path: String) -> Bool { requestFields.slice(pathSlice, equals: path) }

    /// Whether the path ends with this. Allocates nothing.
    public func pathHasSuffix(_ suffix: String) -> Bool {
        let count = suffix.utf8.count
        return count <= pathLength
            && requestFields.slice(
                .init(offset: targetSlice.offset + UInt32(pathLength - count), length: UInt32(count)), equals: suffix)
    }

    /// Whether the path starts with this. Allocates nothing.
    public func pathHasPrefix(_ prefix: String) -> Bool {
        prefix.utf8.count <= pathLength
            && requestFields.slice(
                .init(offset: targetSlice.offset, length: UInt32(prefix.utf8.count)), equals: prefix)
    }

    private var pathSlice: HeaderBlock.Slice { .init(offset: targetSlice.offset, length: UInt32(pathLength)) }

    /// The request has ended, successfully or not, and nothing can be sent any more.
    public var isClosed: Bool { state.contains(.closed) || codec == nil }
    /// All of the request has been received.
    public var isRequestComplete: Bool { state.contains(.requestEnded) }
    /// A response has begun: its status is settled.
    public var isResponseStarted: Bool { state.contains(.responseStarted) }
    /// The response's status, once it is settled.
    public var responseStatus: Status? { statusCode == 0 ? nil : Status(rawValue: statusCode) }
    /// Bytes of the response's body that the peer has been sent; as they went, encoded where they were.
    public var sentBytes: Int { bodyBytesSent }
    /// Bytes of the response that wait for the peer.
    public var queuedBytes: Int { queue.count }

    /// Counts a crossing of a limit that the handler has set itself.
    public func count(_ limit: LimitName) { codec?.tripped(limit) }

    /// The connection that carries the exchange, or nil after its end. What it is depends on who owns the session.
    public var owner: (any HTTPSessionOwner)? { codec?.owner }

    // MARK: Who hears of it

    /// The handler that gets the events of this exchange from now on. After the end, one that does nothing.
    public var handler: any Handler {
        get { receiver }
        set { receiver = newValue }
    }

    /// Gives the exchange to another handler, which gets `request` now and all events from now on.
    ///
    /// A per-exchange object keeps state this way: `exchange.hand(to: Upload())`.
    public func hand(to handler: any Handler) {
        receiver = handler
        handler.request(self)
    }
}
