/// One message of a client, of which only what the service needs is read; the rest are bytes to pass on.
package struct ClientMessage: Sendable {
    package enum Kind: Sendable, Hashable {
        case ping
        case ack(seq: UInt64)
        case join(RoomName, meta: [UInt8])
        case leave(RoomName)
        /// To another member of a room: `tail` is the event for the target, without `seq` and `ts`; see ``ServerEvent``.
        case relay(RoomName, to: SessionID, tail: [UInt8])
    }

    package let kind: Kind
    package let id: Identifier?
    /// Names the call that the message belongs to.
    package let call: Identifier?
    /// Counts the offers of a call.
    package let neg: UInt64?
    /// For how long the message is of use, in milliseconds.
    package let ttl: UInt64?
}

/// A message as it came: what it asks for, or why it cannot be understood.
package struct ReceivedMessage: Sendable {
    /// To name it in the answer, if it has a usable one.
    package let id: Identifier?
    /// What it says that it is.
    package let type: MessageType
    package let content: Result<ClientMessage, MessageError>
}

/// The types of messages that are passed on to another peer.
enum RelayedType: String {
    case invite, offer, answer, candidates, hangup, reject
}
