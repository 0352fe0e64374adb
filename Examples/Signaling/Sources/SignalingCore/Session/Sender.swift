/// Whom a message is from.
package struct Sender: Sendable, Hashable {
    package let session: SessionID
    /// Who its client has shown to be; nil for nobody in particular.
    package let subject: Identifier?

    package init(session: SessionID, subject: Identifier? = nil) {
        self.session = session
        self.subject = subject
    }
}
