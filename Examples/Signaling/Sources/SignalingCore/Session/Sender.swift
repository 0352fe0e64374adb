/// Whom a message is from.
package struct Sender: Sendable, Hashable {
    package let session: SessionID
    /// Who its client has shown to be; nil for nobody in particular.
    package let subject: Identifier?
    /// How many members a room may have, with it.
    let maxPeers: Int?
    let standing: Standing
    /// Where its client is, as far as that is known.
    let address: ClientAddress?

    package init(
        session: SessionID, subject: Identifier? = nil, maxPeers: Int? = nil, standing: Standing = .usual,
        address: ClientAddress? = nil
    ) {
        self.session = session
        self.subject = subject
        self.maxPeers = maxPeers
        self.standing = standing
        self.address = address
    }

    /// Whose guesses its guesses count with.
    var guesser: Guesser {
        if let subject { return .subject(subject) }
        return address.map { .address($0) } ?? .session(session)
    }
}

/// What a member may become in the rooms that it enters.
package enum Standing: Sendable, Hashable {
    case usual
    /// Its token says that it moderates them.
    case administrator
    /// It has nobody who could moderate: a session of WHIP or WHEP, or one that says so.
    case mute
}
