/// The client's side of one HTTP/1.1 connection (RFC 9112): one exchange at a time, and then the next.
///
/// It sees no descriptor and no clock: `now` is nanoseconds of any monotonic clock. It belongs to one thread. A body that its
/// handler does not take is kept up to one window (`ClientLimits.streamWindow`); then nothing more is read.
@safe public final class HTTP1ClientSession: ClientSession, ClientExchangeCodec {
    let resources: HTTPClientResources
    public let owner: any HTTPSessionOwner
    private let observer: any ClientSessionObserver
    var current: HeldReference<ClientExchange>?
    private var ended: HeldReference<ClientExchange>?
    var parser: HTTP1ResponseParser
    /// Bytes that are not read yet: a line that is not whole, or what a paused handler leaves.
    private var kept: [UInt8] = []
    /// Where the fields of the response go that is arriving.
    private var fields: HeaderBlock
    /// Bytes of the body that the handler has not taken.
    private var held = 0
    var now: UInt64
    var idleSince: UInt64
    /// When the first byte of a head came that is not whole.
    var headStart: UInt64?
    public internal(set) var completedExchanges = 0
    var soonestDeadline = UInt64.max
    var sending = Sending.nothing
    /// Something of the response has come.
    private var hasResponse = false
    var isStopping = false
    private var drainRequested = false
    var drainedDue = false
    private var isBusy = false
    private(set) var isOver = false
    private var isClosed = false
    /// What the exchange is told that is open at the end.
    private var fault: ClientError?

    enum Sending {
        case nothing, head
        /// A body of a length that the head has announced.
        case sized(left: Int)
        case chunked
        case tunnel
    }

    /// - Parameters:
    ///   - resources: what the loop's sessions share.
    ///   - owner: is told when there is output. Held for as long as the session: who holds both lets one go. So is `observer`.
    ///   - observer: is told when there is room, and given back what can be sent again.
    ///   - now: the time, in nanoseconds.
    public init(
        resources: HTTPClientResources, owner: any HTTPSessionOwner, observer: any ClientSessionObserver, now: UInt64
    ) {
        self.resources = resources
        self.owner = owner
        self.observer = observer
        self.now = now
        idleSince = now
        parser = HTTP1ResponseParser(resources.limits)
        fields = resources.spareFields
    }

    deinit { precondition(isClosed, "an HTTP/1.1 session is closed before it goes") }

    var limits: ClientLimits { resources.limits }

    // MARK: Room

    public var freeStreams: Int { isExhausted || current != nil ? 0 : 1 }
    public var isExhausted: Bool { isOver || isClosed || isStopping }
    public var openStreams: Int { current == nil ? 0 : 1 }

    public var opensTunnels: Bool? { true }

    public func open(_ exchange: ClientExchange) -> Bool {
        guard freeStreams > 0 else { return false }
        exchange.codec = self
        exchange.carriedBy = .http11
        exchange.attempts += 1
        exchange.sendProgress = 0
        soonestDeadline = exchange.deadline
        current = HeldReference(exchange)
        resources.counters.openStreams += 1
        let isUpgrade = exchange.protocolSlice.isPresent
        parser.start(for: exchange.requestMethod, wantsUpgrade: isUpgrade)
        fields = exchange.responseFields
        hasResponse = false
        sending = .head
        requestDrain()
        return true
    }

    // MARK: Bytes in

    public var isInputPaused: Bool { held >= limits.streamWindow && !isOver }

    /// Takes what the server has sent; calls handlers. No bytes: goes on with what it has kept.
    public func receive(_ bytes: UnsafeRawBufferPointer, now: UInt64) {
        precondition(!isBusy, "a session is not given bytes from within its own callbacks")
        guard !isOver, !isClosed else { return }
        self.now = now
        isBusy = true
        if kept.isEmpty {
            let read = unsafe take(bytes)
            if read < bytes.count, !isOver { unsafe kept.append(contentsOf: bytes[read...]) }
        } else {
            unsafe kept.append(contentsOf: bytes)
            let whole = kept
            kept = []
            let read = unsafe whole.withUnsafeBytes { unsafe take($0) }
            if read < whole.count, !isOver { kept = read == 0 ? whole : Array(whole[read...]) }
        }
        settle()
    }

