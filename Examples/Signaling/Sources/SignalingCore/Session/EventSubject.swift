/// What an event is about, as far as the log that it waits in may do something with it.
enum EventSubject: Sendable {
    case plain
    /// The roster of a room.
    case roster(RoomName)
    /// The number of a room's members.
    case occupancy(RoomName)
    case presence(RoomName, SessionID, PresenceChange)
    case message(MessageStub)
}

package enum PresenceChange: Sendable { case joined, updated, left }

/// A message in the log of its target.
struct MessageStub: Sendable {
    let sender: SessionID
    let room: RoomName
    /// One for each message that was merged into it.
    var notes: [MessageNote]
    /// In nanoseconds.
    var deadline: UInt64?
    var content: RelayedContent

    var wantsReceipt: Bool { notes.contains(where: \.wantsReceipt) }

    func isSameCall(_ other: MessageStub) -> Bool {
        sender == other.sender && room == other.room && notes.first?.call == other.notes.first?.call
    }

    func isOlder(than other: MessageStub) -> Bool {
        guard let neg = notes.first?.neg, let theirs = other.notes.first?.neg else { return false }
        return neg < theirs
    }
}

/// What became of messages: to be told to their sender.
struct MessageFate: Sendable {
    let type: MessageType
    let stub: MessageStub
}

/// An event that no stream was sent yet. It has no number, so that it can be replaced, merged or dropped without a trace.
struct PendingEvent: Sendable {
    var tail: [UInt8]
    let at: UInt64
    let timestamp: Int64
    var subject: EventSubject

    var size: Int { ServerEvent.size(ofTail: tail) }

    var stub: MessageStub? {
        if case .message(let stub) = subject { stub } else { nil }
    }

    func isPresence(of peer: SessionID, in room: RoomName, _ change: PresenceChange) -> Bool {
        if case .presence(room, peer, change) = subject { true } else { false }
    }
}
