public import HelioHTTP
public import HelioReactor
internal import HelioTLS

/// One connection, accepted or made: a core and the socket whose bytes it speaks. Loop thread.
///
/// A handler sees it as ``HelioHTTP/Exchange/connection``, to learn who the peer is; a client's handler as
/// ``HelioHTTP/ClientExchange/connection``.
@safe public final class Connection: EventSource, ConnectionCoreOwner {
    private let keeper: any ConnectionKeeper
    private let loop: EventLoop
    private let resources: LoopResources
    private var socket: Socket?
    private var token: Token?
    private var made: ConnectionCore?
    private var timer: LoopTimer?
    private var timerDeadline = UInt64.max
    /// Ciphertext that the socket has not taken.
    private var unsent = ByteQueue()
    private var unsentSince: UInt64 = 0
    private var state: State = [.writable]
    /// Which connection of its loop's it is, counted from 1 as a server accepts them; 0 for one that a client made. With the number of
    /// the loop it names the connection in a log.
    public internal(set) var serial = 0
    /// Its place among the connections of its loop.
    var slot = -1

    private struct State: OptionSet {
        let rawValue: UInt16
        /// The socket has not refused bytes since it last reported room.
        static let writable = State(rawValue: 1 << 0)
        /// It stands on the list of those to flush at the end of this iteration.
        static let dirty = State(rawValue: 1 << 1)
        /// It stands on the list of those that have another turn.
        static let resuming = State(rawValue: 1 << 2)
        /// There may be more to read, and no edge will say so.
        static let unread = State(rawValue: 1 << 3)
        /// The end of the input was reported: read up to it.
        static let inputEnds = State(rawValue: 1 << 4)
        /// All is sent; what still comes is thrown away until the peer closes.
        static let lingering = State(rawValue: 1 << 5)
        static let closed = State(rawValue: 1 << 6)
        /// The peer's bytes are being taken; what there is to answer follows right after.
        static let reading = State(rawValue: 1 << 8)
        /// The connection ends, in a turn of its own.
        static let closing = State(rawValue: 1 << 7)
        /// The core goes on with the input that it has kept, in a turn of its own.
        static let inputWanted = State(rawValue: 1 << 9)
    }

    /// How long a peer has to close after our last byte, before the socket is closed over what it still sends.
    private static let lingerTime: UInt64 = 2_000_000_000

    init(_ socket: consuming Socket, keeper: any ConnectionKeeper) {
        self.keeper = keeper
        loop = keeper.loop
        resources = keeper.resources
        self.socket = consume socket
    }

    private var core: ConnectionCore {
        guard let made else { preconditionFailure("a connection is opened before it is used") }
        return made
    }

    /// Registers the socket, once for its life, and starts the protocol.
    ///
    /// - Parameter makeCore: makes the core, whose owner is this connection.
    func open(_ makeCore: (Connection) -> ConnectionCore) throws(Errno) {
        let descriptor = socket?.descriptor ?? -1
        token = try loop.watch(descriptor, .connection, self)
        let timer = LoopTimer(on: loop) { [self] in timerFired() }
        self.timer = timer
        made = makeCore(self)
        armTimer(at: core.nextDeadline(now: loop.now))
    }

    // MARK: Events

    public func ready(_ readiness: Readiness) {
        guard !state.contains(.closed) else { return }
        if readiness.contains(.output), !state.contains(.writable) {
            state.insert(.writable)
            markDirty()
        }
        if !readiness.isDisjoint(with: Readiness.lastWords) { state.insert(.inputEnds) }
        if readiness.contains(.input) || state.contains(.inputEnds) { readOnce(inTurn: false) }
    }

    public func resume() {
        state.remove(.resuming)
        if state.contains(.closing) { return closeInTurn() }
        guard !state.contains(.closed) else { return }
        if state.contains(.inputWanted) { resumeInput() }
        if state.contains(.unread) { readOnce(inTurn: true) }
        if made?.wantsDrain == true { markDirty() }
    }

    public func iterationEnds() {
        // Answered already, right after the input that asked for it.
        guard state.contains(.dirty) else { return }
        state.remove(.dirty)
        guard !state.contains(.closed), !state.contains(.closing) else { return }
        flush()
    }

    func coreNeedsDrain() { markDirty() }

    func coreWantsInput() {
        state.insert(.inputWanted)
        takeAnotherTurn()
    }

    private func markDirty() {
        guard !state.contains(.dirty) else { return }
        state.insert(.dirty)
        guard !state.contains(.reading) else { return }
        loop.atEndOfIteration(self)
    }

    private func takeAnotherTurn() {
        guard !state.contains(.resuming) else { return }
        state.insert(.resuming)
        loop.again(self)
    }

