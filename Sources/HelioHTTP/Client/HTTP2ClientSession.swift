internal import CNghttp2

/// The client's side of one HTTP/2 connection (RFC 9113) over nghttp2: exchanges and bytes in, events to handlers and bytes out.
///
/// It sees no descriptor and no clock: `now` is nanoseconds of any monotonic clock. It belongs to one thread. Nothing of
/// the application's runs while nghttp2 serializes; ends of streams and drained queues are told when ``receive(_:now:)``
/// or ``drain(into:now:)`` is about to return.
@safe public final class HTTP2ClientSession: ClientSession, ClientExchangeCodec {
    let resources: HTTP2ClientResources
    let owner: any HTTPSessionOwner
    let observer: any ClientSessionObserver
    let options: ClientSessionOptions
    var raw: OpaquePointer?
    var now: UInt64

    /// Streams whose exchange is open; an exchange knows its place.
    @Unguarded var open: [HeldReference<ClientExchange>] = []
    /// What nghttp2 has told in the middle of something, to be delivered after it.
    @Unguarded var ended: [HeldReference<ClientExchange>] = []
    @Unguarded var drained: [ClientExchange] = []
    /// Those that are promised, of the open ones.
    var promised = 0
    /// The exchange whose header block is arriving, and the block that it goes to; nil where it is not wanted.
    var incoming: Unmanaged<ClientExchange>?
    var incomingFields: Unmanaged<HeaderBlock>?
    var headerBlockStart: UInt64?
    var queuedOutput = 0
    /// Bytes of responses' bodies that handlers have not taken.
    var heldInput = 0

    var scanner = FrameScanner(skipping: 0)
    var frames = RateLimiter()
    var controlFrames = RateLimiter()

    let created: UInt64
    var idleSince: UInt64
    public internal(set) var completedExchanges = 0
    var isPrefaceReceived = false
    var hasGoneAway = false
    var isStopping = false
    /// What the server allows (SETTINGS_MAX_CONCURRENT_STREAMS); a guess before its SETTINGS (RFC 9113 section 5.1.2).
    var allowedStreams = 100
    /// The server's SETTINGS have come, and the observer has not been told of what they change.
    var settingsChanged = false
    /// The first end that a request was given (`ClientRequest.timeout`), of those that were open at the last look.
    var soonestDeadline = UInt64.max
    private var isFull = false
    private var drainRequested = false
    private var stoppedShort = false
    /// A call of the connection's is running, and with it perhaps a handler.
    private(set) var isBusy = false
    /// The connection ends with this code, in a GOAWAY of our own, as we have given up on the server.
    private(set) var failure: HTTP2ErrorCode?
    private var isFailureSent = false
    /// What nghttp2 last had to say about the server.
    var complaint = ""
    /// What the exchanges are told that are open at the end.
    var fault: ClientError?

    /// Opens a session; the preface and its SETTINGS are the first output.
    ///
    /// - Parameters:
    ///   - resources: what the loop's sessions share.
    ///   - owner: is told when there is output. Held for as long as the session: who holds both lets one go. So is `observer`.
    ///   - observer: is told when there is room, and given back what can be sent again.
    ///   - now: the time, in nanoseconds.
    public init(
        resources: HTTP2ClientResources, owner: any HTTPSessionOwner, observer: any ClientSessionObserver,
        options: ClientSessionOptions = ClientSessionOptions(), now: UInt64
    ) {
        self.resources = resources
        self.owner = owner
        self.observer = observer
        self.options = options
        self.now = now
        created = now
        idleSince = now
        let user = unsafe Unmanaged.passUnretained(self).toOpaque()
        var made: OpaquePointer?
        let status = unsafe nghttp2_session_client_new3(
            &made, resources.callbacks, user, resources.options, resources.allocator.memory)
        precondition(status == 0, "out of memory")
        unsafe raw = made
        submitSettings()
        drainRequested = true
    }

    deinit {
        unsafe precondition(raw == nil, "an HTTP/2 session is closed before it goes")
        _open.deallocate()
        _ended.deallocate()
        _drained.deallocate()
    }

    var limits: ClientLimits { resources.shared.limits }
    /// Windows do it, stream by stream.
    public var isInputPaused: Bool { false }

    // MARK: Room

    public var freeStreams: Int {
        guard !isExhausted else { return 0 }
        return max(0, min(allowedStreams, limits.maxConcurrentStreams) - (open.count - promised))
    }

    public var isExhausted: Bool {
        unsafe raw == nil || failure != nil || fault != nil || hasGoneAway || isStopping
    }

    /// Streams that are open now, with those that are promised.
    public var openStreams: Int { open.count }

    // MARK: Bytes

