/// What a node needs of the loop that it runs on.
package protocol NodeOutlet: AnyObject {
    /// Sends to another loop; false when its mailbox is full, and the message was not taken.
    func post(_ message: LoopMessage, to loop: Int) -> Bool
    /// Answers a request.
    func reply(_ request: RequestKey, _ reply: Reply)
    /// Answers a request by an event stream, which begins.
    func startStream(_ stream: StreamID, _ transport: Transport, _ resumption: Resumption)
    /// Writes to a stream, by WebSocket one message; false when it shall write no more until it has drained.
    func write(_ stream: StreamID, _ bytes: [UInt8]) -> Bool
    func endStream(_ stream: StreamID, _ reason: StreamEnd)
    /// What became of a message that came with this tag: `{"ok":true}` or `{"error":…}`.
    func acknowledge(_ stream: StreamID, _ tag: UInt64, _ result: [UInt8])
    /// Takes no more messages from a duplex stream.
    /// A stream carries the events of a session from now on.
    func attached(_ stream: StreamID, to session: SessionID, by transport: Transport)
    func pauseReading(_ stream: StreamID)
    func resumeReading(_ stream: StreamID)
    /// The version of HTTP that carries a stream: `1.1` or `2`.
    func httpVersion(of stream: StreamID) -> String
    /// Bytes that were written to a stream and that its peer has not taken.
    func queuedBytes(of stream: StreamID) -> Int
    /// Finds out whose token it is, and then calls ``SignalingNode/verified(_:_:now:)``.
    func verify(_ check: TokenCheck)
    /// The relays that a client is given: a JSON array of what `RTCPeerConnection` takes as `iceServers`.
    func iceServers(for identity: Identity) -> [UInt8]
    /// The same as values of `Link` (RFC 9725 section 4.6), for clients of WHIP and WHEP.
    func iceLinks(for identity: Identity) -> [String]
    /// What the loop and its connections have counted.
    func measures() -> OutletMeasures
}

extension NodeOutlet {
    package func acknowledge(_ stream: StreamID, _ tag: UInt64, _ result: [UInt8]) {}
    package func attached(_ stream: StreamID, to session: SessionID, by transport: Transport) {}
    package func verify(_ check: TokenCheck) {}
    package func iceServers(for identity: Identity) -> [UInt8] { Array("[]".utf8) }
    package func iceLinks(for identity: Identity) -> [String] { [] }
    package func httpVersion(of stream: StreamID) -> String { "unknown" }
    package func queuedBytes(of stream: StreamID) -> Int { 0 }
    package func measures() -> OutletMeasures { OutletMeasures() }
}

