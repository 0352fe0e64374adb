/// The server's side of one connection in HTTP/1.1 or HTTP/1.0 (RFC 9112): bytes in, events to handlers and bytes out.
///
/// ```
///             +--> head --> handler has it --> response sent --+--> idle, or the next of the pipeline
///  idle ------+                                                +--> rest of the body discarded --> idle
///             +--> refused --> the connection ends             +--> the connection ends
/// ```
///
/// One request at a time is with a handler. What a client sends behind it (pipelining, RFC 9112 section 9.3.2) is kept as it
/// came, and no more is read until its turn: ``isInputPaused``. So is a body that its handler does not take. Nothing of the
/// application's runs while it serializes. It belongs to one thread.
@safe public final class HTTP1Session: HTTPSession, ExchangeCodec {
    let resources: HTTPResources
    let owner: any HTTPSessionOwner
    let handler: any Handler
    let handlerIdentity: ObjectIdentifier
    let isSecure: Bool
    /// The owner sends sources that let it.
    let passesSources: Bool
    var now: UInt64

    @Unguarded var parser: HTTP1Parser
    /// Input that waits for its turn: a line that is not whole, a body that nobody takes, the requests behind this one.
    @Unguarded var rest = GatherBuffer()
    /// Responses 1xx and refusals, ready to be sent.
    @Unguarded var control = GatherBuffer()
    /// The exchange whose request has begun and whose response has not ended.
    var current: ExchangeReference?
    private var ended: ExchangeReference?
    @Unguarded var response = Response()
    /// All of the request has been read.
    var isRequestRead = false
    /// The client was not told to send the body that it holds back.
    var awaitsContinue = false
    /// The rest of a request that has its response is read and thrown away.
    var discard: Discard?
    /// The handler of the current exchange is owed `drained`.
    var isDrainedDue = false
    /// Bytes of the request's body that its handler has not taken.
    var heldInput = 0
    var queuedOutput = 0
    var smallChunks = RateLimiter()
    var nextID: Int32 = 1

    let created: UInt64
    var idleSince: UInt64
    /// When the first byte of the head that is arriving came.
    var headStart: UInt64?
    var isFresh = true
    private(set) var ending = Ending.none
    /// The peer sends no more.
    var isInputEnded = false
    var shutsDown = false
    private var isClosed = false
    private var drainRequested = false
    private var stoppedShort = false
    /// ``isInputPaused`` was true: the owner is told when it no longer is.
    private var isInputHeld = false
    /// A call of the connection's is running, and with it perhaps a handler.
    private var isBusy = false

    enum Ending { case none, afterOutput, now }

    /// The response of the current exchange.
    struct Response {
        /// Its head is to be sent.
        var due: Status?
        var isHeadSent = false
        var framing = HTTP1Serializer.Framing.asFieldsSay
        /// What is left of the length that was announced.
        var left: Int?
        /// Whether the connection goes on after it.
        var persists = true
    }

    struct Discard {
        let since: UInt64
        var left: Int
        let fields = HeaderBlock()
    }

    /// - Parameters:
    ///   - resources: what the loop's sessions share.
    ///   - handler: gets the exchanges.
    ///   - owner: is told when there is output, and when input is wanted again. Held for as long as the session: who holds both
    ///     lets one go.
    ///   - options: what the listener says.
    ///   - now: the time, in nanoseconds.
    public init(
        resources: HTTPResources, handler: any Handler, owner: any HTTPSessionOwner,
        options: SessionOptions = SessionOptions(), now: UInt64
    ) {
        self.resources = resources
        self.handler = handler
        handlerIdentity = ObjectIdentifier(handler)
        self.owner = owner
        isSecure = options.isSecure
        passesSources = options.passesSources
        parser = HTTP1Parser(resources.limits)
        self.now = now
        created = now
        idleSince = now
    }

    deinit {
        precondition(isClosed, "an HTTP/1.1 session is closed before it goes")
        rest.deallocate()
        control.deallocate()
        _parser.deallocate()
        _rest.deallocate()
        _control.deallocate()
        _response.deallocate()
    }

    var limits: Limits { resources.limits }
    var version: HTTPVersion { parser.head.version }

    // MARK: Bytes in

    /// Takes what the peer has sent; calls handlers.
    ///
    /// - Parameter bytes: any bytes in any cut; read within the call. None: it goes on with what it has kept.
    public func receive(_ bytes: UnsafeRawBufferPointer, now: UInt64) {
        precondition(!isBusy, "a session is not given bytes from within its own callbacks")
        // What comes behind the last request is not looked at.
        guard !isClosed, case .none = ending else { return }
        self.now = now
        isBusy = true
        if rest.isEmpty {
            let taken = unsafe take(bytes)
            if case .none = ending, taken < bytes.count {
                unsafe rest.append(UnsafeRawBufferPointer(rebasing: bytes[taken...]))
            }
        } else {
            unsafe rest.append(bytes)
            takeRest()
        }
        deliver()
        isBusy = false
        settleInput()
    }

    private func takeRest() {
        let taken = unsafe take(rest.bytes)
        // It may have been let go meanwhile, as the connection ends.
        guard case .none = ending else { return rest.release() }
        rest.consume(taken)
        if rest.isEmpty { rest.release() }
    }

