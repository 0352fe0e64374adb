/// Every bound that a peer can reach, with its default. One value for all connections of a server.
///
/// What crosses a limit is counted under the limit's ``LimitName`` (metric `heliograph_limits_tripped`, label `limit`).
///
/// ```swift
/// var limits = Limits()
/// limits.maxConcurrentStreams = 250
/// limits.idleTimeout = .seconds(600)
/// ```
public struct Limits: Sendable {
    // Time

    /// From accept to the end of a proxy's header, where one is required. Then the connection is closed.
    public var proxyHeaderTimeout: Duration = .seconds(5)
    /// From accept, or the proxy's header, to the end of the TLS handshake. Then the connection is closed.
    public var handshakeTimeout: Duration = .seconds(10)
    /// From the handshake to the client's first SETTINGS (RFC 9113 section 3.4). Then GOAWAY(SETTINGS_TIMEOUT). Over HTTP/1.1 to
    /// the first byte; then the connection is closed.
    public var prefaceTimeout: Duration = .seconds(10)
    /// For one header block, HEADERS to the last CONTINUATION. Then GOAWAY(ENHANCE_YOUR_CALM). Over HTTP/1.1 for one head, from its
    /// first byte to its last; then 408.
    public var headerTimeout: Duration = .seconds(10)
    /// Without a byte of a request's body that the handler is ready to take. Then 408, or RST_STREAM(CANCEL) once a
    /// response has begun. Over HTTP/1.1, where one request's end is another's beginning, the connection ends in both cases. A handler of long-lived streams lifts it by `exchange.setBodyTimeout(nil)`.
    public var bodyTimeout: Duration = .seconds(60)
    /// With a response's body waiting of which the peer takes nothing. Then RST_STREAM(CANCEL), or over HTTP/1.1 the end of the
    /// connection.
    public var sendTimeout: Duration = .seconds(60)
    /// Without an open stream; PING does not extend it. Then GOAWAY(NO_ERROR). Over HTTP/1.1 between two requests; then the
    /// connection is closed.
    public var idleTimeout: Duration = .seconds(180)

    // Size and number

    /// A request's fields by RFC 9113 section 6.5.2 (32 bytes added for each), announced as MAX_HEADER_LIST_SIZE. Past it
    /// 431; past four times as much GOAWAY(ENHANCE_YOUR_CALM). In bytes, at most 1 MiB.
    public var maxHeaderListSize = 16 * 1024
    /// A request's fields. Past it 431.
    public var maxHeaderCount = 100
    /// A request's target. Past it 414. In bytes.
    public var maxTargetLength = 8 * 1024
    /// Extensions of the chunks of one body over HTTP/1.1. Past it 400. In bytes.
    public var maxChunkExtensions = 4 * 1024
    /// What is read, and thrown away, of a request over HTTP/1.1 that has its response already, for the connection to be used
    /// again. Past it the connection is closed. In bytes.
    public var maxDiscardedBody = 64 * 1024
    /// CONTINUATION frames of one block. Past it GOAWAY(ENHANCE_YOUR_CALM) (CVE-2024-28182).
    public var maxContinuations = 8
    /// Streams that a peer may have open (SETTINGS_MAX_CONCURRENT_STREAMS). Past it REFUSED_STREAM, or
    /// GOAWAY(PROTOCOL_ERROR) for a peer that has acknowledged the number.
    public var maxConcurrentStreams = 100
    /// Flow-control window of a stream: what a paused handler can have waiting. In bytes, 65,535 to 2^31-1.
    public var streamWindow = 256 * 1024
    /// Flow-control window of a connection. In bytes, 65,535 to 2^31-1.
    public var connectionWindow = 1024 * 1024
    /// A response's queue past which `write` answers false; half of it is the low-water mark. In bytes.
    public var responseHighWaterMark = 64 * 1024
    /// Bytes that handlers have written and the peer has not taken, over a connection's streams. The stream that
    /// crosses it is reset with ENHANCE_YOUR_CALM. In bytes. Responses given whole do not count: their size is the
    /// program's own choice, and there are at most `maxConcurrentStreams` of them.
    public var maxQueuedOutput = 8 * 1024 * 1024
    /// Frames that wait for a peer that does not read, beyond two for each of `maxConcurrentStreams`: resets, answers to
    /// PING. Past it GOAWAY(ENHANCE_YOUR_CALM).
    public var maxQueuedFrames = 2_000
    /// Pushed streams of a connection, promised or open. Past it nothing is promised.
    public var maxConcurrentPushes = 16
    /// PING frames of ours that a peer has not answered, and SETTINGS that it has not acknowledged. Past it no others are sent.
    public var maxUnansweredFrames = 16
    /// Bytes of the table by which a connection decompresses header fields (SETTINGS_HEADER_TABLE_SIZE).
    public var headerTableSize = 4096
    /// Bytes of the table by which a connection compresses header fields, where the peer takes as many.
    public var encoderTableSize = 4096
    /// Connections of one loop. Past it the listener pauses until one closes.
    public var maxConnectionsPerLoop = 100_000
    /// A proxy's header of version 2, behind its first 16 bytes. Past it the connection is closed. In bytes, at most 65,535. One of
    /// version 1 has at most 107.
    public var maxProxyHeader = 4096
    /// TLS handshakes that a loop carries on in one iteration; the rest wait for the next one.
    public var maxHandshakesPerIteration = 16

