/// One request of a client and its response, over any version of HTTP.
///
/// An exchange belongs to its loop: it is not `Sendable`, and all of it is used on the loop's thread. It may be kept after its
/// end; then what it is asked to send is refused, and what waits throws the error that it ended with.
@safe public final class ClientExchange {
    /// What it shares with its loop's others; nil while it waits to be used again, as those that wait are held there.
    var home: HTTPClientResources?
    // What the codec knows it by; nil while it waits for a connection, and after its end.
    var codec: (any ClientExchangeCodec)?
    var streamID: Int32 = 0
    /// Its place in the session's list of open exchanges.
    var slot = -1
    var state: State = []
    var failure: ClientError?
    /// How often it has been given to a connection.
    var attempts = 0

    // The request.
    let requestFields = HeaderBlock()
    var requestMethod = Method.get
    var methodSlice = HeaderBlock.Slice()
    var schemeSlice = HeaderBlock.Slice()
    var authoritySlice = HeaderBlock.Slice()
    var targetSlice = HeaderBlock.Slice()
    var protocolSlice = HeaderBlock.Slice()
    var requestTrailers: HeaderBlock?
    /// A body that was given whole, to be sent again where the server has not looked at the first one.
    var wholeBody: [UInt8]?
    @Unguarded var queue = BodyQueue()
    var bodyBytesSent = 0
    /// When the server last took some of the request; 0: from the next look at the clock.
    var sendProgress: UInt64 = 0
    /// Bytes of the queue that count against the connection's `maxQueuedOutput`.
    var countedOutput = 0
    /// When all of it has to be over; `UInt64.max`: never.
    var deadline = UInt64.max
    /// When it has to have found a connection, while it waits for one.
    var queuedUntil = UInt64.max

    // The response.
    var responseFields = HeaderBlock()
    var trailerFields: HeaderBlock?
    var statusCode: UInt16 = 0
    var carriedBy = HTTPVersion.http2
    var headerListSize = 0
    var informationalCount = 0
    @Unguarded var inbound = BodyQueue()
    var bodyTimeout: UInt64?
    /// When the body last made progress that the handler was ready for; 0: from the next look at the clock.
    var bodyProgress: UInt64 = 0

    // Who hears of it.
    var receiver: any ClientHandler
    var waiters: ExchangeWaiters?

    struct State: OptionSet {
        let rawValue: UInt32
        /// The final response's head has come, and the handler was told.
        static let responded = State(rawValue: 1 << 0)
        /// The server has sent all of the response.
        static let responseEnded = State(rawValue: 1 << 1)
        /// The handler has been told so.
        static let endDelivered = State(rawValue: 1 << 2)
        /// The handler takes no body now.
        static let paused = State(rawValue: 1 << 3)
        /// It stands on the list of those to be told `drained`.
        static let drainListed = State(rawValue: 1 << 4)
        /// Nothing more is written.
        static let requestFinished = State(rawValue: 1 << 5)
        /// The server has been sent the end of the request.
        static let requestSent = State(rawValue: 1 << 6)
        /// The codec waits for ``ClientExchangeCodec/bodyAvailable(_:)``.
        static let starved = State(rawValue: 1 << 7)
        /// A write has answered false, and `drained` is owed.
        static let overHighWater = State(rawValue: 1 << 8)
        /// Its end has been told.
        static let closed = State(rawValue: 1 << 9)
        static let headTooLarge = State(rawValue: 1 << 10)
        static let tooManyFields = State(rawValue: 1 << 11)
        /// A reader pulls the body: nothing is delivered by events.
        static let pulled = State(rawValue: 1 << 12)
        /// Both bodies are raw bytes of another protocol.
        static let tunnel = State(rawValue: 1 << 13)
        /// The server promised it; the request is not ours.
        static let promised = State(rawValue: 1 << 14)
        /// The stream is over; the handler has not taken all of the body yet.
        static let lingering = State(rawValue: 1 << 15)
        /// The server has sent RST_STREAM.
        static let resetByPeer = State(rawValue: 1 << 16)
        /// The server has not looked at it.
        static let unprocessed = State(rawValue: 1 << 17)
    }

    init(resources: HTTPClientResources, receiver: any ClientHandler) {
        home = resources
        self.receiver = receiver
    }

    var resources: HTTPClientResources {
        guard let home else { preconditionFailure("an exchange that waits to be used again is nobody's") }
        return home
    }

    deinit {
        inbound.deallocate()
        queue.deallocate()
        _inbound.deallocate()
        _queue.deallocate()
    }

    // MARK: The request

    public var method: Method { requestMethod }
    /// `https` or `http`.
    public var scheme: String { requestFields.string(schemeSlice) }
    /// Host and port, as they were asked.
    public var authority: String { requestFields.string(authoritySlice) }
    /// Path and query.
    public var target: String { requestFields.string(targetSlice) }
    /// The request's fields. Those of a promised request are the server's.
    public var requestHeaders: HeaderBlock { requestFields }
    /// Bytes of the request that wait for the server.
    public var queuedBytes: Int { queue.count }
    /// Bytes of the request's body that were given to the server.
    public var sentBytes: Int { bodyBytesSent }

    // MARK: The response

    /// The final response's status; 0 before its head has come.
    public var status: Int { state.contains(.responded) ? Int(statusCode) : 0 }
    /// The final response's status, or nil before its head has come.
    public var responseStatus: Status? { status == 0 ? nil : Status(status) }
    /// The response's fields, without pseudo-header fields. Empty before its head has come.
    public var headers: HeaderBlock { responseFields }
    /// The fields that came after the body; nil when none did, or not yet.
    public var trailers: HeaderBlock? { trailerFields }
    /// The version that carries it, or carried it.
    public var version: HTTPVersion { carriedBy }
    /// Whether it asks for another protocol inside (``ClientRequest/requestedProtocol``).
    package var asksForProtocol: Bool { protocolSlice.isPresent }
    /// Whether both bodies are raw bytes of another protocol.
    public var isTunnel: Bool { state.contains(.tunnel) }
    /// All of the response has come.
    public var isResponseComplete: Bool { state.contains(.responseEnded) }
    /// Whether the server promised it (RFC 9113 section 8.4).
    public var isPromised: Bool { state.contains(.promised) }
    /// The stream's identifier over HTTP/2; 0 while it waits for a connection.
    public var id: Int32 { streamID }

    /// It has ended, successfully or not, and nothing can be sent any more.
    public var isClosed: Bool { state.contains(.closed) }
    /// Why it has ended; nil while it goes on, and when all of it came to its end.
    public var error: ClientError? { failure }

    /// The connection that carries it; nil while it waits for one and after the end. What it is depends on who owns the session.
    public var owner: (any HTTPSessionOwner)? { codec?.owner }

    /// The handler that gets the events of this exchange from now on.
    public var handler: any ClientHandler {
        get { receiver }
        set { receiver = newValue }
    }
}
