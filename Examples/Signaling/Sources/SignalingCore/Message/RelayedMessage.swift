/// A message that is passed on to other members of a room.
package struct RelayedMessage: Sendable {
    package let room: RoomName
    package let to: Destination
    package let note: MessageNote
    /// The event for the targets, without `seq` and `ts`; see ``ServerEvent``.
    package let tail: [UInt8]
    /// For how long it is of use, in milliseconds.
    package let ttl: UInt64?
    package let content: RelayedContent
}

/// The types of messages that are passed on.
package enum RelayedType: String, Sendable, CaseIterable {
    case invite, offer, answer, pranswer, candidates, select, reject, hangup
    case restartICE = "restart_ice"
    case msg
}

/// What is remembered of a message while it is on its way, to tell its sender what became of it.
package struct MessageNote: Sendable, Hashable {
    package let type: RelayedType
    package let id: Identifier?
    /// Names the call that the message belongs to.
    package let call: Identifier?
    /// Counts the offers of a call.
    package let neg: UInt64?
    /// Its sender wants to hear when a target's client has acknowledged it.
    package let wantsReceipt: Bool
}

/// What the service reads of a body. All else in it is the peers' business.
package enum RelayedContent: Sendable, Hashable {
    case plain
    /// An offer or answer, with the `ufrag`s of its SDP; nil when they cannot be told.
    case description(ufrags: Set<[UInt8]>?)
    case candidates(CandidateList)
    /// - Parameter lifetime: in milliseconds.
    case invite(lifetime: UInt64?)
    /// - Parameter party: whose answer is taken, of several.
    case select(party: SessionID)
}

/// Where a tail has its candidates.
package struct CandidateList: Sendable, Hashable {
    /// None when the message does not say.
    package let ufrag: [UInt8]?
    /// Between the brackets.
    package let list: Range<Int>?
    package let count: Int
    /// They are the last of their generation.
    package let isEnd: Bool
    /// Where the body's closing brace is.
    package let bodyEnd: Int
    /// The message says nothing that would be lost if it were merged into another.
    package let isPlain: Bool
}
