/// A stream of a session's events. Belongs to the loop of its connection.
final class EventStream {
    let transport: Transport
    /// Nil for a duplex stream whose client has not said yet who it is.
    var session: SessionID?
    /// What messages that come by the stream are sent with.
    var token: SessionToken?
    /// The session has accepted it.
    var isOpen = false
    /// The peer does not take more now.
    var isBlocked = false
    /// No message is taken from the peer now.
    var isPaused = false
    /// What the session has sent meanwhile; it sends no more than ``ServiceLimits/streamWindow`` ahead.
    var waiting = FIFO<ServerEvent>()
    /// Messages, or batches of them, that came by the stream and have no answer yet.
    var unanswered = 0
    /// The same in bytes.
    var unansweredBytes = 0
    var poll: Poll?

    /// A stream that answers once.
    struct Poll {
        /// How long it waits for an event.
        let wait: Duration
        /// What the client has when it gets no event.
        var position: EventID?
        var resumption = Resumption.no
    }

    init(_ transport: Transport, session: SessionID? = nil) {
        self.transport = transport
        self.session = session
    }
}

/// A session has accepted a stream.
package struct Attachment: Sendable {
    let session: SessionID
    let token: SessionToken
    let resumption: Resumption
    /// The last event that the session has given a number.
    let position: EventID
    /// Events follow at once.
    let hasEvents: Bool
    /// What a duplex stream says first.
    let greeting: [UInt8]?
}
