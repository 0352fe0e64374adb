/// Sessions of subjects: those that live on this loop, and those of the subjects that are counted here.
struct ClaimTable {
    /// On the home loop of a subject: its sessions, the oldest first.
    var holders: [Identifier: [SessionID]] = [:]
    /// On the loop of a session that is to begin: what waits for the answer, which is whether it may.
    var waiting: [SessionID: [Waiter]] = [:]

    struct Waiter {
        let request: RequestKey
        let done: (_ isAdmitted: Bool) -> Void
    }
}

// Before the first session of its own begins.
extension SignalingNode {
    /// Asks the home loop of the subject whether a session of it may begin, and calls `done` with the refusal, if it may not. At
    /// once when nobody counts; never when the stream that asks has ended meanwhile.
    func admit(
        _ identity: Identity, as id: SessionID, for request: RequestKey, _ done: @escaping (_ refusal: Reply?) -> Void
    ) {
        guard let subject = identity.subject, limits.duplicateIdentity.most != nil else { return done(nil) }
        guard sessions.count + claims.waiting.count < limits.sessionsPerLoop else {
            statistics.trip(.sessionsPerLoop)
            return done(tooManySessions())
        }
        let isAsked = claims.waiting[id] != nil
        guard isAsked || offer(.claim(subject, id), to: subject.loop(of: loops)) else {
            statistics.trip(.mailbox)
            return done(Problem.busy.reply("too much is on its way to the loop that counts the token's subject"))
        }
        let waiter = ClaimTable.Waiter(request: request) { isAdmitted in done(isAdmitted ? nil : Self.duplicate) }
        claims.waiting[id, default: []].append(waiter)
    }

    func claimed(_ id: SessionID, _ subject: Identifier, _ isAdmitted: Bool) {
        for waiter in claims.waiting.removeValue(forKey: id) ?? [] { waiter.done(isAdmitted) }
        guard isAdmitted else { return statistics.trip(.duplicateIdentity) }
        // Who asked has gone meanwhile, or there is no place for it.
        guard let session = sessions[id] else { return release(subject, id) }
        session.claim = subject
    }

    /// The session has ended.
    func release(_ subject: Identifier, _ id: SessionID) { post(.release(subject, id), to: subject.loop(of: loops)) }

    /// A newer session of the same subject has taken its place.
    func replace(_ id: SessionID) {
        guard let session = sessions[id] else { return }
        end(session, .replaced)
    }

    // MARK: On the home loop of the subject

    func claim(_ subject: Identifier, for id: SessionID) {
        var holders = claims.holders[subject] ?? []
        if limits.duplicateIdentity == .replace {
            for old in holders where old != id { post(.replace(old), to: old.loop) }
            holders = [id]
        } else if !holders.contains(id) {
            guard holders.count < limits.duplicateIdentity.most ?? .max else {
                return post(.claimed(id, subject, false), to: id.loop)
            }
            holders.append(id)
        }
        claims.holders[subject] = holders
        post(.claimed(id, subject, true), to: id.loop)
    }

    func released(_ subject: Identifier, _ id: SessionID) {
        claims.holders[subject]?.removeAll { $0 == id }
        if claims.holders[subject]?.isEmpty == true { claims.holders[subject] = nil }
    }

    private static let duplicate = Problem.duplicateIdentity.reply(
        "the token's subject has all the sessions that it may have")

    // MARK: Tickets of sessions that are over

    /// Makes the tickets worthless that are still out.
    func denyTickets(of session: Session, _ problem: Problem) {
        let lifetime = Int64(longestTicket.nanoseconds / 1_000_000)
        guard !denied.insert(session.id, problem, until: now.unixMilliseconds + lifetime) else { return }
        statistics.trip(.deniedSessions)
    }
}

extension ServiceLimitName {
    package static let duplicateIdentity = ServiceLimitName("duplicate_identity")
    package static let deniedSessions = ServiceLimitName("denied_sessions")
}