    /// Takes what the server has sent; calls handlers.
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
        if taken < 0 {
            let text = unsafe nghttp2_strerror(Int32(truncatingIfNeeded: taken))
            fail(.protocolError, .malformed(unsafe text.map { unsafe String(cString: $0) } ?? complaint))
        }
        deliver()
        isBusy = false
        let frames = unsafe nghttp2_session_get_outbound_queue_size(raw)
        if frames > 2 * limits.maxConcurrentStreams + limits.maxQueuedFrames {
            fail(.enhanceYourCalm, limit: .queuedFrames)
        }
        settleOutput()
        tellRoom()
    }

    /// What is asked once, after nghttp2 and the handlers had their turn.
    func settleOutput() {
        guard let raw = unsafe raw else { return }
        openConnectionWindow()
        if unsafe failure != nil || nghttp2_session_want_write(raw) != 0 { requestDrain() }
    }

    /// Writes what is due to the server.
    ///
    /// - Parameter region: at least 32 KiB; frames are never split between two drains.
    /// - Returns: the number of bytes written.
    public func drain(into region: UnsafeMutableRawBufferPointer, now: UInt64) -> Int {
        precondition(!isBusy, "a session is not drained from within its own callbacks")
        precondition(region.count >= 2 * HTTP2Session.largestFrame, "a drain needs room for two frames")
        guard let raw = unsafe raw, let base = region.baseAddress else { return 0 }
        self.now = now
        drainRequested = false
        stoppedShort = false
        if failure != nil { return unsafe writeFailure(into: region) }
        unsafe resources.output.pointee = .init(base: base, count: 0, capacity: region.count)
        isBusy = true
        while unsafe resources.output.pointee.room >= HTTP2Session.largestFrame {
            var span: UnsafePointer<UInt8>?
            let length = unsafe nghttp2_session_mem_send(raw, &span)
            guard length > 0, let span = unsafe span else {
                if length < 0 { fail(.internalError, .connectionLost) }
                break
            }
            let count = unsafe resources.output.pointee.count
            unsafe (base + count).copyMemory(from: span, byteCount: length)
            unsafe resources.output.pointee.count = count + length
            if failure != nil { break }
        }
        stoppedShort = unsafe resources.output.pointee.room < HTTP2Session.largestFrame
        let written = unsafe resources.output.pointee.count
        deliver()
        isBusy = false
        if failure == nil, !stoppedShort { settleOutput() }
        tellRoom()
        return written
    }

    /// Whether a drain is due.
    public var wantsDrain: Bool { drainRequested || stoppedShort }

    /// Whether all is said: nothing more is read or written, and the connection may be closed.
    public var isFinished: Bool {
        guard let raw = unsafe raw else { return true }
        if failure != nil { return isFailureSent }
        if isExhausted, open.isEmpty { return unsafe nghttp2_session_want_write(raw) == 0 }
        return unsafe nghttp2_session_want_read(raw) == 0 && nghttp2_session_want_write(raw) == 0
    }

    /// Ends all exchanges and frees the session. The connection is gone, or is about to be. Not from within a handler.
    public func close(_ reason: CloseReason) {
        guard let raw = unsafe raw else { return }
        precondition(!isBusy, "a session is not closed from within its own callbacks")
        let error = fault ?? ClientError(reason)
        fault = error
        unsafe self.raw = nil
        unsafe incoming = nil
        unsafe nghttp2_session_del(raw)
        for reference in open {
            reference.with { exchange in
                exchange.codec = nil
                if !exchange.isClosed { exchange.failure = error }
            }
            ended.append(reference)
        }
        resources.shared.counters.openStreams -= open.count
        open.removeAll()
        drained.removeAll()
        deliver()
        observer.sessionChanged()
    }

    // MARK: Failing

    /// The connection ends with this code after what is written so far.
    func fail(_ code: HTTP2ErrorCode, _ error: ClientError) {
        if failure == nil {
            failure = code
            fault = fault ?? error
        }
        requestDrain()
    }

    func fail(_ code: HTTP2ErrorCode, limit: LimitName) {
        resources.shared.counters.trip(limit)
        fail(code, .limit(limit))
    }

    private func writeFailure(into region: UnsafeMutableRawBufferPointer) -> Int {
        guard let code = failure, !isFailureSent else { return 0 }
        isFailureSent = true
        // RFC 9113 section 6.8: length 8, type 7, no flags, stream 0; last stream, none of the server's; code.
        let header: [UInt8] = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        unsafe region.copyBytes(from: header)
        unsafe region.storeBytes(of: code.rawValue.bigEndian, toByteOffset: header.count, as: UInt32.self)
        return header.count + 4
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
        for index in ended.indices { ended[index].with { deliverEnd(of: $0) } }
        while let reference = ended.popLast() { resources.shared.recycle(reference) }
        for index in drained.indices where !drained[index].isClosed { drained[index].becameDrained() }
        drained.removeAll(keepingCapacity: true)
    }

    private func deliverEnd(of exchange: ClientExchange) {
        guard !exchange.isClosed else { return }
        let isUnprocessed = exchange.state.contains(.unprocessed)
        // A connection that had been in use: the server may just have closed it, as idle ones are.
        var isLost = false
        if unsafe raw == nil, completedExchanges > 0, case .connectionLost? = fault { isLost = true }
        if let error = exchange.failure, isUnprocessed || isLost,
            exchange.canBeSentAgain(isUnprocessed: isUnprocessed)
        {
            exchange.failure = nil
            exchange.rewind()
            if observer.sessionReturns(exchange) { return }
            return exchange.close(error)
        }
        exchange.streamEnded(exchange.failure)
    }

    /// Tells the observer when there is room again, or none any more for ever.
    func tellRoom() {
        let isFullNow = freeStreams == 0
        guard isFull || isFullNow || isExhausted || settingsChanged else { return }
        isFull = isFullNow
        settingsChanged = false
        observer.sessionChanged()
    }

    func markFull() { if freeStreams == 0 { isFull = true } }
}

extension ClientError {
    /// What exchanges are told when their connection ends for that reason.
    init(_ reason: CloseReason) {
        switch reason {
        case .finished, .connectionLost: self = .connectionLost
        case .reset(let code): self = .reset(code)
        case .limit(let name): self = .limit(name)
        case .shutdown: self = .stopped
        }
    }
}
