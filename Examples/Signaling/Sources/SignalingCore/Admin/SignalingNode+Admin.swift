// Operators' questions: on the loop that asks, and on those that answer.
extension SignalingNode {
    /// Asks loops, and tells `done` later, on this loop, what they say.
    package func ask(
        _ question: AdminQuestion, of loops: [Int], for asker: AdminAsker = .operators, now: Moment,
        done: @escaping (AdminOutcome) -> Void
    ) {
        run(now) {
            let (most, limit): (Int, ServiceLimitName) =
                asker == .operators
                ? (limits.adminQuestions, .adminQuestions) : (limits.clientQuestions, .clientQuestions)
            guard desk.count(of: asker) < most else {
                statistics.trip(limit)
                return done(.busy)
            }
            let number = desk.open(loops, for: asker, deadline: now.nanoseconds + limits.adminTimeout.nanoseconds, done)
            for loop in loops {
                guard !offer(.ask(self.loop, number, question), to: loop) else { continue }
                statistics.trip(.mailbox)
                return desk.cancel(number)?(.busy) ?? ()
            }
        }
    }

    /// Asks all loops.
    package func askAll(
        _ question: AdminQuestion, for asker: AdminAsker = .operators, now: Moment,
        done: @escaping (AdminOutcome) -> Void
    ) {
        ask(question, of: Array(0..<loops), for: asker, now: now, done: done)
    }

    /// Asks for what a client may know of a room before it comes in.
    ///
    /// - Parameter done: gets a JSON object; nil when there is no such room, or too much is asked.
    package func askEntrance(of room: RoomName, now: Moment, done: @escaping (_ entrance: [UInt8]?) -> Void) {
        ask(.entrance(room), of: [room.loop(of: loops)], for: .clients, now: now) { outcome in
            guard case .answers(let answers) = outcome, case .object(let text) = answers.first else {
                return done(nil)
            }
            done(text)
        }
    }

    func answered(_ number: UInt64, by loop: Int, _ answer: AdminAnswer) {
        if let (done, outcome) = desk.take(answer, from: loop, to: number) { done(outcome) }
    }

    func endLateQuestions() {
        for done in desk.expire(now: now.nanoseconds) {
            statistics.trip(.adminTimeout)
            done(.timeout)
        }
    }

    // MARK: Answering

    func answer(_ question: AdminQuestion) -> AdminAnswer {
        switch question {
        case .measures: return .measures(measures())
        case .sessions(let number, let limit):
            let page = sessionRegister.page(after: number, limit: limit)
            let objects = page.members.compactMap { sessions[$0.member].map(summary) }
            return .page(objects, next: page.hasMore ? page.members.last?.number : nil)
        case .rooms(let number, let limit):
            let page = roomRegister.page(after: number, limit: limit)
            return .page(page.members.map { summary($0.member) }, next: page.hasMore ? page.members.last?.number : nil)
        case .session(let id): return sessions[id].map { .object(detail($0)) } ?? .unknown
        case .flight(let id): return sessions[id].map { .object(flight($0)) } ?? .unknown
        case .room(let name): return rooms[name].map { .object(detail(name, $0)) } ?? .unknown
        case .entrance(let name): return rooms[name].map { .object(entrance($0)) } ?? .unknown
        case .drain(let within):
            beginDraining(within: within)
            return .drain(drainState)
        case .undrain:
            drainPlan = nil
            return .drain(drainState)
        case .drainState: return .drain(drainState)
        case .endSession, .tellSession, .closeRoom, .removeMember, .tellRoom: return act(question)
        }
    }

    private func act(_ question: AdminQuestion) -> AdminAnswer {
        switch question {
        case .endSession(let id):
            guard let session = sessions[id] else { return .unknown }
            giveOrSkip(session, ServerEvent.kicked())
            end(session, .kicked)
            return .done(1)
        case .tellSession(let id, let body):
            guard let session = sessions[id] else { return .unknown }
            giveOrSkip(session, ServerEvent.announcement(nil, body: body))
            return .done(1)
        case .closeRoom(let name): return close(name).map { .done($0) } ?? .unknown
        case .removeMember(let name, let id): return putOut(id, of: name) ? .done(1) : .unknown
        case .tellRoom(let name, let body):
            guard let room = rooms[name] else { return .unknown }
            let tail = ServerEvent.announcement(name, body: body)
            for (loop, sessions) in membersByLoop(of: room) { post(.presence(sessions, tail: tail), to: loop) }
            return .done(room.count)
        default: return .unknown
        }
    }

    /// - Returns: whether it was a member.
    func putOut(_ id: SessionID, of name: RoomName) -> Bool {
        guard rooms[name]?.contains(id) == true else { return false }
        leave(name, id, nil, .kicked)
        post(.expel(name, [id], tail: ServerEvent.peerLeft(name, id, .kicked)), to: id.loop)
        return true
    }

    /// - Returns: how many were in it; nil when there is no such room.
    func close(_ name: RoomName) -> Int? {
        guard let room = rooms.removeValue(forKey: name) else { return nil }
        for member in room.members { observeLeaving(member.session, of: name, .kicked) }
        observeClosing(of: name)
        let tail = ServerEvent.roomClosed(name)
        for (loop, sessions) in membersByLoop(of: room) { post(.expel(name, sessions, tail: tail), to: loop) }
        return room.count
    }

    private func membersByLoop(of room: Room) -> [(key: Int, value: [SessionID])] {
        Dictionary(grouping: room.members.lazy.map(\.session), by: \.loop).sorted { $0.key < $1.key }
    }

    /// Sessions of this loop are not in the room any more, against their will.
    func expel(_ room: RoomName, _ ids: [SessionID], _ tail: [UInt8]) {
        for id in ids {
            guard let session = sessions[id] else { continue }
            session.rooms.remove(room)
            giveOrSkip(session, tail)
        }
    }

    private func measures() -> LoopMeasures {
        var all = LoopMeasures()
        all.loop = loop
        all.statistics = statistics
        all.sessions = sessions.count
        all.rooms = rooms.count
        all.members = rooms.values.reduce(0) { $0 + $1.count }
        all.isDraining = isDraining
        all.waitingMessages = outboxCount
        for session in sessions.values {
            if session.stream != nil { all.connectedSessions += 1 }
            all.keptEvents += session.log.count
            all.logBytes += session.log.keptBytes
            all.flightBytes += session.flight.memory
            all.pendingRequests += session.requests.count
        }
        for (id, stream) in streams {
            all.streams.count(StreamKind(transport: stream.transport, version: outlet.httpVersion(of: id)))
            all.waitingEvents += stream.waiting.count
            all.streamBytes += outlet.queuedBytes(of: id)
        }
        all.outlet = outlet.measures()
        return all
    }
}
