// On the loop of a session: its requests, its stream, its end.
extension SignalingNode {
    func answer(_ call: SessionCall) {
        if case .resume(let ticket, let transport, let last, let address) = call.action {
            return resume(call, ticket, by: transport, after: last, from: address)
        }
        guard let session = sessions[call.session] else {
            refuse(call, Self.noSuchSession)
            return
        }
        guard session.token.matches(call.token) else {
            refuse(call, Problem.unauthorized.reply("this is not the session's token"))
            return
        }
        switch call.action {
        case .attach where isDraining: refuse(call, Self.draining)
        case .attach(let transport, let last): attach(session, call.request, transport, after: last)
        case .messages(let body): read(body, of: session, call.request, frame: nil)
        case .frame(let frame, let tag):
            read(frame, of: session, call.request, frame: FrameMark(size: frame.count, tag: tag))
        case .refuse(let reply): refuse(call, reply)
        case .resume: break
        case .bye:
            end(session, .bye)
            post(.reply(call.request, .noContent), to: call.request.loop)
        }
    }

    private func refuse(_ call: SessionCall, _ reply: Reply) {
        post(.reply(call.request, reply), to: call.request.loop)
    }

    // MARK: Its stream

    func attach(
        _ session: Session, _ stream: StreamID, _ transport: Transport, after last: EventID?,
        greeting: Greeting? = nil
    ) {
        if let old = session.stream {
            record(.streamEnded, of: session)
            post(.endStream(old, .replaced), to: old.loop)
        }
        session.stream = stream
        session.inFlight = 0
        session.stalledSince = now.nanoseconds
        session.progress += 1
        _ = session.log.expire(now: now.nanoseconds)
        let resumption = session.log.resume(after: last)
        session.log.dropLapsedUnacknowledged(now: now.nanoseconds)
        report(session)
        observeAttachment(of: session, by: transport, resumption)
        let attachment = Attachment(
            session: session.id, token: session.token, resumption: resumption, position: session.log.position,
            hasEvents: session.log.hasUnsent, greeting: greeting.map { line($0, session, resumption) })
        post(.attached(stream, attachment), to: stream.loop)
        send(session)
    }

    func detached(_ id: SessionID, _ stream: StreamID) {
        claims.waiting[id]?.removeAll { $0.request == stream }
        guard let session = sessions[id], session.stream == stream else { return }
        session.stream = nil
        record(.detached, of: session)
        startGrace(session)
    }

    func written(_ id: SessionID, _ stream: StreamID, _ count: Int) {
        guard let session = sessions[id], session.stream == stream else { return }
        session.inFlight -= count
        session.stalledSince = now.nanoseconds
        session.progress += 1
        if session.inFlight < 0 { internalError("a stream has written more than it was sent", of: session) }
        session.log.confirm(count)
        send(session)
    }

    /// Sends the stream what it has room for.
    private func send(_ session: Session) {
        guard let stream = session.stream else { return }
        if session.log.hasDeadlines { session.log.dropLapsed(now: now.nanoseconds) }
        let room = limits.streamWindow - session.inFlight
        let events = session.log.next(maxSize: room, isIdle: session.inFlight == 0)
        guard !events.isEmpty else { return }
        if session.inFlight == 0 { session.stalledSince = now.nanoseconds }
        session.inFlight += events.reduce(0) { $0 + $1.size }
        post(.deliver(stream, events), to: stream.loop)
    }

    /// Ends a stream whose client has missed something: it comes back for what the log has, or its session times out.
    func closeStream(_ session: Session, _ reason: StreamEnd = .slow) {
        guard let stream = session.stream else { return }
        session.stream = nil
        record(.streamEnded, of: session)
        post(.endStream(stream, reason), to: stream.loop)
        startGrace(session)
    }

    // MARK: Its events

    /// - Returns: false when the log has no place; then the event was not taken.
    func give(_ session: Session, _ tail: [UInt8], _ subject: EventSubject = .plain) -> Bool {
        if session.rendezvous != nil {
            observeEvent(tail, of: session)
            receive(tail, by: session)
            return true
        }
        defer { report(session) }
        guard session.log.append(tail, subject, now: now) else {
            statistics.trip(.log)
            if session.takesEvents, overflowing[session.id] == nil { overflowing[session.id] = session.progress }
            return false
        }
        observeEvent(tail, of: session)
        if !session.isSweepScheduled {
            session.isSweepScheduled = true
            sweeps.schedule(session.id, now: now.nanoseconds)
        }
        send(session)
        if session.log.hasDeadlines { expiring.insert(session.id) }
        return true
    }

    /// An event that nobody can send again: when the log has no place, the client learns that something is lost.
    func giveOrSkip(_ session: Session, _ tail: [UInt8], _ subject: EventSubject = .plain) {
        guard !give(session, tail, subject) else { return }
        session.log.skip()
        observeSkip(tail, of: session)
    }

    func tell(_ sessions: [SessionID], _ tail: [UInt8], _ subject: EventSubject = .plain) {
        for id in sessions {
            if let session = self.sessions[id] { giveOrSkip(session, tail, subject) }
        }
    }

    /// Forgets what is too old in logs. A log may keep it up to twice as long, but does not send it any more.
    func sweepLogs() {
        while let id = sweeps.popDue(now: now.nanoseconds) {
            guard let session = sessions[id] else { continue }
            if !session.log.expire(now: now.nanoseconds) {
                statistics.trip(.logAge)
                if session.takesEvents {
                    end(session, .slow)
                    continue
                }
            }
            report(session)
            session.isSweepScheduled = session.log.count > 0
            if session.isSweepScheduled { sweeps.schedule(id, now: now.nanoseconds) }
        }
    }

    // MARK: Its end

    func startGrace(_ session: Session) {
        session.detachments += 1
        graces.schedule((session.id, session.detachments), now: now.nanoseconds)
    }

    func endAbandonedSessions() {
        while let (id, detachments) = graces.popDue(now: now.nanoseconds) {
            guard let session = sessions[id], session.stream == nil, session.rendezvous == nil else { continue }
            if session.detachments == detachments { end(session, .timeout) }
        }
    }

    func end(_ session: Session, _ reason: LeaveReason) {
        sessions[session.id] = nil
        observeEnd(of: session, reason)
        if let subject = session.claim { release(subject, session.id) }
        switch reason {
        case .kicked: denyTickets(of: session, .kicked)
        case .replaced: denyTickets(of: session, .replaced)
        default: break
        }
        if let rendezvous = session.rendezvous { close(rendezvous) }
        session.log.abandon()
        report(session)
        if let stream = session.stream { post(.endStream(stream, reason.streamEnd), to: stream.loop) }
        for room in session.rooms {
            post(.leave(room, session.id, operation: nil, reason), to: room.loop(of: loops))
        }
        for origin in session.requests.values.map(\.origin) {
            post(.reply(origin, Self.noSuchSession), to: origin.loop)
        }
        session.requests = [:]
    }
}
