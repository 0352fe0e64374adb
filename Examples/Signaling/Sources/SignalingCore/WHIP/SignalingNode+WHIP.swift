/// What a request asks of a WHIP or WHEP session that exists.
package struct RendezvousCall: Sendable {
    let resource: SessionID
    let room: RoomName
    let token: [UInt8]?
    let request: RequestKey
    let action: Action

    package enum Action: Sendable {
        case patch(ifMatch: String?, fragment: [UInt8])
        case delete
        case refuse(Reply)
    }

    var size: Int {
        if case .patch(_, let fragment) = action { room.utf8.count + fragment.count } else { room.utf8.count }
    }
}

// On the loop of a connection.
extension SignalingNode {
    /// `POST /whip/{room}` and `/whep/{room}`: the session lives on this loop, and the answer is that of a peer.
    ///
    /// - Parameters:
    ///   - identity: who its client has shown to be.
    ///   - token: what came as bearer token; the later requests must bring it too.
    package func openWHIP(
        _ request: RequestKey, _ identity: Identity = .development, isEgress: Bool, room: RoomName, token: [UInt8]?,
        offer: [UInt8], now: Moment
    ) {
        run(now) {
            guard !isDraining else { return answer(request, Problem.draining.reply("the service is going away")) }
            guard identity.mayEnter(room), identity.grants.isSuperset(of: [.join, .call]) else {
                let detail = "the token is not for this room, or does not grant join and call"
                return answer(request, Problem.forbidden.reply(detail))
            }
            guard resources.count < limits.whipSessionsPerLoop else {
                statistics.trip(.whipSessionsPerLoop)
                answer(request, Problem.tooManySessions.reply("this loop has all the sessions that it takes"))
                return
            }
            guard let offer = SessionDescription(offer), !offer.isPassive else {
                let detail = "the offer is not SDP with ICE credentials, or is one with setup:passive"
                answer(request, Problem.badSDP.reply(detail))
                return
            }
            let id = SessionID(loop: loop, random: &random)
            admit(identity, as: id, for: request) { [unowned self] refusal in
                if let refusal { return answer(request, refusal) }
                begin(id, identity, request, isEgress ? .whep : .whip, room, token, offer)
            }
        }
    }

    private func begin(
        _ id: SessionID, _ identity: Identity, _ request: RequestKey, _ kind: Rendezvous.Kind, _ room: RoomName,
        _ token: [UInt8]?, _ offer: SessionDescription
    ) {
        guard let session = makeSession(identity, from: nil, as: id) else { return answer(request, tooManySessions()) }
        let resource = SessionID(loop: loop, random: &random)
        session.rendezvous = Rendezvous(
            kind, resource: resource, room: room, token: token, offer: offer, request: request, limits: limits,
            now: now.nanoseconds)
        resources[resource] = id
        update(session) { $0.begin() }
    }

    /// `PATCH` and `DELETE` of `/whip/{room}/{resource}`, or what refuses them if it may be said.
    package func callWHIP(
        _ request: RequestKey, resource: String, room: RoomName, token: [UInt8]?, _ action: RendezvousCall.Action,
        now: Moment
    ) {
        run(now) {
            guard let id = SessionID(resource), id.loop < loops else {
                answer(request, Self.noSuchResource)
                return
            }
            let call = RendezvousCall(resource: id, room: room, token: token, request: request, action: action)
            guard offer(.rendezvous(call), to: id.loop) else {
                answer(request, Problem.busy.reply("too much is on its way to the session"))
                return
            }
        }
    }

    /// The client did not wait for the answer to its offer.
    package func whipClosed(_ request: RequestKey, now: Moment) {
        run(now) {
            let waiting = resources.values.lazy.compactMap { self.sessions[$0] }
                .first { $0.rendezvous?.pending == request && $0.rendezvous?.tag == nil }
            guard let waiting else { return }
            update(waiting) { $0.hangUp("timeout") }
        }
    }

