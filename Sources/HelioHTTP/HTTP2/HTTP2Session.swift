internal import CNghttp2

/// The server's side of one HTTP/2 connection (RFC 9113) over nghttp2: bytes in, events to handlers and bytes out.
///
/// It sees no descriptor and no clock: `now` is nanoseconds of any monotonic clock. It belongs to one thread. Nothing of
/// the application's runs while nghttp2 serializes; ends of streams and drained queues are told when ``receive(_:now:)``
/// or ``drain(into:now:)`` is about to return.
@safe public final class HTTP2Session: HTTPSession, ExchangeCodec {
    let resources: HTTP2Resources
    let owner: any HTTPSessionOwner
    let handler: any Handler
    let handlerIdentity: ObjectIdentifier
    var raw: OpaquePointer?
    var now: UInt64

    /// Streams whose exchange is open; an exchange knows its place.
    @Unguarded var open: [ExchangeReference] = []
    /// What nghttp2 has told in the middle of something, to be delivered after it.
    @Unguarded var ended: [ExchangeReference] = []
    @Unguarded var drained: [Exchange] = []
    /// The exchange whose header block is arriving, and the block that it goes to.
    var incoming: Unmanaged<Exchange>?
    var incomingFields: Unmanaged<HeaderBlock>?
    var headerBlockStart: UInt64?
    var queuedOutput = 0
    /// Bytes of requests' bodies that handlers have not taken.
    var heldInput = 0
    /// Streams whose RST_STREAM is ours and not on the peer's account, until it is sent.
    var ownResets: [Int32] = []

    /// Streams that we have pushed, promised or open.
    var pushes = 0
    /// The peer has sent GOAWAY.
    var hasPeerSaidGoodbye = false
    @Unguarded var earlyPriorities: [EarlyPriority] = []
    /// What has come of the PRIORITY_UPDATE that is arriving.
    var extensionPayload: [UInt8] = []
    var pings: [Ping] = []
    var lastPing: UInt32 = 0
    var unacknowledgedSettings = 0
    /// The size of the connection's window for what the peer sends; in bytes.
    var receiveWindow: Int

    var scanner = FrameScanner()
    var frames = RateLimiter()
    var controlFrames = RateLimiter()
    var peerResets = RateLimiter()
    var inducedResets = RateLimiter()

    var created: UInt64
    var idleSince: UInt64
    var isPrefaceReceived = false
    private var drainRequested = false
    private var stoppedShort = false
    /// A call of the connection's is running, and with it perhaps a handler.
    private(set) var isBusy = false
    private var isPrefaceSent = false
    /// The connection ends with this code, in a GOAWAY of our own: nghttp2 has given up, or we have.
    private(set) var failure: HTTP2ErrorCode?
    private var isFailureSent = false
    var shutdown = Shutdown.none

    enum Shutdown { case none, announced(at: UInt64), final }

    /// Opens a session; its SETTINGS are the first output.
    ///
    /// - Parameters:
    ///   - resources: what the loop's sessions share.
    ///   - handler: gets the exchanges.
    ///   - owner: is told when there is output. Held for as long as the session: who holds both lets one go.
    ///   - options: what the listener says.
    ///   - now: the time, in nanoseconds.
    public init(
        resources: HTTP2Resources, handler: any Handler, owner: any HTTPSessionOwner,
        options: SessionOptions = SessionOptions(), now: UInt64
    ) {
        self.resources = resources
        self.handler = handler
        handlerIdentity = ObjectIdentifier(handler)
        self.owner = owner
        self.now = now
        created = now
        idleSince = now
        receiveWindow = resources.connectionWindow
        let user = unsafe Unmanaged.passUnretained(self).toOpaque()
        var made: OpaquePointer?
        resources.allocator.lendFrameBuffer {
            let status = unsafe nghttp2_session_server_new3(
                &made, resources.callbacks, user, resources.options, resources.allocator.memory)
            precondition(status == 0, "out of memory")
        }
        unsafe raw = made
        submitSettings(options)
        if !options.origins.isEmpty { _ = sendOrigins(options.origins) }
        for service in options.alternativeServices {
            _ = sendAlternativeService(service.value, stream: 0, origin: service.origin)
        }
        drainRequested = true
    }

    deinit {
        unsafe precondition(raw == nil, "an HTTP/2 session is closed before it goes")
        _open.deallocate()
        _ended.deallocate()
        _drained.deallocate()
        _earlyPriorities.deallocate()
    }

    var limits: Limits { resources.limits }
    var version: HTTPVersion { .http2 }
    var http2: HTTP2Session? { self }
    /// The connection as handlers see it.
    public var connection: HTTP2Connection { HTTP2Connection(session: self) }
    /// Windows do it, stream by stream.
    public var isInputPaused: Bool { false }

    /// Takes what the peer has sent; calls handlers.
    ///
    /// - Parameter bytes: any bytes in any cut; read within the call.
    public func receive(_ bytes: UnsafeRawBufferPointer, now: UInt64) {
        precondition(!isBusy, "a session is not given bytes from within its own callbacks")
        guard let raw = unsafe raw, failure == nil, unsafe !bytes.isEmpty else { return }
        self.now = now
        guard unsafe countFrames(in: bytes) else { return }
        isBusy = true
        let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        let taken = unsafe nghttp2_session_mem_recv(raw, start, bytes.count)
        if taken < 0 { receiveFailed(Int32(truncatingIfNeeded: taken)) }
        deliver()
        isBusy = false
        let frames = unsafe nghttp2_session_get_outbound_queue_size(raw)
        if frames > 2 * limits.maxConcurrentStreams + limits.maxQueuedFrames {
            fail(.enhanceYourCalm, limit: .queuedFrames)
        }
        settleOutput()
    }

