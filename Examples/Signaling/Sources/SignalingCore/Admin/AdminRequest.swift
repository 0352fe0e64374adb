/// What an operator asks of the service, whatever loop has it.
package enum AdminRequest: Sendable {
    case sessions(cursor: String?, limit: Int)
    case rooms(cursor: String?, limit: Int)
    case session(String)
    case flight(String)
    case endSession(String)
    case tellSession(String, body: [UInt8])
    case room([UInt8])
    case closeRoom([UInt8])
    case removeMember(room: [UInt8], session: String)
    case tellRoom([UInt8], body: [UInt8])
    case drain(within: Duration)
    case undrain
    case drainState
    case status
    case metrics

    /// Entries of a page, unless it says otherwise, and at most.
    package static let pageSize = 100
    package static let maxPageSize = 1000
}

extension SignalingNode {
    /// Answers an operator, later on this loop.
    package func serve(
        _ request: AdminRequest, for asker: AdminAsker = .operators, now: Moment, reply: @escaping (Reply) -> Void
    ) {
        switch request {
        case .sessions(let cursor, let limit): list(.sessions, cursor, limit, asker, now, reply)
        case .rooms(let cursor, let limit): list(.rooms, cursor, limit, asker, now, reply)
        case .session(let sid): about(sid, { .session($0) }, asker, now, reply)
        case .flight(let sid): about(sid, { .flight($0) }, asker, now, reply)
        case .endSession(let sid): about(sid, { .endSession($0) }, asker, now, reply)
        case .tellSession(let sid, let body): about(sid, { .tellSession($0, body: body) }, asker, now, reply)
        case .room(let name): about(name, { .room($0) }, asker, now, reply)
        case .closeRoom(let name): about(name, { .closeRoom($0) }, asker, now, reply)
        case .tellRoom(let name, let body): about(name, { .tellRoom($0, body: body) }, asker, now, reply)
        case .removeMember(let name, let sid):
            guard let id = SessionID(sid) else { return reply(Problem.noSuchMember.reply("no such member")) }
            about(name, { .removeMember($0, id) }, asker, now, reply)
        case .drain(let within): all(.drain(within: within), asker, now, reply) { Self.drainReply($0) }
        case .undrain: all(.undrain, asker, now, reply) { Self.drainReply($0) }
        case .drainState: all(.drainState, asker, now, reply) { Self.drainReply($0) }
        case .status: all(.measures, asker, now, reply) { StatusText(Self.measures($0)).reply }
        case .metrics: all(.measures, asker, now, reply) { MetricsText(Self.measures($0)).reply }
        }
    }

    // MARK: One session or room

    private func about(
        _ sid: String, _ question: (SessionID) -> AdminQuestion, _ asker: AdminAsker, _ now: Moment,
        _ reply: @escaping (Reply) -> Void
    ) {
        let unknown = Self.noSuchSession
        guard let id = SessionID(sid), id.loop < loops else { return reply(unknown) }
        ask(question(id), of: [id.loop], for: asker, now: now) { reply(Self.reply($0, unknown)) }
    }

    private func about(
        _ name: [UInt8], _ question: (RoomName) -> AdminQuestion, _ asker: AdminAsker, _ now: Moment,
        _ reply: @escaping (Reply) -> Void
    ) {
        let unknown = Problem.noSuchRoom.reply("no such room, or no such member in it")
        guard let room = RoomName(name, maxSize: limits.identifierSize) else { return reply(unknown) }
        ask(question(room), of: [room.loop(of: loops)], for: asker, now: now) { reply(Self.reply($0, unknown)) }
    }

    private static func reply(_ outcome: AdminOutcome, _ unknown: Reply) -> Reply {
        switch outcome {
        case .busy: busy
        case .timeout: late
        case .answers(let answers):
            switch answers.first {
            case .object(let bytes): Reply(status: 200, contentType: "application/json", headers: fresh, body: bytes)
            case .done(let count): .json(200, headers: fresh) { $0.field("sessions", count) }
            default: unknown
            }
        }
    }

    static let busy = Problem.busy.reply("too much is asked already: try again later")
    static let late = Problem.timeout.reply("a loop did not answer in time")
    static let fresh = [Reply.Header("cache-control", "no-store")]

    // MARK: All loops

    private func all(
        _ question: AdminQuestion, _ asker: AdminAsker, _ now: Moment, _ reply: @escaping (Reply) -> Void,
        _ make: @escaping ([AdminAnswer]) -> Reply
    ) {
        askAll(question, for: asker, now: now) { outcome in
            switch outcome {
            case .busy: reply(Self.busy)
            case .timeout: reply(Self.late)
            case .answers(let answers): reply(make(answers))
            }
        }
    }

    private static func measures(_ answers: [AdminAnswer]) -> [LoopMeasures] {
        answers.compactMap { if case .measures(let measures) = $0 { measures } else { nil } }
    }

    private static func drainReply(_ answers: [AdminAnswer]) -> Reply {
        var state = DrainState()
        for case .drain(let part) in answers { state.add(part) }
        return .json(200, headers: fresh) { writer in
            writer.key("draining")
            writer.bool(state.isDraining)
            writer.field("told", state.told)
            writer.field("left", state.left)
        }
    }
}

// MARK: - Pages

extension SignalingNode {
    private enum Listed: String { case sessions, rooms }

    /// A page that has been filled so far. Its loops are asked one after the other, so that a page is never larger than asked for.
    private struct Page {
        let listed: Listed
        let limit: Int
        var loop: Int
        var number: UInt64
        var objects: [[UInt8]] = []

        var question: AdminQuestion {
            let left = limit - objects.count
            return listed == .sessions
                ? .sessions(after: number, limit: left) : .rooms(after: number, limit: left)
        }

        func reply(cursor: String?) -> Reply {
            .json(200, headers: SignalingNode.fresh) { writer in
                writer.key(listed.rawValue)
                writer.array { writer in for object in objects { writer.raw(object) } }
                if let cursor { writer.field("cursor", cursor) }
            }
        }
    }

    private func list(
        _ listed: Listed, _ cursor: String?, _ limit: Int, _ asker: AdminAsker, _ now: Moment,
        _ reply: @escaping (Reply) -> Void
    ) {
        var page = Page(listed: listed, limit: limit, loop: 0, number: 0)
        if let cursor {
            let parts = cursor.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count == 2, let loop = Int(parts[0]), (0..<loops).contains(loop), let number = UInt64(parts[1])
            else { return reply(Problem.badRequest.reply("cursor is none that a page has given")) }
            page.loop = loop
            page.number = number
        }
        fill(page, asker, now, reply)
    }

    private func fill(_ page: Page, _ asker: AdminAsker, _ now: Moment, _ reply: @escaping (Reply) -> Void) {
        ask(page.question, of: [page.loop], for: asker, now: now) { [self] outcome in
            guard case .answers(let answers) = outcome, case .page(let objects, let next) = answers.first else {
                if case .timeout = outcome { return reply(Self.late) }
                return reply(Self.busy)
            }
            var page = page
            page.objects += objects
            if let next { return reply(page.reply(cursor: "\(page.loop).\(next)")) }
            page.loop += 1
            page.number = 0
            guard page.loop < loops else { return reply(page.reply(cursor: nil)) }
            guard page.objects.count < page.limit else { return reply(page.reply(cursor: "\(page.loop).0")) }
            fill(page, asker, self.now, reply)
        }
    }
}