    // MARK: Reading

    /// Reads once, or up to the end of the input when that was reported: no further edge follows it.
    ///
    /// - Parameter inTurn: the connection has waited for this, since an earlier iteration.
    private func readOnce(inTurn: Bool) {
        if core.isInputPaused, !state.contains(.lingering) {
            state.insert(.unread)
            return
        }
        state.remove(.unread)
        if state.contains(.lingering) { return discardInput() }
        if core.isHandshaking, !keeper.admitsHandshake(inTurn: inTurn) {
            state.insert(.unread)
            return takeAnotherTurn()
        }
        state.insert(.reading)
        var transfer = receive()
        if case .bytes(let count) = transfer, unsafe count < resources.received.count, state.contains(.inputEnds) {
            transfer = receive()
        }
        state.remove(.reading)
        switch transfer {
        case .bytes(let count):
            guard unsafe count == resources.received.count || state.contains(.inputEnds) else { break }
            state.insert(.unread)
            takeAnotherTurn()
        case .wouldBlock: break
        case .end:
            // What came before the end may have its answer already: it goes out before the socket does.
            let goesOn = core.endInput(now: loop.now)
            answer()
            guard goesOn || made?.isFinished == true && !unsent.isEmpty else { return beginClose() }
            return limitTimer()
        case .failed: return beginClose()
        }
        limitTimer()
        answer()
    }

    private func resumeInput() {
        state.remove(.inputWanted)
        guard !state.contains(.lingering), made != nil else { return }
        state.insert(.reading)
        core.resumeInput(now: loop.now)
        state.remove(.reading)
        limitTimer()
        answer()
    }

    /// Sends what the input has brought about. At once: a loop that first reads all its connections and then writes to them
    /// has forgotten, as its caches go, what the first of them asked for.
    private func answer() {
        guard state.contains(.dirty) || core.isFinished else { return }
        state.remove(.dirty)
        flush()
    }

    private func receive() -> Socket.Transfer {
        guard let transfer = unsafe socket?.receive(into: resources.received) else { return .end }
        if case .bytes(let count) = transfer {
            resources.counters.bytesReceived += count
            unsafe core.receive(UnsafeRawBufferPointer(rebasing: resources.received[..<count]), now: loop.now)
        }
        return transfer
    }

    private func discardInput() {
        for _ in 0..<4 {
            switch unsafe socket?.receive(into: resources.received) {
            case .bytes: continue
            case .wouldBlock: return
            default: return beginClose()
            }
        }
        state.insert(.unread)
        takeAnotherTurn()
    }

    // MARK: Writing

    /// Gives the socket what the core has, once. While ciphertext is unsent nothing new is sealed: what is urgent would
    /// queue behind it.
    private func flush() {
        guard state.contains(.writable), !state.contains(.lingering) else { return }
        if !unsent.isEmpty, !sendUnsent() { return }
        let count = unsafe core.drain(into: resources.outgoing, now: loop.now)
        if count > 0 {
            let isTaken = unsafe send(UnsafeRawBufferPointer(rebasing: resources.outgoing[..<count]))
            guard isTaken else { return }
        }
        var hasPeer = true
        core.passSource(now: loop.now) { source, exchange in pass(source, for: exchange, &hasPeer) }
        guard hasPeer else { return beginClose() }
        if core.isFinished { return finish() }
        if core.wantsDrain { takeAnotherTurn() }
        limitTimer()
    }

    /// Answers whether all of it was taken and the connection goes on.
    private func send(_ bytes: UnsafeRawBufferPointer) -> Bool {
        switch unsafe socket?.send(bytes) {
        case .bytes(let count):
            resources.counters.bytesSent += count
            if count == bytes.count { return true }
            unsafe unsent.append(UnsafeRawBufferPointer(rebasing: bytes[count...]))
        case .wouldBlock: unsafe unsent.append(bytes)
        default:
            beginClose()
            return false
        }
        state.remove(.writable)
        unsentSince = loop.now
        limitTimer()
        return false
    }

    /// Has the kernel send a file's bytes.
    private func pass(_ source: any BodySource, for exchange: Exchange, _ hasPeer: inout Bool) -> BodyRead? {
        guard let body = source as? FileBody, let passed = socket?.pass(body, for: exchange) else { return .failed }
        switch passed {
        case .bytes(let count):
            resources.counters.bytesSent += count
            return .bytes(count)
        case .full:
            state.remove(.writable)
            return nil
        case .peerGone:
            hasPeer = false
            return nil
        case .later: return .later
        case .failed: return .failed
        }
    }