    // Rates, each per connection. Past one, GOAWAY(ENHANCE_YOUR_CALM).

    /// Frames that carry neither a request nor content: WINDOW_UPDATE and all of `controlFrameRate`.
    public var frameRate = Rate(burst: 100_000, perSecond: 50_000)
    /// PING, SETTINGS, PRIORITY, PRIORITY_UPDATE, empty DATA and unknown frames.
    public var controlFrameRate = Rate(burst: 2_000, perSecond: 200)
    /// Streams that the peer resets (Rapid Reset, CVE-2023-44487).
    public var peerResetRate = Rate(burst: 1_000, perSecond: 33)
    /// Streams that we reset for a fault of the peer (MadeYouReset, CVE-2025-8671), refused ones included.
    public var inducedResetRate = Rate(burst: 500, perSecond: 33)

    public init() {}

    /// How often something may happen: `burst` at once, refilled by `perSecond`.
    public struct Rate: Sendable, Hashable {
        public var burst: Int
        public var perSecond: Int

        /// - Precondition: both are at least 1.
        public init(burst: Int, perSecond: Int) {
            precondition(burst >= 1 && perSecond >= 1, "a rate allows at least one event")
            self.burst = burst
            self.perSecond = perSecond
        }
    }
}

/// The name of a limit, as metrics and `CloseReason` have it.
public enum LimitName: String, Sendable, CaseIterable {
    case proxyHeaderTimeout = "proxy_header_timeout"
    case proxyHeader = "proxy_header"
    case handshakeTimeout = "handshake_timeout"
    case prefaceTimeout = "preface_timeout"
    case headerTimeout = "header_timeout"
    case bodyTimeout = "body_timeout"
    case sendTimeout = "send_timeout"
    case idleTimeout = "idle_timeout"
    case headerListSize = "header_list_size"
    case headerCount = "header_count"
    case targetLength = "target_length"
    case chunkExtensions = "chunk_extensions"
    case discardedBody = "discarded_body"
    case continuations = "continuations"
    case concurrentStreams = "concurrent_streams"
    case queuedOutput = "queued_output"
    case queuedFrames = "queued_frames"
    case concurrentPushes = "concurrent_pushes"
    case unansweredFrames = "unanswered_frames"
    case earlyPriorities = "early_priorities"
    case connections = "connections"
    case frameRate = "frame_rate"
    case controlFrameRate = "control_frame_rate"
    case peerResetRate = "peer_reset_rate"
    case inducedResetRate = "induced_reset_rate"
    case bodySize = "body_size"
    case byteRanges = "byte_ranges"
    case multipartParts = "multipart_parts"
    case multipartDepth = "multipart_depth"
    case multipartHeaders = "multipart_headers"
    case multipartIgnored = "multipart_ignored"
    case exchangeTimeout = "exchange_timeout"
    case keyUpdates = "key_updates"
    case responseTimeout = "response_timeout"
    case requestTimeout = "request_timeout"
    case queueTimeout = "queue_timeout"
    case queuedRequests = "queued_requests"
    case informational = "informational_responses"
    case webSocketMessageSize = "websocket_message_size"
    case webSocketFragments = "websocket_fragments"
    case webSocketPongTimeout = "websocket_pong_timeout"
    case webSocketCloseTimeout = "websocket_close_timeout"
}
