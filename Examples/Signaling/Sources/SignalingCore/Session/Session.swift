/// A peer's presence on the service. Belongs to the loop that its id names.
final class Session {
    let id: SessionID
    let token: SessionToken
    /// Who its client has shown to be; `to.user` names its subject.
    var identity: Identity { didSet { fingerprints = identity.pinned } }
    /// Of the DTLS certificates that its descriptions may name; nil when its token does not say.
    private(set) var fingerprints: Set<DTLSFingerprint>?
    /// Its client knows that its token is about to expire.
    var isTokenWarned = false
    /// How many messages it may send.
    var allowance: TokenBucket
    /// How many those of its subject may send, on whatever loop; nil in development mode.
    var subjectAllowance: SharedBucket?
    /// How many passwords of rooms it may try.
    var guesses: TokenBucket
    /// Its subject, when the loop of that counts it.
    var claim: Identifier?
    /// Where its client came from when it said hello, or resumed.
    var address: ClientAddress?
    /// What its events go to and its messages come from, when it is one of WHIP or WHEP: it has no stream then.
    var rendezvous: Rendezvous?
    var log: ReplayLog
    /// The stream that carries its events now.
    var stream: StreamID?
    /// Bytes that the stream has been sent and has not written yet.
    var inFlight = 0
    /// Since when the stream has not taken anything that it was sent, in nanoseconds.
    var stalledSince: UInt64 = 0
    /// Counts what streams have taken, to know whether they do.
    var progress = 0
    /// Counts the times that it lost its stream, to know an old deadline.
    var detachments = 0
    /// A look at the age of its log is due some time.
    var isSweepScheduled = false
    /// The rooms that it may be in: joined, or asked for.
    var rooms: Set<RoomName> = []
    /// Requests that wait for the results of their messages.
    var requests: [UInt64: PendingRequest] = [:]
    var outgoing = OutgoingMessages()
    var recent: RecentIDs
    /// Its client has said bye, which is done when all before it is.
    var farewell: Waiter?
    /// In milliseconds since 1970.
    let startedAt: Int64
    /// What carries its events, or did last.
    var transport: Transport?
    /// Its last events, for operators.
    var flight: FlightRecorder
    private var lastRequest: UInt64 = 0

    init(
        id: SessionID, token: SessionToken, identity: Identity, address: ClientAddress?, epoch: UInt32,
        limits: ServiceLimits, now: Moment
    ) {
        self.id = id
        self.token = token
        self.identity = identity
        fingerprints = identity.pinned
        allowance = TokenBucket(limits.sessionRate, now: now.nanoseconds)
        guesses = TokenBucket(limits.guessRate, now: now.nanoseconds)
        self.address = address
        log = ReplayLog(epoch: epoch, limits: limits)
        startedAt = now.unixMilliseconds
        recent = RecentIDs(capacity: limits.recentIDs)
        flight = FlightRecorder(capacity: limits.flightEvents, now: now.nanoseconds)
    }

    var asSender: Sender { asSender(isMute: false) }

    func asSender(isMute: Bool) -> Sender {
        let standing: Standing =
            rendezvous != nil ? .mute : identity.isAdministrator ? .administrator : isMute ? .mute : .usual
        return Sender(
            session: id, subject: identity.subject, maxPeers: identity.maxPeers, standing: standing, address: address)
    }

    /// Keeps the request until all its results are there.
    func await(_ request: PendingRequest) -> UInt64 {
        lastRequest += 1
        requests[lastRequest] = request
        return lastRequest
    }

    /// Gives one message of a request its result.
    ///
    /// - Returns: the request, when that was the last one.
    func settle(_ waiter: Waiter, _ error: MessageError?) -> PendingRequest? {
        guard let request = requests[waiter.request] else { return nil }
        request.errors[waiter.index] = error
        request.missing -= 1
        guard request.missing == 0 else { return nil }
        requests[waiter.request] = nil
        return request
    }
}

/// A request whose messages are on their way.
final class PendingRequest {
    /// The request, or the stream by which it came.
    let origin: RequestKey
    /// What it came in, when it came by a stream.
    let frame: FrameMark?
    let ids: [Identifier?]
    let types: [MessageType]
    var errors: [MessageError?]
    /// Results that have not come.
    var missing: Int

    init(origin: RequestKey, frame: FrameMark?, messages: [ReceivedMessage]) {
        self.origin = origin
        self.frame = frame
        ids = messages.map(\.id)
        types = messages.map(\.type)
        errors = Array(repeating: nil, count: messages.count)
        missing = messages.count
    }

    /// To a stream: a line for each message that wants an answer; or what answers its only message, if its frame has a tag.
    var answers: [UInt8] {
        if frame?.tag != nil { return Reply.result(ids.first ?? nil, errors.first ?? nil) }
        var lines: [UInt8] = []
        for ((id, type), error) in zip(zip(ids, types), errors) {
            if error == nil, id == nil, type != .ping { continue }
            lines += ServerEvent.answer(
                error.map { (code: $0.code.rawValue, detail: $0.detail) }, rule: error?.rule, to: id, of: type)
        }
        return lines
    }

    var reply: Reply { .results(zip(ids, errors).map { (id: $0, error: $1) }) }
}

/// One message of a pending request.
struct Waiter {
    let request: UInt64
    let index: Int
}

/// The ids of messages that were accepted lately: a repeat of one is answered like the first and has no effect.
struct RecentIDs {
    private let capacity: Int
    private var order = FIFO<Identifier>()
    private var ids: Set<Identifier> = []

    init(capacity: Int) { self.capacity = capacity }

    func contains(_ id: Identifier) -> Bool { ids.contains(id) }

    mutating func insert(_ id: Identifier) {
        guard ids.insert(id).inserted else { return }
        order.append(id)
        if order.count > capacity, let oldest = order.popFirst() { ids.remove(oldest) }
    }
}
