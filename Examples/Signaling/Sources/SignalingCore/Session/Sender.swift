/// Whom a message is from.
package struct Sender: Sendable, Hashable {
    package let session: SessionID
    /// Who its client has shown to be; nil for nobody in particular.
    package let subject: Identifier?
    /// How many members a room may have, with it.
    let maxPeers: Int?

    package init(session: SessionID, subject: Identifier? = nil, maxPeers: Int? = nil) {
        self.session = session
        self.subject = subject
        self.maxPeers = maxPeers
    }
}
