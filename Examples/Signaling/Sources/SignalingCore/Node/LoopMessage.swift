/// A request that waits on the loop of its connection.
package struct RequestKey: Hashable, Sendable {
    package let loop: Int
    package let number: UInt64
}

/// An event stream; it has the name of its request.
package typealias StreamID = RequestKey

/// What loops tell each other. Between two loops, first in, first out.
package enum LoopMessage: Sendable {
    // From the loop of a connection to the loop of its session.
    case call(SessionCall)
    case rendezvous(RendezvousCall)
    /// The stream has written so many bytes of what it was sent.
    case written(SessionID, StreamID, Int)
    case detached(SessionID, StreamID)

    // Back.
    case reply(RequestKey, Reply)
    case attached(StreamID, Attachment)
    case deliver(StreamID, [ServerEvent])
    /// Lines that answer what came by the stream; one value, if its frame has a tag.
    case answers(StreamID, [UInt8], to: FrameMark)
    case endStream(StreamID, StreamEnd)

    // From the loop of a session to the loop of a room.
    case join(RoomName, Sender, operation: UInt64, meta: [UInt8], RoomPassword?)
    case moderate(RoomName, Sender, operation: UInt64, Moderation)
    case update(RoomName, SessionID, operation: UInt64, meta: [UInt8])
    /// Without an operation, nobody waits for the outcome.
    case leave(RoomName, SessionID, operation: UInt64?, LeaveReason)
    case relay(Relay)

    // From the loop of a room to the loop of a session.
    /// What a member of the room did, for all these sessions.
    case roster([SessionID], RoomName, SessionID, PresenceChange, tail: [UInt8])
    /// How many members the room has, for all these sessions.
    case occupancy([SessionID], RoomName, tail: [UInt8])
    /// An offer to this session that has to give way to its own.
    case withdraw(SessionID, Relay)
    /// The same event for all these sessions.
    case presence([SessionID], tail: [UInt8])
    case joined(RoomName, SessionID, operation: UInt64, tail: [UInt8])
    /// A message for the target's session.
    case inbound(Relay)
    /// A message whose target is not in the room: its loop knows whether it exists at all.
    case misaddressed(Relay)
    /// The same message for all these sessions. Nobody waits for the outcome.
    case fanOut([SessionID], Relay)

    /// These sessions are not in the room any more: it was closed, or an operator or moderator wanted so.
    case expel(RoomName, [SessionID], tail: [UInt8])

    /// An offer to this session found no place there.
    case undelivered(Relay, SessionID)

    // Between the loop of a session and that which counts the sessions of its subject.
    /// May it begin?
    case claim(Identifier, SessionID)
    case claimed(SessionID, Identifier, Bool)
    /// It has ended.
    case release(Identifier, SessionID)
    /// A newer one takes its place.
    case replace(SessionID)

    // For operators: from the loop that asks, and back to it.
    case ask(_ loop: Int, _ number: UInt64, AdminQuestion)
    case answer(_ loop: Int, _ number: UInt64, AdminAnswer)

    // To the loop of the session that began the operation.
    case outcome(SessionID, operation: UInt64, MessageError?)
    /// What became of a message later: an event for its sender.
    case fate(SessionID, tail: [UInt8])

    /// About how much it takes, in bytes.
    package var size: Int {
        let base = 128
        return switch self {
        case .call(let call): base + call.size
        case .rendezvous(let call): base + call.size
        case .written, .detached, .endStream, .leave, .outcome: base
        case .attached(_, let attachment): base + (attachment.greeting?.count ?? 0)
        case .answers(_, let lines, _): base + lines.count
        case .reply(_, let reply): base + reply.body.count
        case .deliver(_, let events): events.reduce(base) { $0 + $1.size }
        case .join(_, _, _, let meta, let password): base + meta.count + (password?.size ?? 0)
        case .moderate(_, _, _, .password(let password)): base + (password?.size ?? 0)
        case .moderate: base
        case .update(_, _, _, let meta): base + meta.count
        case .relay(let relay), .inbound(let relay), .misaddressed(let relay), .undelivered(let relay, _):
            base + relay.size
        case .fanOut(let sessions, let relay): base + sessions.count * MemoryLayout<SessionID>.stride + relay.size
        case .fate(_, let tail): base + tail.count
        case .withdraw, .claim, .claimed, .release, .replace: base
        case .occupancy(let sessions, _, let tail):
            base + sessions.count * MemoryLayout<SessionID>.stride + tail.count
        case .roster(let sessions, _, _, _, let tail):
            base + sessions.count * MemoryLayout<SessionID>.stride + tail.count
        case .presence(let sessions, let tail): base + sessions.count * MemoryLayout<SessionID>.stride + tail.count
        case .joined(_, _, _, let tail): base + tail.count
        case .expel(_, let sessions, let tail): base + sessions.count * MemoryLayout<SessionID>.stride + tail.count
        case .ask(_, _, let question): base + question.size
        case .answer(_, _, let answer): base + answer.size
        }
    }
}

/// What a request asks of a session.
package struct SessionCall: Sendable {
    let session: SessionID
    let token: [UInt8]
    let request: RequestKey
    let action: Action

    enum Action: Sendable {
        case attach(Transport, after: EventID?)
        /// Of a request.
        case messages([UInt8])
        /// Of a duplex stream.
        case frame([UInt8], tag: UInt64?)
        /// By a stream, or by a request alone. The ticket stands in for the token.
        case resume(Ticket, Transport?, after: EventID?, from: ClientAddress?)
        case bye
        case refuse(Reply)
    }

    var size: Int {
        switch action {
        case .messages(let body), .frame(let body, _): token.count + body.count
        case .resume(let ticket, _, _, _): ticket.identity.count
        case .attach, .bye, .refuse: token.count
        }
    }
}

/// A message from one member of a room to others.
package struct Relay: Sendable {
    let room: RoomName
    let sender: SessionID
    var to: Destination
    /// Nil when nobody waits for the outcome any more: what goes wrong is told by an event.
    var operation: UInt64?
    let note: MessageNote
    let content: RelayedContent
    let tail: [UInt8]
    /// When it is of no more use, in nanoseconds.
    var deadline: UInt64?

    var size: Int { tail.count + 128 }

    var stub: MessageStub {
        MessageStub(sender: sender, room: room, notes: [note], deadline: deadline, content: content)
    }

    /// - Parameters:
    ///   - now: in nanoseconds.
    ///   - duration: in milliseconds.
    static func deadline(_ now: UInt64, _ duration: UInt64) -> UInt64 {
        let (product, overflow) = duration.multipliedReportingOverflow(by: 1_000_000)
        let (sum, carry) = now.addingReportingOverflow(product)
        return overflow || carry ? .max : sum
    }
}