    private static let noSuchResource = Problem.noSuchResource.reply("no such session: it has ended, or never was")
}

// On the loop of the session.
extension SignalingNode {
    func answer(_ call: RendezvousCall) {
        guard let session = resources[call.resource].flatMap({ sessions[$0] }),
            let rendezvous = session.rendezvous, rendezvous.room == call.room
        else { return post(.reply(call.request, Self.noSuchResource), to: call.request.loop) }
        guard rendezvous.token == call.token else {
            let wrong = Problem.unauthorized.reply("this is not the token of the session's first request")
            post(.reply(call.request, wrong), to: call.request.loop)
            return
        }
        switch call.action {
        case .refuse(let reply): post(.reply(call.request, reply), to: call.request.loop)
        case .delete:
            update(session) { $0.hangUp("user_hangup") }
            post(.reply(call.request, Reply(status: 200)), to: call.request.loop)
        case .patch(let ifMatch, let text):
            guard let fragment = ICEFragment(text, maxCandidates: limits.candidates) else {
                let wrong = Problem.badFragment.reply("the body is not a fragment of SDP (RFC 8840 section 9)")
                post(.reply(call.request, wrong), to: call.request.loop)
                return
            }
            let now = now.nanoseconds
            update(session) { $0.patch(call.request, ifMatch: ifMatch, fragment, now: now) }
        }
    }

    /// An event for a session that is a rendezvous.
    func receive(_ tail: [UInt8], by session: Session) {
        guard let event = try? JSONValue(parsing: [UInt8(ascii: "{")] + tail) else { return }
        let now = now.nanoseconds
        update(session) { $0.receive(event, now: now) }
    }

    /// Results of messages of a rendezvous.
    ///
    /// - Returns: false when the request is no such one.
    func receiveResults(_ request: RequestKey, _ reply: Reply) -> Bool {
        guard let id = whipRequests.removeValue(forKey: request) else { return false }
        guard let session = sessions[id], let results = try? JSONValue(parsing: reply.body) else { return true }
        for result in results["results"]?.elements ?? [] {
            update(session) { $0.outcome(of: result["id"]?.text ?? "", result["error"]) }
        }
        return true
    }

    func tickRendezvous() {
        let now = now.nanoseconds
        for id in Array(resources.values) {
            if let session = sessions[id] { update(session) { $0.tick(now: now) } }
        }
    }

    /// The session has ended, for whatever reason.
    func close(_ rendezvous: Rendezvous) {
        resources[rendezvous.resource] = nil
        guard let pending = rendezvous.pending else { return }
        post(.reply(pending, Problem.noAnswer.reply("the session was ended")), to: pending.loop)
    }

    private func update(_ session: Session, _ change: (inout Rendezvous) -> [Rendezvous.Action]) {
        for action in session.rendezvous.map({ _ in mutate(session, change) }) ?? [] {
            switch action {
            case .reply(let request, var reply):
                if reply.status == 201 {
                    reply.headers += outlet.iceLinks(for: session.identity).map { .init("link", $0) }
                }
                post(.reply(request, reply), to: request.loop)
            case .end: end(session, .bye)
            case .send(let message):
                let request = nextRequest()
                whipRequests[request] = session.id
                read(message, of: session, request, frame: nil)
            }
        }
    }

    private func mutate(
        _ session: Session, _ change: (inout Rendezvous) -> [Rendezvous.Action]
    ) -> [Rendezvous.Action] {
        guard var rendezvous = session.rendezvous else { return [] }
        let actions = change(&rendezvous)
        session.rendezvous = rendezvous
        return actions
    }
}

extension ServiceLimitName {
    package static let whipSessionsPerLoop = ServiceLimitName("whip_sessions_per_loop")
}

extension RoomName {
    /// As a segment of a path (RFC 3986 section 2.3).
    var percentEncoded: String {
        utf8.reduce(into: "") { text, byte in
            if isAlphanumeric(byte) || "-._~".utf8.contains(byte) {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                text += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }
    }
}
