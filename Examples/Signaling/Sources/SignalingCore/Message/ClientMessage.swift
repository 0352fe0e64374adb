/// One message of a client, of which only what the service needs is read; the rest are bytes to pass on.
package struct ClientMessage: Sendable {
    package enum Kind: Sendable {
        case ping
        case ack(seq: UInt64)
        /// - Parameter isMute: it wants never to moderate for being there for the longest time.
        case join(RoomName, meta: [UInt8], RoomPassword?, isMute: Bool)
        /// New metadata of a member.
        case presence(RoomName, meta: [UInt8])
        case leave(RoomName)
        case relay(RelayedMessage)
        case moderate(RoomName, Moderation)
        case bye
        /// A new token for the session.
        case refresh(token: [UInt8])
    }

    package let kind: Kind
    package let id: Identifier?
}

/// What a moderator does with a room.
package enum Moderation: Sendable {
    /// Puts a member out.
    case kick(SessionID)
    /// Puts all out.
    case close
    /// Sets the password; nil opens the room to everyone.
    case password(RoomPassword?)
}

/// A message as it came: what it asks for, or why it cannot be understood.
package struct ReceivedMessage: Sendable {
    /// To name it in the answer, if it has a usable one.
    package let id: Identifier?
    /// What it says that it is.
    package let type: MessageType
    package let content: Result<ClientMessage, MessageError>
}

/// To whom of a room a message goes.
package enum Destination: Sendable, Hashable {
    case peer(SessionID)
    /// All sessions of one subject, but the sender's own.
    case user(Identifier)
    /// All members but the sender.
    case everyone
}