    /// What is asked once, after nghttp2 and the handlers had their turn.
    func settleOutput() {
        guard let raw = unsafe raw else { return }
        openConnectionWindow()
        if unsafe failure != nil || nghttp2_session_want_write(raw) != 0 { requestDrain() }
    }

    /// Writes what is due to the peer.
    ///
    /// - Parameter region: at least 32 KiB; frames are never split between two drains.
    /// - Returns: the number of bytes written.
    public func drain(into region: UnsafeMutableRawBufferPointer, now: UInt64) -> Int {
        precondition(!isBusy, "a session is not drained from within its own callbacks")
        precondition(region.count >= 2 * Self.largestFrame, "a drain needs room for two frames")
        guard let raw = unsafe raw, let base = region.baseAddress else { return 0 }
        self.now = now
        drainRequested = false
        stoppedShort = false
        if failure != nil { return unsafe writeFailure(into: region) }
        unsafe resources.output.pointee = .init(base: base, count: 0, capacity: region.count)
        isBusy = true
        while unsafe resources.output.pointee.room >= Self.largestFrame {
            var span: UnsafePointer<UInt8>?
            let length = unsafe nghttp2_session_mem_send(raw, &span)
            guard length > 0, let span = unsafe span else {
                if length < 0 { fail(.internalError) }
                break
            }
            let count = unsafe resources.output.pointee.count
            unsafe (base + count).copyMemory(from: span, byteCount: length)
            unsafe resources.output.pointee.count = count + length
            if failure != nil { break }
        }
        stoppedShort = unsafe resources.output.pointee.room < Self.largestFrame
        let written = unsafe resources.output.pointee.count
        isPrefaceSent = true
        deliver()
        isBusy = false
        if failure == nil, !stoppedShort { settleOutput() }
        return written
    }

    /// Whether a drain is due.
    public var wantsDrain: Bool { drainRequested || stoppedShort }

    /// Whether all is said: nothing more is read or written, and the connection may be closed.
    public var isFinished: Bool {
        guard let raw = unsafe raw else { return true }
        if failure != nil { return isFailureSent }
        if case .final = shutdown, open.isEmpty { return unsafe nghttp2_session_want_write(raw) == 0 }
        return unsafe nghttp2_session_want_read(raw) == 0 && nghttp2_session_want_write(raw) == 0
    }

    /// Streams that are open now.
    public var openStreams: Int { open.count }

    /// Ends all exchanges and frees the session. The connection is gone, or is about to be. Not from within a handler.
    public func close(_ reason: CloseReason) {
        guard let raw = unsafe raw else { return }
        precondition(!isBusy, "a session is not closed from within its own callbacks")
        unsafe self.raw = nil
        unsafe incoming = nil
        unsafe nghttp2_session_del(raw)
        for reference in open {
            reference.with { exchange in
                exchange.codec = nil
                exchange.closeReason = reason
            }
            ended.append(reference)
        }
        resources.shared.counters.openStreams -= open.count
        open.removeAll()
        pushes = 0
        drained.removeAll()
        deliver()
        abandonPings()
    }

    // MARK: Failing

    /// A DATA frame or a piece of a header block with its frame header: nghttp2 writes no larger span.
    static let largestFrame = 16 * 1024 + 64

    /// The connection ends with this code after what is written so far.
    func fail(_ code: HTTP2ErrorCode, limit: LimitName? = nil) {
        if let limit { resources.shared.counters.trip(limit) }
        if failure == nil { failure = code }
        requestDrain()
    }

    private func receiveFailed(_ error: Int32) {
        switch nghttp2_error(rawValue: error) {
        case NGHTTP2_ERR_BAD_CLIENT_MAGIC: fail(.protocolError)
        case NGHTTP2_ERR_FLOODED: fail(.enhanceYourCalm, limit: .controlFrameRate)
        default: fail(.internalError)
        }
    }

    private func writeFailure(into region: UnsafeMutableRawBufferPointer) -> Int {
        guard let code = failure, !isFailureSent, let raw = unsafe raw else { return 0 }
        isFailureSent = true
        let last = unsafe UInt32(bitPattern: nghttp2_session_get_last_proc_stream_id(raw))
        // RFC 9113 section 3.4: SETTINGS come first, whatever follows; here empty ones, of type 4.
        let settings: [UInt8] = isPrefaceSent ? [] : [0, 0, 0, 4, 0, 0, 0, 0, 0]
        // Section 6.8: length 8, type 7, no flags, stream 0; last stream, code.
        let header = settings + [0, 0, 8, 7, 0, 0, 0, 0, 0]
        unsafe region.copyBytes(from: header)
        unsafe region.storeBytes(of: last.bigEndian, toByteOffset: header.count, as: UInt32.self)
        unsafe region.storeBytes(of: code.rawValue.bigEndian, toByteOffset: header.count + 4, as: UInt32.self)
        return header.count + 8
    }

    func requestDrain() {
        guard !drainRequested else { return }
        drainRequested = true
        owner.sessionNeedsDrain()
    }

    // MARK: Delivering

    /// Tells handlers what was put off. They may submit more, and end other exchanges.
    private func deliver() {
        // Handlers cannot lengthen `ended` here: only nghttp2's callbacks do, and it is not running.
        for index in ended.indices { ended[index].with { $0.close($0.closeReason) } }
        while let reference = ended.popLast() {
            resources.exchanges.recycle(reference, next: handler, handlerIdentity, nobody: resources.shared.nobody)
        }
        for index in drained.indices where !drained[index].isClosed { drained[index].becameDrained() }
        drained.removeAll(keepingCapacity: true)
    }
}