    private func sendUnsent() -> Bool {
        let transfer = unsafe unsent.withBytes { bytes in unsafe socket?.send(bytes) ?? .end }
        switch transfer {
        case .bytes(let count):
            resources.counters.bytesSent += count
            unsent.consume(count)
            unsentSince = loop.now
            if unsent.isEmpty { return true }
            state.remove(.writable)
        case .wouldBlock: state.remove(.writable)
        default: beginClose()
        }
        return false
    }

    // MARK: Time

    private func armTimer(at deadline: UInt64) {
        timerDeadline = deadline
        guard let timer else { return }
        if deadline == UInt64.max { timer.cancel() } else { timer.schedule(at: deadline) }
    }

    /// Something may have begun that has a timeout. The timer is moved only when it would come too late for that, so a
    /// busy connection arms it once in a while and not with every request.
    @inline(__always)
    private func limitTimer() {
        guard let made, timerDeadline > loop.now &+ made.shortestTimeout else { return }
        armTimer(at: loop.now &+ made.shortestTimeout)
    }

    private func timerFired() {
        guard !state.contains(.closed), let made else { return }
        if state.contains(.lingering) { return beginClose() }
        made.expire(now: loop.now)
        var deadline = made.nextDeadline(now: loop.now)
        if !unsent.isEmpty {
            let limit = unsentSince &+ resources.limits.sendTimeout.nanoseconds
            if loop.now >= limit {
                resources.trip(.sendTimeout)
                return beginClose(.limit(.sendTimeout))
            }
            deadline = min(deadline, limit)
        }
        if made.isFinished { markDirty() }
        // What is overdue and still there has another look soon, not in this millisecond again and again.
        armTimer(at: deadline == UInt64.max ? deadline : max(deadline, loop.now &+ 1_000_000))
    }

    // MARK: The end

    /// Admits no further streams and lets those that are open finish.
    func beginShutdown() {
        guard let made, !state.contains(.closing), !state.contains(.closed) else { return }
        made.beginShutdown(now: loop.now)
        if made.isFinished { return beginClose(.shutdown) }
        armTimer(at: made.nextDeadline(now: loop.now))
    }

    /// All is sent: say so, and wait for the peer to close, as closing over unread input would reset the connection and
    /// take away from the peer what it has not read yet.
    private func finish() {
        if made?.endsAbruptly == true {
            socket?.breakOffOnClose()
            return beginClose()
        }
        made?.close(.connectionLost)
        socket?.shutdownOutput()
        state.insert(.lingering)
        armTimer(at: loop.now &+ Self.lingerTime)
        if state.contains(.inputEnds) { discardInput() }
    }

    /// Ends the connection, now or in one of the next iterations: so many leave at once that those who stay would wait.
    func beginClose(_ reason: CloseReason = .connectionLost) {
        guard !state.contains(.closing), !state.contains(.closed) else { return }
        closeReason = reason
        if keeper.admitsClose() { return close() }
        state.insert(.closing)
        takeAnotherTurn()
    }

    private var closeReason = CloseReason.connectionLost

    /// The loop has ended: no turn comes any more.
    func abandon() {
        guard !state.contains(.closed) else { return }
        closeReason = .shutdown
        close()
    }

    private func closeInTurn() {
        guard keeper.admitsClose() else { return takeAnotherTurn() }
        close()
    }

    private func close() {
        state.insert(.closed)
        state.remove(.closing)
        timer?.cancel()
        timer = nil
        if let token { loop.forget(token) }
        token = nil
        if let error = made?.proxy?.error { keeper.proxyRefused(error.description) }
        made?.close(closeReason)
        made = nil
        unsent.removeAll()
        socket = nil
        keeper.closed(self)
    }

    // MARK: Who it is

    /// What ``peerHost`` has found out.
    private lazy var hostText = peerAddress.map { $0.isUnix ? "unix:" : $0.host } ?? "-"
    /// The host of ``peerAddress`` as a text, made once for the connection; `unix:` for a Unix socket, `-` when it is not known.
    public var peerHost: String { hostText }

    var socketPeer: SocketAddress? { try? socket?.peerAddress() }
    /// Where it came in.
    public var localAddress: SocketAddress? { try? socket?.localAddress() }
    /// The connection as HTTP/2 has it: ping, settings, goodbye, windows; nil over HTTP/1.1, and after the end.
    public var http2: HTTP2Connection? { made?.http2 }
    /// The loop that carries it.
    public var eventLoop: EventLoop { loop }
    /// What its server, or its client, holds and has counted on that loop, this connection included.
    public var loopSnapshot: LoopSnapshot { keeper.snapshot }
    /// What its protocols know; nil when it is gone.
    var protocols: ConnectionCore? { made }
}

extension Exchange {
    /// The connection that carries the exchange; nil after its end.
    public var connection: Connection? { (owner as? ConnectionCore)?.owner as? Connection }
}
