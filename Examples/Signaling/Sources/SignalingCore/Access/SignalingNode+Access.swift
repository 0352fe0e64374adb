// What a session may do, how often, and for how long.
extension SignalingNode {
    /// Whether one more session may begin from there.
    ///
    /// - Returns: the refusal, if not.
    package func refusal(of address: ClientAddress, now: Moment) -> Reply? {
        guard let wait = access.shared.take(address, now: now.nanoseconds) else { return nil }
        statistics.trip(.addressRate)
        let seconds = Int(min(wait, 3600).rounded(.up))
        return Problem.rateLimited.reply(
            "too many sessions from this address; retry after \(seconds) s",
            headers: [.init("retry-after", "\(seconds)")])
    }

    /// What forbids a message, if anything does.
    func refusal(of kind: ClientMessage.Kind, _ type: MessageType, from session: Session) -> MessageError? {
        // What ends or confirms something is cheap, and helps.
        if type == .ack || type == .leave || type == .bye { return nil }
        if let error = overRate(of: session) { return error }
        if let needed = Grants.needed(for: type), !session.identity.grants.contains(needed) {
            return MessageError(.forbidden, "the token does not grant \(needed.names.joined())")
        }
        switch kind {
        case .join(let room, _, _, _), .moderate(let room, _):
            return session.identity.mayEnter(room) ? nil : MessageError(.forbidden, "the token is not for this room")
        default: return nil
        }
    }

    private func overRate(of session: Session) -> MessageError? {
        if let wait = session.allowance.take(at: limits.sessionRate, now: now.nanoseconds) {
            statistics.trip(.sessionRate)
            return Self.rateLimited("the session sends", wait)
        }
        guard let subject = session.subjectAllowance, let wait = access.shared.take(subject, now: now.nanoseconds)
        else { return nil }
        statistics.trip(.subjectRate)
        return Self.rateLimited("the token's subject sends", wait)
    }

    /// On the loop of the room.
    func overRate(of room: RoomName) -> MessageError? {
        guard let wait = access.rooms.take(room, now: now.nanoseconds) else { return nil }
        statistics.trip(.roomRate)
        return Self.rateLimited("the room's members send", wait)
    }

    private static func rateLimited(_ who: String, _ wait: Double) -> MessageError {
        tooSoon(.rateLimited, "\(who) too fast", wait)
    }

    /// - Parameter wait: in seconds.
    static func tooSoon(_ code: MessageError.Code, _ what: String, _ wait: Double) -> MessageError {
        let milliseconds = Int((min(wait, 3600) * 1000).rounded(.up))
        return MessageError(code, "\(what); retry after \(milliseconds) ms")
    }

    // MARK: Tokens

    func identify(_ session: Session, _ identity: Identity) {
        if session.identity.subject != identity.subject || session.subjectAllowance == nil {
            session.subjectAllowance = identity.subject.map { access.shared.bucket(of: $0, now: now.nanoseconds) }
        }
        session.identity = identity
        watchToken(of: session)
    }

    private func watchToken(of session: Session) {
        guard let expires = session.identity.expires else { return }
        let left = expires - now.unixMilliseconds
        let warning = Int64(limits.tokenWarning.nanoseconds / 1_000_000)
        session.isTokenWarned = left <= warning
        let wait = session.isTokenWarned ? left : left - warning
        let nanoseconds = UInt64(min(max(wait, 0), Self.longestWait)) * 1_000_000
        access.expiries.schedule(session.id, at: now.nanoseconds + nanoseconds)
    }

    /// In milliseconds, some thirty years: after that, it is looked at again.
    private static let longestWait: Int64 = 1_000_000_000_000

    /// Warns sessions whose tokens are about to expire, and ends those whose tokens have.
    func seeToTokens() {
        for id in access.expiries.takeDue(now: now.nanoseconds) {
            guard let session = sessions[id], let expires = session.identity.expires else { continue }
            if session.identity.isOver(at: now) {
                end(session, .expired)
                continue
            }
            let isWarned = session.isTokenWarned
            watchToken(of: session)
            if session.isTokenWarned, !isWarned {
                giveOrSkip(session, ServerEvent.tail("token_expiring") { $0.field("expires", expires) })
            }
        }
    }

    func verify(_ token: [UInt8], of session: Session, _ waiter: Waiter) {
        outlet.verify(
            TokenCheck(token: token, session: session.id, request: waiter.request, index: waiter.index))
    }

    /// It is known whose the token of a session's message is.
    package func verified(_ check: TokenCheck, _ result: Result<Identity, TokenRefusal>, now: Moment) {
        run(now) {
            guard let session = sessions[check.session] else { return }
            let waiter = Waiter(request: check.request, index: check.index)
            switch result {
            case .failure(let refusal): settle(session, waiter, refusal.error)
            case .success(let identity) where identity.subject != session.identity.subject:
                settle(session, waiter, MessageError(.tokenSubject, "the new token is for another subject"))
            case .success(let identity):
                identify(session, identity)
                settle(session, waiter, nil)
            }
        }
    }
}
