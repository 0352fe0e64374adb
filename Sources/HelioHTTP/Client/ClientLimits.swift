/// Every bound of a client: what a server can make it hold or wait for, and how much of it the program may ask at once.
///
/// What crosses a limit ends an exchange or a connection by ``ClientError/limit(_:)`` with the limit's name.
///
/// ```swift
/// var limits = ClientLimits()
/// limits.maxConnectionsPerOrigin = 32
/// limits.responseTimeout = .seconds(5)
/// ```
public struct ClientLimits: Sendable {
    // Time

    /// For one connection: to resolve, to connect (all addresses together), and then again for the TLS handshake.
    public var connectTimeout: Duration = .seconds(10)
    /// For a request that waits for a connection to be made or to have room.
    public var queueTimeout: Duration = .seconds(60)
    /// From the end of the TLS handshake to the server's first SETTINGS (RFC 9113 section 3.4).
    public var prefaceTimeout: Duration = .seconds(10)
    /// From the last byte of a request to the end of its response's head.
    public var responseTimeout: Duration = .seconds(60)
    /// For one header block, HEADERS to the last CONTINUATION, or a head of HTTP/1.1 from its first byte.
    public var headerTimeout: Duration = .seconds(10)
    /// Without a byte of a response's body that the handler is ready to take.
    public var bodyTimeout: Duration = .seconds(60)
    /// With a request's body waiting of which the server takes nothing.
    public var sendTimeout: Duration = .seconds(60)
    /// For a connection without an exchange. Then it is closed.
    public var idleTimeout: Duration = .seconds(60)

    // Size and number, each per connection unless it says otherwise

    /// A response's fields by RFC 9113 section 6.5.2 (32 bytes added for each), announced as MAX_HEADER_LIST_SIZE. In bytes.
    public var maxHeaderListSize = 64 * 1024
    /// A response's fields.
    public var maxHeaderCount = 200
    /// CONTINUATION frames of one block.
    public var maxContinuations = 16
    /// Chunk extensions of one body of HTTP/1.1. In bytes.
    public var maxChunkExtensions = 4 * 1024
    /// Responses of a status 1xx to one request.
    public var maxInformational = 32
    /// Streams that are promised and not ended (SETTINGS_MAX_CONCURRENT_STREAMS, where pushes are accepted at all).
    public var maxPushedStreams = 100
    /// Exchanges on one HTTP/2 connection; the server's own number counts too. 1 gives each exchange a connection of its own.
    public var maxConcurrentStreams = 100
    /// Connections of one loop to one origin.
    public var maxConnectionsPerOrigin = 8
    /// Origins that a loop keeps connections or sessions of TLS for; past it those without a connection go.
    public var maxOrigins = 256
    /// Requests to one origin that wait for a connection, on one loop.
    public var maxQueuedRequests = 10_000
    /// How often a request is sent again that the server has certainly not looked at.
    public var maxRetries = 3
    /// Flow-control window of a stream: what a paused handler can have waiting. In bytes, 65,535 to 2^31-1.
    public var streamWindow = 256 * 1024
    /// Flow-control window of a connection. In bytes, 65,535 to 2^31-1.
    public var connectionWindow = 1024 * 1024
    /// A request's queue past which `write` answers false; half of it is the low-water mark. In bytes.
    public var requestHighWaterMark = 64 * 1024
    /// Bytes that were written and the server has not taken, over a connection's streams. The stream that crosses it is reset.
    /// Bodies given whole do not count.
    public var maxQueuedOutput = 64 * 1024 * 1024
    /// Frames that wait for a server that does not read, beyond two for each of `maxConcurrentStreams`.
    public var maxQueuedFrames = 2_000

    // Rates

    /// Frames that carry neither a response nor content.
    public var frameRate = Limits.Rate(burst: 100_000, perSecond: 50_000)
    /// PING, SETTINGS, PRIORITY, empty DATA and unknown frames.
    public var controlFrameRate = Limits.Rate(burst: 2_000, perSecond: 200)

    public init() {}

    /// What the connection's own parts have to know.
    package var transport: Limits {
        var limits = Limits()
        limits.handshakeTimeout = connectTimeout
        limits.prefaceTimeout = prefaceTimeout
        limits.sendTimeout = sendTimeout
        limits.idleTimeout = idleTimeout
        return limits
    }
}

/// The times of ``ClientLimits`` in nanoseconds and its rates, computed once.
struct ClientLimitNumbers {
    let preface, response, header, body, send, idle: UInt64
    let frames, controlFrames: RateLimiter.Bound

    init(_ limits: ClientLimits) {
        preface = LimitNanoseconds.nanoseconds(limits.prefaceTimeout)
        response = LimitNanoseconds.nanoseconds(limits.responseTimeout)
        header = LimitNanoseconds.nanoseconds(limits.headerTimeout)
        body = LimitNanoseconds.nanoseconds(limits.bodyTimeout)
        send = LimitNanoseconds.nanoseconds(limits.sendTimeout)
        idle = LimitNanoseconds.nanoseconds(limits.idleTimeout)
        frames = .init(limits.frameRate)
        controlFrames = .init(limits.controlFrameRate)
    }

    /// The shortest time from an event that starts a timeout to its end.
    var shortest: UInt64 { min(min(header, body), min(send, min(idle, min(response, preface)))) }
}
