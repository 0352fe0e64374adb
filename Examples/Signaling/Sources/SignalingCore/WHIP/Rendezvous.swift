/// A WHIP or WHEP session (RFC 9725): a client that speaks SDP over HTTP, put through to a peer of the room, which answers it.
///
///     joining ──joined, and somebody is there──▶ waiting ──answer──▶ gathering ──candidates, or time──▶ idle
///        └──────────────── reject, time ────────────┴─▶ ended            ▲                               │
///                                                       waiting ◀────────┼── PATCH that restarts ICE ────┘
///
/// It stands for its client in the room: it is told the room's events and says what to send there. No clock: `now` is given.
struct Rendezvous {
    enum Kind: String { case whip, whep }

    enum Action: Hashable {
        /// A message of its session.
        case send([UInt8])
        case reply(RequestKey, Reply)
        /// The end of its session.
        case end
    }

    let kind: Kind
    /// The last part of its URL. Unlike the party id of its session, the room does not learn it.
    let resource: SessionID
    /// What its requests must have as bearer token; nil when the first had none.
    let token: [UInt8]?
    let room: RoomName
    private let call: String
    private let limits: ServiceLimits
    private let born: UInt64

    private var state: State
    private var offer: SessionDescription
    private var neg: UInt64 = 1
    /// The peer that answers.
    private var answerer: String?
    /// Of the ICE session that both sides have agreed on.
    private(set) var tag: EntityTag?
    /// Requests that wait for what becomes of a message of theirs.
    private var sent: [String: RequestKey] = [:]
    private var lastMessage = 0

    private enum State {
        case joining(Negotiation)
        case waiting(Negotiation)
        case gathering(Negotiation, SessionDescription, [TrickledCandidate])
        case idle
    }

    /// An offer that is not answered.
    private struct Negotiation {
        let request: RequestKey
        let offer: SessionDescription
        let deadline: UInt64
        let isRestart: Bool
    }

    init(
        _ kind: Kind, resource: SessionID, room: RoomName, token: [UInt8]?, offer: SessionDescription,
        request: RequestKey, limits: ServiceLimits, now: UInt64
    ) {
        self.kind = kind
        self.resource = resource
        self.room = room
        self.token = token
        self.offer = offer
        self.limits = limits
        call = "\(kind.rawValue)-\(resource.description.suffix(16))"
        born = now
        state = .joining(
            Negotiation(
                request: request, offer: offer, deadline: now + limits.whipAnswer.nanoseconds, isRestart: false))
    }

    /// The request that waits for an answer.
    var pending: RequestKey? { negotiation?.request }

    private var negotiation: Negotiation? {
        switch state {
        case .joining(let negotiation), .waiting(let negotiation), .gathering(let negotiation, _, _): negotiation
        case .idle: nil
        }
    }

    // MARK: What happens

    mutating func begin() -> [Action] {
        [
            .send(
                message("join") { [kind] writer in
                    writer.key("body")
                    writer.object { writer in
                        writer.field("client", kind.rawValue)
                        writer.key("answers")
                        writer.bool(false)
                    }
                })
        ]
    }

    /// An event for its session.
    mutating func receive(_ event: JSONValue, now: UInt64) -> [Action] {
        switch event["t"]?.text {
        case "joined": return found(Self.answerer(among: event["members"]?.elements ?? []))
        case "peer_joined": return found(Self.answerer(among: [event]))
        case "peer_left" where answerer != nil && event["peer"]?.text == answerer:
            return lose("the answering peer left")
        case "room_closed": return lose("the room was closed")
        default: break
        }
        guard event["call"]?.text == call, let answerer, event["from"]?["peer"]?.text == answerer else { return [] }
        switch event["t"]?.text {
        case "answer" where event["neg"]?.integer == Int(neg): return answered(event["body"] ?? .null, now: now)
        case "candidates" where event["neg"]?.integer ?? Int(neg) == Int(neg): return gather(event["body"] ?? .null)
        case "reject": return lose("the answering peer refused", .rejected)
        case "hangup": return lose("the answering peer hung up")
        default: return []
        }
    }

    /// What became of a message of its session.
    mutating func outcome(of id: String, _ error: JSONValue?) -> [Action] {
        if let request = sent.removeValue(forKey: id) {
            return [.reply(request, error.map(Self.problem) ?? .noContent)]
        }
        guard let error, let negotiation else { return [] }
        return fail(negotiation, with: Self.problem(error))
    }