/// The part of the service that lives on one loop: the sessions that were made there, the rooms whose names fall there, the
/// event streams of its connections. Nodes share nothing and tell each other ``LoopMessage``s.
///
/// A request goes from the loop of its connection to that of the session; a message from there by the loop of the room to
/// that of the target, and its outcome back. What arrives at a node is handled to its end before the next.
package final class SignalingNode {
    let loop: Int
    let loops: Int
    private(set) var limits: ServiceLimits
    let outlet: any NodeOutlet
    var random: any RandomNumberGenerator
    /// What it has counted. Whoever counts adds to it on the loop.
    package var statistics = NodeStatistics()
    /// Who is told of sessions and rooms.
    package weak var observer: (any NodeObserver)?

    var sessions: [SessionID: Session] = [:]
    var rooms: [RoomName: Room] = [:]
    var streams: [StreamID: EventStream] = [:]
    /// WHIP and WHEP sessions, by the last part of their URLs.
    var resources: [SessionID: SessionID] = [:]
    /// Requests that stand for messages of theirs.
    var whipRequests: [RequestKey: SessionID] = [:]
    /// Sessions and rooms in the order in which they came, for operators.
    var sessionRegister = Register<SessionID>()
    var roomRegister = Register<RoomName>()
    var desk = AdminDesk()
    /// Nil unless it drains.
    var drainPlan: DrainPlan?
    var graces: DeadlineQueue<(SessionID, detachments: Int)>
    var sweeps: DeadlineQueue<SessionID>
    /// Sessions for which something waits that is of use for a limited time.
    var expiring: Set<SessionID> = []
    /// Sessions with a stream for which something found no place, and what their streams had taken when it did.
    var overflowing: [SessionID: Int] = [:]
    /// Rooms without a roster whose number of members has changed.
    var recounted: Set<RoomName> = []
    /// Rooms where candidates wait for their description.
    var holding: Set<RoomName> = []
    var pings: DeadlineQueue<StreamID>
    var access: AccessState
    var claims = ClaimTable()
    var denied: DeniedSessions
    /// How long tickets that are out may be good.
    private(set) var longestTicket: Duration
    /// Clients have to show tokens.
    package var requiresToken = false
    var hellos: DeadlineQueue<StreamID>
    var polls: DeadlineBuckets<StreamID>

    let signer: any TicketSigner
    /// Of the sessions that begin here.
    let epoch: UInt32
    /// The highest that a session here has had.
    var latestEpoch: UInt32

    private(set) var now: Moment
    private var lastRequest: UInt64 = 0
    /// What this node tells itself.
    private var own = FIFO<LoopMessage>()
    private var outbox = Outbox()
    private var isRunning = false

    /// - Parameters:
    ///   - loop: which of the `loops` it runs on, from 0.
    ///   - random: must be cryptographically secure: tokens come from it.
    ///   - signer: of resume tickets.
    ///   - rates: what it counts together with the other nodes; nil counts alone.
    ///   - epoch: a number that grows from start to start of the service: its start in seconds.
    package init(
        loop: Int, of loops: Int, limits: ServiceLimits, random: any RandomNumberGenerator,
        signer: any TicketSigner, rates: SharedRates? = nil, epoch: UInt32, now: Moment, outlet: any NodeOutlet
    ) {
        precondition((0..<loops).contains(loop))
        self.loop = loop
        self.loops = loops
        self.limits = limits
        self.random = random
        self.signer = signer
        self.epoch = epoch
        latestEpoch = epoch
        self.outlet = outlet
        self.now = now
        graces = DeadlineQueue(delay: limits.sessionGrace)
        sweeps = DeadlineQueue(delay: limits.logAge)
        pings = DeadlineQueue(delay: limits.pingInterval)
        denied = DeniedSessions(capacity: limits.deniedSessions)
        longestTicket = limits.ticketLifetime
        access = AccessState(
            limits: limits, shared: rates ?? SharedRates(limits: limits, now: now), now: now)
        hellos = DeadlineQueue(delay: limits.helloTimeout)
        polls = DeadlineBuckets(now: now.nanoseconds)
    }

    /// How many sessions live here.
    package var sessionCount: Int { sessions.count }
    /// How many rooms live here.
    package var roomCount: Int { rooms.count }

    /// Takes other limits from now on. What was made under the old ones keeps them: the logs of sessions, deadlines that are set.
    package func replaceLimits(_ limits: ServiceLimits) {
        self.limits = limits
        longestTicket = max(longestTicket, limits.ticketLifetime)
        graces.delay = limits.sessionGrace.nanoseconds
        sweeps.delay = limits.logAge.nanoseconds
        pings.delay = limits.pingInterval.nanoseconds
    }

    /// A name for a request of this loop.
    package func nextRequest() -> RequestKey {
        lastRequest += 1
        return RequestKey(loop: loop, number: lastRequest)
    }

    /// Another loop has sent this.
    package func receive(_ message: LoopMessage, now: Moment) { run(now) { handle(message) } }

    /// To be called about once a second: deadlines are seen to here.
    package func tick(now: Moment) {
        run(now) {
            endAbandonedSessions()
            sweepLogs()
            seeToOverflows()
            dropLapsed()
            tellOccupancy()
            pingStreams()
            endSilentStreams()
            endDuePolls()
            endLateQuestions()
            seeToTokens()
            tickRendezvous()
        }
    }

    /// Messages to other loops, whose mailboxes are full.
    var outboxCount: Int { outbox.count }

    // MARK: Running

    /// Does `work` and all that it causes on this loop. The outlet may call back in between.
    func run(_ now: Moment, _ work: () -> Void) {
        self.now = now
        guard !isRunning else { return work() }
        isRunning = true
        work()
        while let message = own.popFirst() { handle(message) }
        outbox.flush { outlet.post($0, to: $1) }
        isRunning = false
    }

    /// Sends what must arrive.
    func post(_ message: LoopMessage, to loop: Int) {
        if loop == self.loop {
            own.append(message)
        } else if outbox.isCongested(loop) || !outlet.post(message, to: loop) {
            outbox.append(message, to: loop)
        }
    }

    /// Sends what may be refused.
    ///
    /// - Returns: whether it was sent.
    func offer(_ message: LoopMessage, to loop: Int) -> Bool {
        guard loop != self.loop else {
            own.append(message)
            return true
        }
        return !outbox.isCongested(loop) && outlet.post(message, to: loop)
    }

    /// Whether something waits for a place in that loop's mailbox.
    func isCongested(_ loop: Int) -> Bool { outbox.isCongested(loop) }

    private func handle(_ message: LoopMessage) {
        switch message {
        case .call(let call): answer(call)
        case .rendezvous(let call): answer(call)
        case .ask(let loop, let number, let question): post(.answer(self.loop, number, answer(question)), to: loop)
        case .answer(let loop, let number, let answer): answered(number, by: loop, answer)
        case .expel(let room, let sessions, let tail): expel(room, sessions, tail)
        case .written(let session, let stream, let count): written(session, stream, count)
        case .detached(let session, let stream): detached(session, stream)
        case .reply(let request, let reply): refusedOrDone(request, reply)
        case .attached(let stream, let attachment): attached(stream, attachment)
        case .answers(let stream, let lines, let frame): answered(stream, lines, frame)
        case .deliver(let stream, let events): deliver(stream, events)
        case .endStream(let stream, let reason): end(stream, reason)
        case .join(let room, let sender, let operation, let meta, let password):
            join(room, sender, operation, meta, password)
        case .moderate(let room, let sender, let operation, let action): moderate(room, sender, operation, action)
        case .update(let room, let session, let operation, let meta): update(room, session, operation, meta)
        case .leave(let room, let session, let operation, let reason): leave(room, session, operation, reason)
        case .relay(let relay): pass(relay)
        case .presence(let sessions, let tail): tell(sessions, tail)
        case .occupancy(let sessions, let room, let tail): tell(sessions, tail, .occupancy(room))
        case .roster(let sessions, let room, let peer, let change, let tail):
            tell(sessions, tail, .presence(room, peer, change))
        case .withdraw(let session, let relay): withdraw(relay, from: session)
        case .undelivered(let relay, let target): rooms[relay.room]?.calls.retract(relay, for: target)
        case .joined(let room, let session, let operation, let tail): joined(room, session, operation, tail)
        case .inbound(let relay): accept(relay)
        case .misaddressed(let relay): refuse(relay)
        case .fanOut(let sessions, let relay): accept(relay, for: sessions)
        case .outcome(let session, let operation, let error): finish(session, operation, error)
        case .fate(let session, let tail): tell([session], tail)
        case .claim(let subject, let session): claim(subject, for: session)
        case .claimed(let session, let subject, let isAdmitted): claimed(session, subject, isAdmitted)
        case .release(let subject, let session): released(subject, session)
        case .replace(let session): replace(session)
        }
    }
}