    /// What is being answered goes out all the same, as do the requests that wait behind it (RFC 9112 section 9.6); a tunnel's
    /// other side goes on. Nobody may be there any more to hear what has not been begun.
    public func endInput(now: UInt64) -> Bool {
        guard !isClosed else { return false }
        self.now = now
        isInputEnded = true
        isBusy = true
        takeRest()
        deliver()
        isBusy = false
        settleInput()
        if case .now = ending { return false }
        return current?.with { exchange in
            exchange.isTunnel || exchange.producer != nil || exchange.state.contains(.responseFinished)
        } ?? !control.isEmpty
    }

    /// Whether more of the input can be taken now.
    var takesInput: Bool {
        guard case .none = ending else { return false }
        guard let current else { return true }
        return current.with { exchange in
            guard !exchange.state.contains(.closed), heldInput < window else { return false }
            return !isRequestRead || exchange.isTunnel
        }
    }

    /// What a handler that does not take its body can have waiting.
    var window: Int { max(limits.streamWindow, 1) }

    /// Input waits that cannot be taken yet.
    public var isInputPaused: Bool {
        guard case .none = ending, !isClosed else { return false }
        return !takesInput && (!rest.isEmpty || heldInput >= window)
    }

    /// Has the owner read again, once there is a reason.
    func settleInput() {
        let isPaused = isInputPaused
        if isInputHeld, !isPaused { owner.sessionWantsInput() }
        isInputHeld = isPaused
    }

    // MARK: Bytes out

    /// Writes what is due to the peer. Between one response and the next of a pipeline, handlers run.
    ///
    /// - Parameter region: at least 32 KiB. A head, or trailers, that are larger end the connection.
    /// - Returns: the number of bytes written.
    public func drain(into region: UnsafeMutableRawBufferPointer, now: UInt64) -> Int {
        precondition(!isBusy, "a session is not drained from within its own callbacks")
        precondition(region.count >= 32 * 1024, "a drain needs room for a head")
        guard !isClosed, let base = region.baseAddress else { return 0 }
        self.now = now
        isBusy = true
        // What is asked for meanwhile is seen to here.
        drainRequested = true
        var output = unsafe HTTP1Output(base, capacity: region.count)
        var turns = limits.maxConcurrentStreams
        var hadRoom: Bool
        repeat {
            hadRoom = write(to: &output)
            deliver()
            if !rest.isEmpty {
                takeRest()
                deliver()
            }
            if isInputEnded, current == nil { end(.afterOutput) }
            turns -= 1
        } while hadRoom && hasOutput && turns > 0
        isBusy = false
        drainRequested = false
        stoppedShort = hasOutput
        settleInput()
        return output.count
    }

    /// Whether a drain is due.
    public var wantsDrain: Bool { drainRequested || stoppedShort }

    private var hasOutput: Bool {
        if case .now = ending { return false }
        if !control.isEmpty || response.due != nil { return true }
        guard response.isHeadSent, let current else { return false }
        return current.with { $0.hasOutput || $0.source == nil && $0.state.contains(.responseFinished) }
    }

    /// Whether all is said: nothing more is read or written, and the connection may be closed.
    public var isFinished: Bool {
        switch ending {
        case .none: isClosed
        case .afterOutput: isClosed || current == nil && control.isEmpty && !drainRequested
        case .now: isClosed || !drainRequested
        }
    }

    /// Where a response ends by the end of the connection, only a connection that breaks off tells that it did not.
    public var endsAbruptly: Bool {
        guard case .now = ending else { return false }
        return response.isHeadSent && response.framing == .untilClose
    }

    func requestDrain() {
        guard !drainRequested else { return }
        drainRequested = true
        owner.sessionNeedsDrain()
    }

    // MARK: The end

    /// Exchanges that are open now, one at most.
    public var openStreams: Int { current == nil ? 0 : 1 }

    /// Takes no further request. The one under way is answered, and told that the connection closes (RFC 9112 section 9.6).
    public func beginShutdown(now: UInt64) {
        guard !isClosed, !shutsDown else { return }
        self.now = now
        shutsDown = true
        if current == nil { end(.afterOutput) }
    }

    /// Ends the connection: after what is to be sent, or at once where a response cannot be completed, which is how the peer
    /// learns of it.
    func end(_ how: Ending) {
        if case .now = ending { return }
        ending = how
        if !isBusy { rest.release() }
        requestDrain()
    }

    /// Ends the exchange and frees what the session holds. Not from within a handler.
    public func close(_ reason: CloseReason) {
        guard !isClosed else { return }
        precondition(!isBusy, "a session is not closed from within its own callbacks")
        isClosed = true
        current?.with { $0.closeReason = reason }
        endCurrent()
        rest.release()
        control.release()
        isDrainedDue = false
        deliver()
    }

    // MARK: Delivering

    /// The current exchange is told of its end by the next ``deliver()``.
    func endCurrent() {
        guard let reference = current else { return }
        current = nil
        headStart = nil
        reference.with { exchange in
            release(exchange)
            exchange.codec = nil
        }
        heldInput = 0
        resources.counters.openStreams -= 1
        ended = reference
    }

    /// Tells handlers what was put off.
    private func deliver() {
        if isDrainedDue {
            isDrainedDue = false
            current?.with { if !$0.isClosed { $0.becameDrained() } }
        }
        if case .now = ending { endCurrent() }
        guard let reference = ended else { return }
        ended = nil
        reference.with { $0.close($0.closeReason) }
        resources.exchanges.recycle(reference, next: handler, handlerIdentity, nobody: resources.nobody)
    }

    /// What happens between two calls of the connection's and may let input be taken again.
    func settleOutsideOfCalls() { if !isBusy { settleInput() } }
}