    /// To be called about once a second.
    mutating func tick(now: UInt64) -> [Action] {
        switch state {
        case .gathering(let negotiation, let answer, let candidates) where negotiation.deadline <= now:
            return conclude(negotiation, answer, candidates, areAll: false)
        case .joining(let negotiation) where negotiation.deadline <= now:
            return fail(negotiation, with: Problem.noAnswer.reply("nobody in the room answers"))
        case .waiting(let negotiation) where negotiation.deadline <= now:
            return fail(negotiation, with: Problem.noAnswer.reply("the answering peer did not answer in time"))
        default: return born + limits.whipLifetime.nanoseconds <= now ? hangUp("timeout") : []
        }
    }

    /// The end at the wish of its client.
    mutating func hangUp(_ reason: String) -> [Action] {
        guard answerer != nil else { return [.end] }
        return [.send(toAnswerer("hangup") { $0.object { $0.field("reason", reason) } }), .end]
    }

    // MARK: Requests

    mutating func patch(_ request: RequestKey, ifMatch: String?, _ fragment: ICEFragment, now: UInt64) -> [Action] {
        guard let ifMatch else {
            return [.reply(request, Problem.preconditionRequired.reply("If-Match is missing (RFC 9725 section 4.3.1)"))]
        }
        if ifMatch == "*" { return restart(request, fragment, now: now) }
        guard tag?.isNamed(by: ifMatch) == true else {
            return [.reply(request, Problem.preconditionFailed.reply("If-Match is not the ETag of the ICE session"))]
        }
        guard fragment.ufrag ?? offer.credentials.ufrag == offer.credentials.ufrag else {
            let detail = "ice-ufrag is another session's; a restart has If-Match: *"
            return [.reply(request, Problem.badFragment.reply(detail))]
        }
        guard !fragment.candidates.isEmpty || fragment.isEnd else { return [.reply(request, .noContent)] }
        let message = trickled(fragment)
        sent["w\(lastMessage)"] = request
        return [.send(message)]
    }

    private mutating func restart(_ request: RequestKey, _ fragment: ICEFragment, now: UInt64) -> [Action] {
        guard case .idle = state else {
            return [.reply(request, Problem.restartPending.reply("another restart waits for its answer"))]
        }
        guard let credentials = fragment.credentials, credentials.ufrag != offer.credentials.ufrag,
            let restarted = offer.restarted(credentials, version: neg + 1)
        else {
            return [.reply(request, Problem.badFragment.reply("a restart has a new ice-ufrag and ice-pwd"))]
        }
        neg += 1
        let complete = restarted.adding(fragment.candidates, areAll: fragment.isEnd)
        let negotiation = Negotiation(
            request: request, offer: complete, deadline: now + limits.whipAnswer.nanoseconds, isRestart: true)
        state = .waiting(negotiation)
        return [.send(described(complete))]
    }

    // MARK: The answering peer

    /// Who answers: of those whose metadata says `"answers":true` the one that was there first, else of those that do not say
    /// `false`.
    private static func answerer(among members: [JSONValue]) -> String? {
        let willing = members.filter { $0["meta"]?["answers"] != .bool(false) }
        return (willing.first { $0["meta"]?["answers"] == .bool(true) } ?? willing.first)?["peer"]?.text
    }

    private mutating func found(_ peer: String?) -> [Action] {
        guard let peer, case .joining(let negotiation) = state else { return [] }
        answerer = peer
        state = .waiting(negotiation)
        return [.send(described(negotiation.offer))]
    }

    private mutating func answered(_ body: JSONValue, now: UInt64) -> [Action] {
        guard case .waiting(let negotiation) = state else { return [] }
        guard let text = body["sdp"]?.utf8, let answer = SessionDescription(text, policy: Self.answerBounds) else {
            return fail(negotiation, with: Problem.noAnswer.reply("the answering peer's answer is not SDP"))
        }
        if answer.hasAllCandidates { return conclude(negotiation, answer, [], areAll: true) }
        let deadline = min(negotiation.deadline, now + limits.whipGathering.nanoseconds)
        let gathering = Negotiation(
            request: negotiation.request, offer: negotiation.offer, deadline: deadline, isRestart: negotiation.isRestart
        )
        state = .gathering(gathering, answer, [])
        return []
    }

    private static var answerBounds: SDPPolicy {
        var bounds = SDPPolicy()
        bounds.maxSize = .max
        return bounds
    }

    /// There is no way to tell the client of candidates once it has the answer.
    private mutating func gather(_ body: JSONValue) -> [Action] {
        guard case .gathering(let negotiation, let answer, var candidates) = state else { return [] }
        if let ufrag = body["ufrag"]?.utf8, ufrag != answer.credentials.ufrag { return [] }
        for element in body["candidates"]?.elements ?? [] where candidates.count < limits.candidates {
            guard let line = element["candidate"]?.utf8, ICECandidate(line) != nil else { continue }
            candidates.append(
                TrickledCandidate(line: line, mid: element["sdpMid"]?.utf8, section: element["sdpMLineIndex"]?.integer))
        }
        if body["end"] == .bool(true) { return conclude(negotiation, answer, candidates, areAll: true) }
        state = .gathering(negotiation, answer, candidates)
        return []
    }

