// Sessions that are continued by a ticket.
extension SignalingNode {
    /// `POST /v1/sessions` with a ticket: the session goes on, or begins anew.
    package func resumeSession(
        _ request: RequestKey, _ ticket: [UInt8], after last: EventID?, from address: ClientAddress? = nil, now: Moment
    ) {
        run(now) { resume(request, ticket, by: nil, after: last, from: address) }
    }

    /// On the loop of the connection.
    func resume(
        _ request: RequestKey, _ text: [UInt8], by transport: Transport?, after last: EventID?,
        from address: ClientAddress?
    ) {
        guard let ticket = Ticket(text, signer) else {
            return refuseTicket(request, "this is no ticket of this service, or its key is not used any more")
        }
        guard ticket.expires > now.unixMilliseconds else {
            return refuseTicket(request, "the ticket has expired: say hello")
        }
        // A service of fewer loops than before has no loop for some: those sessions begin here.
        let id = ticket.session.loop < loops ? ticket.session : SessionID(loop: loop, random: &random)
        streams[request]?.session = id
        let call = SessionCall(
            session: id, token: [], request: request,
            action: .resume(ticket, transport, after: last, from: address))
        guard offer(.call(call), to: id.loop) else {
            statistics.trip(.mailbox)
            streams[request]?.session = nil
            return refusedOrDone(request, Problem.busy.reply("too much is on its way to the session"))
        }
    }

    private func refuseTicket(_ request: RequestKey, _ detail: String) {
        refusedOrDone(request, Problem.badTicket.reply(detail))
    }

    /// On the loop of the session.
    func resume(
        _ call: SessionCall, _ ticket: Ticket, by transport: Transport?, after last: EventID?,
        from address: ClientAddress?
    ) {
        guard !isDraining else { return post(.reply(call.request, Self.draining), to: call.request.loop) }
        guard let identity = Identity(bytes: ticket.identity), identity.subject != nil || !requiresToken else {
            return post(
                .reply(call.request, Problem.badTicket.reply("the ticket says nothing of a token: say hello")),
                to: call.request.loop)
        }
        if let session = sessions[call.session] {
            session.address = address
            return goOn(session, call, ticket, by: transport, after: last, isNew: false)
        }
        if let refusal = refusal(ofNew: call.session, identity) {
            return post(.reply(call.request, refusal), to: call.request.loop)
        }
        admit(identity, as: call.session, for: call.request) { [unowned self] refusal in
            if let refusal { return post(.reply(call.request, refusal), to: call.request.loop) }
            // The same ticket may have come twice meanwhile.
            let known = sessions[call.session]
            guard let session = known ?? makeSession(identity, from: address, as: call.session, ticket) else {
                return post(.reply(call.request, tooManySessions()), to: call.request.loop)
            }
            goOn(session, call, ticket, by: transport, after: last, isNew: known == nil)
        }
    }

    /// What keeps a session from beginning again.
    private func refusal(ofNew id: SessionID, _ identity: Identity) -> Reply? {
        if let problem = denied.problem(of: id, now: now.unixMilliseconds) {
            return problem.reply("the session was ended: its ticket is not good any more")
        }
        guard identity.isOver(at: now) else { return nil }
        return Problem.tokenExpired.reply("the token has expired: say hello with another")
    }

    private func goOn(
        _ session: Session, _ call: SessionCall, _ ticket: Ticket, by transport: Transport?, after last: EventID?,
        isNew: Bool
    ) {
        guard let transport else {
            // Whether all is there that its client misses is known when it says what it has; its stream tells, then.
            let goesOn: Resumption = !isNew && ticket.epoch == session.log.epoch ? .yes : .no
            let resumption = last == nil ? goesOn : session.log.continuity(after: last)
            post(.reply(call.request, resumed(session, resumption, isNew: isNew)), to: call.request.loop)
            return
        }
        attach(session, call.request, transport, after: last, greeting: .resumed)
    }

    /// A session of this loop; nil when there are too many.
    func makeSession(
        _ identity: Identity, from address: ClientAddress?, as id: SessionID, _ ticket: Ticket? = nil
    ) -> Session? {
        guard sessions.count < limits.sessionsPerLoop else {
            statistics.trip(.sessionsPerLoop)
            return nil
        }
        let session = Session(
            id: id, token: SessionToken(random: &random), identity: identity, address: address,
            epoch: ticket.map { nextEpoch(after: $0.epoch) } ?? epoch, limits: limits, now: now)
        sessions[session.id] = session
        observeStart(of: session)
        startGrace(session)
        identify(session, identity)
        return session
    }

    /// An epoch that no session of this id had, so that nobody takes an event of this one for one of those.
    private func nextEpoch(after earlier: UInt32) -> UInt32 {
        latestEpoch = max(latestEpoch, earlier) &+ 1
        return latestEpoch
    }

    func ticket(of session: Session) -> String {
        let lifetime = Int64(limits.ticketLifetime.nanoseconds / 1_000_000)
        let ticket = Ticket(
            session: session.id, epoch: session.log.epoch, expires: now.unixMilliseconds + lifetime,
            identity: session.identity.bytes)
        return ticket.text(signer)
    }
}