    /// Answers how many of the bytes were read.
    private func take(_ bytes: UnsafeRawBufferPointer) -> Int {
        var position = 0
        while !isOver {
            guard let current else {
                // RFC 9112 section 9.5: what nobody has asked for, such as a last word of a server that gives up waiting.
                if position < bytes.count { end(.malformed("bytes that nothing was asked for")) }
                return position
            }
            let room = limits.streamWindow - held
            guard room > 0 else { return position }
            if position < bytes.count, !hasResponse {
                hasResponse = true
                headStart = now
            }
            let goesOn = current.with { exchange in
                do throws(HTTP1ResponseFault) {
                    let event = try unsafe parser.next(in: bytes, at: &position, into: fields, atMost: room)
                    return unsafe happened(event, exchange, bytes, position)
                } catch {
                    if case .limit(let name) = error { resources.counters.trip(name) }
                    end(error.error)
                    return false
                }
            }
            guard goesOn else { return position }
        }
        return position
    }

    private func happened(
        _ event: HTTP1ResponseParser.Event, _ exchange: ClientExchange, _ bytes: UnsafeRawBufferPointer, _ position: Int
    ) -> Bool {
        switch event {
        case .needsMore: return false
        case .head: headReceived(exchange)
        case .content(let count):
            held += count
            unsafe exchange.received(UnsafeRawBufferPointer(rebasing: bytes[position - count..<position]), now: now)
        case .trailersBegin:
            let block = HeaderBlock()
            exchange.trailerFields = block
            fields = block
        case .end:
            exchange.receivedEnd()
            responseEnded(exchange)
        }
        return true
    }

    private func headReceived(_ exchange: ClientExchange) {
        headStart = nil
        exchange.statusCode = parser.status
        exchange.carriedBy = parser.version
        if parser.isTunnel {
            exchange.state.insert(.tunnel)
            sending = .tunnel
            requestDrain()
        }
        guard exchange.receivedHead(now: now) else {
            resources.counters.trip(.informational)
            return end(.limit(.informational))
        }
        if parser.status < 200, !parser.isTunnel {
            exchange.responseFields.removeAll()
            hasResponse = false
        }
    }

    /// RFC 9112 section 9.3: the connection goes on where both messages are whole, and neither side has said otherwise.
    private func responseEnded(_ exchange: ClientExchange) {
        guard !isOver else { return }
        let isWhole: Bool
        if case .nothing = sending { isWhole = true } else { isWhole = false }
        if !isWhole || !parser.persists || parser.isTunnel || isStopping { isOver = true }
        finish(exchange, nil)
    }

    /// The server's side has ended, in order.
    public func endInput(now: UInt64) -> Bool {
        guard !isOver, !isClosed, let current else { return false }
        self.now = now
        isBusy = true
        defer { settle() }
        return current.with { exchange in
            if parser.isTunnel {
                exchange.receivedEnd()
                tunnelMayEnd(exchange)
                return !isOver
            }
            guard parser.endsWithConnection else { return false }
            exchange.receivedEnd()
            isOver = true
            finish(exchange, nil)
            return false
        }
    }

    /// A tunnel is over when both of its sides are.
    func tunnelMayEnd(_ exchange: ClientExchange) {
        guard exchange.state.isSuperset(of: [.responseEnded, .requestSent]), !isOver else { return }
        isOver = true
        finish(exchange, nil)
    }

    // MARK: The end of an exchange