    private mutating func conclude(
        _ negotiation: Negotiation, _ answer: SessionDescription, _ candidates: [TrickledCandidate], areAll: Bool
    ) -> [Action] {
        state = .idle
        offer = negotiation.offer
        let tag = EntityTag(offer: offer.credentials, answer: answer.credentials)
        self.tag = tag
        let answer = answer.adding(candidates, areAll: areAll)
        return [.reply(negotiation.request, negotiation.isRestart ? restarted(answer, tag) : created(answer, tag))]
    }

    private func created(_ answer: SessionDescription, _ tag: EntityTag) -> Reply {
        let location = "/\(kind.rawValue)/\(room.percentEncoded)/\(resource)"
        return Reply(
            status: 201, contentType: "application/sdp",
            headers: [.init("location", location), .init("etag", tag.text), .init("cache-control", "no-store")],
            body: answer.text)
    }

    private func restarted(_ answer: SessionDescription, _ tag: EntityTag) -> Reply {
        Reply(
            status: 200, contentType: "application/trickle-ice-sdpfrag",
            headers: [.init("etag", tag.text), .init("cache-control", "no-store")], body: answer.fragment)
    }

    // MARK: Failing

    /// A restart that fails leaves the session as it was (RFC 9725 section 4.3.3).
    private mutating func fail(_ negotiation: Negotiation, with reply: Reply) -> [Action] {
        state = .idle
        let answer = Action.reply(negotiation.request, reply)
        return negotiation.isRestart ? [answer] : [answer] + hangUp("timeout")
    }

    /// The answering peer is gone, and so the session is.
    private mutating func lose(_ detail: String, _ problem: Problem = .noAnswer) -> [Action] {
        let pending = pending
        answerer = nil
        state = .idle
        return (pending.map { [.reply($0, problem.reply(detail))] } ?? []) + [.end]
    }

    private static func problem(_ error: JSONValue) -> Reply {
        let code = error["code"]?.text ?? ""
        let detail = error["detail"]?.text ?? ""
        switch code {
        case "sdp_policy": return Problem.sdpPolicy.reply(detail, rule: error["rule"]?.text)
        // A POST has no place for a password.
        case "forbidden", "password_required", "kicked": return Problem.forbidden.reply(detail)
        // The offer of a restart has reached the peer, also where its answer has not come.
        case "stale": return Problem.preconditionFailed.reply(detail)
        case "bad_message": return Problem.badSDP.reply(detail)
        default: return Problem.noAnswer.reply("\(code): \(detail)")
        }
    }
}

// MARK: - Messages

extension Rendezvous {
    private mutating func message(_ type: String, _ fields: (inout JSONWriter) -> Void) -> [UInt8] {
        lastMessage += 1
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("t", type)
            writer.field("id", "w\(lastMessage)")
            writer.key("room")
            writer.string(utf8: room.utf8)
            fields(&writer)
        }
        return writer.bytes
    }

    private mutating func toAnswerer(_ type: String, _ body: (inout JSONWriter) -> Void) -> [UInt8] {
        let (answerer, call, neg) = (answerer ?? "", call, neg)
        return message(type) { writer in
            writer.field("call", call)
            writer.field("neg", neg)
            writer.key("to")
            writer.object { $0.field("peer", answerer) }
            writer.key("body")
            body(&writer)
        }
    }

    private mutating func described(_ offer: SessionDescription) -> [UInt8] {
        toAnswerer("offer") { [kind] writer in
            writer.object { writer in
                writer.field("type", "offer")
                writer.field("client", kind.rawValue)
                writer.key("sdp")
                writer.string(utf8: offer.text)
            }
        }
    }

    private mutating func trickled(_ fragment: ICEFragment) -> [UInt8] {
        let ufrag = offer.credentials.ufrag
        return toAnswerer("candidates") { writer in
            writer.object { writer in
                writer.key("candidates")
                writer.array { writer in
                    for candidate in fragment.candidates { Self.write(candidate, &writer) }
                }
                writer.key("ufrag")
                writer.string(utf8: ufrag)
                writer.key("end")
                writer.bool(fragment.isEnd)
            }
        }
    }

    private static func write(_ candidate: TrickledCandidate, _ writer: inout JSONWriter) {
        writer.object { writer in
            writer.key("candidate")
            writer.string(utf8: candidate.line)
            if let mid = candidate.mid {
                writer.key("sdpMid")
                writer.string(utf8: mid)
            }
            writer.field("sdpMLineIndex", candidate.section ?? 0)
        }
    }
}