    /// Takes the exchange off; its handler is told when nothing of the session's runs.
    private func finish(_ exchange: ClientExchange, _ error: ClientError?) {
        guard let current else { return }
        if error == nil { completedExchanges += 1 }
        held = 0
        exchange.codec = nil
        exchange.failure = exchange.isClosed ? exchange.failure : error
        ended = current
        self.current = nil
        // Else its block would have two holders, and could not be used again.
        fields = resources.spareFields
        headStart = nil
        idleSince = now
        resources.counters.openStreams -= 1
    }

    /// The connection cannot go on.
    private func end(_ error: ClientError) {
        guard !isOver else { return }
        isOver = true
        fault = error
        current?.with { finish($0, error) }
        requestDrain()
    }

    private func settle() {
        deliver()
        isBusy = false
        if isOver { requestDrain() }
        observer.sessionChanged()
    }

    private func deliver() {
        if drainedDue, let current {
            drainedDue = false
            current.with { if !$0.isClosed { $0.becameDrained() } }
        }
        guard let ended else { return }
        self.ended = nil
        let isReturned = ended.with { deliverEnd(of: $0) }
        if isReturned { _ = ended.take() } else { resources.recycle(ended) }
    }

    private func deliverEnd(of exchange: ClientExchange) -> Bool {
        guard !exchange.isClosed else { return false }
        let isLost = if case .connectionLost? = exchange.failure { true } else { false }
        let isUnsent = if case .head = sending { true } else { false }
        guard isLost, !hasResponse, isUnsent || completedExchanges > 0,
            exchange.canBeSentAgain(isUnprocessed: isUnsent)
        else {
            exchange.streamEnded(exchange.failure)
            return false
        }
        let error = exchange.failure
        exchange.failure = nil
        exchange.rewind()
        if observer.sessionReturns(exchange) { return true }
        exchange.close(error)
        return false
    }

    // MARK: What exchanges ask

    func bodyAvailable(_ exchange: ClientExchange) { requestDrain() }

    func queued(_ exchange: ClientExchange, _ count: Int) -> Bool {
        guard exchange.queue.count > limits.maxQueuedOutput else { return true }
        resources.counters.trip(.queuedOutput)
        exchange.abandon(.limit(.queuedOutput), .cancel)
        return false
    }

    func consumed(_ exchange: ClientExchange, _ count: Int) {
        let wasPaused = isInputPaused
        held = max(0, held - count)
        if wasPaused, !isInputPaused { owner.sessionWantsInput() }
    }

    /// There is no other way to end one than to end the connection.
    func reset(_ exchange: ClientExchange, _ code: HTTP2ErrorCode) {
        guard !isOver else { return }
        isOver = true
        requestDrain()
    }

    // MARK: Bytes out

    public func drain(into region: UnsafeMutableRawBufferPointer, now: UInt64) -> Int {
        precondition(!isBusy, "a session is not drained from within its own callbacks")
        drainRequested = false
        guard !isClosed, !isOver, let base = region.baseAddress, let current else { return 0 }
        self.now = now
        isBusy = true
        var output = unsafe HTTP1Output(base, capacity: region.count)
        current.with { exchange in
            if let error = send(exchange, to: &output) {
                exchange.close(error)
                end(error)
            } else if output.count > 0 {
                exchange.sendProgress = now
            }
        }
        settle()
        return output.count
    }

    public var wantsDrain: Bool { drainRequested }

    /// Whether all is said, and the connection may be closed.
    public var isFinished: Bool { isClosed || (current == nil || isOver) && isExhausted }

    func requestDrain() {
        guard !drainRequested else { return }
        drainRequested = true
        owner.sessionNeedsDrain()
    }

    /// The connection is gone, or is about to be. Not from within a handler.
    public func close(_ reason: CloseReason) {
        guard !isClosed else { return }
        precondition(!isBusy, "a session is not closed from within its own callbacks")
        isClosed = true
        isOver = true
        kept = []
        if let current {
            let error = fault ?? ClientError(reason)
            current.with { finish($0, error) }
        }
        deliver()
        observer.sessionChanged()
    }
}
