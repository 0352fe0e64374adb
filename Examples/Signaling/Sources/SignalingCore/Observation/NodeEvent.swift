/// What happens to sessions and rooms. One node tells them in order; a room's come from the node of the room, a session's from
/// that of the session.
package struct NodeEvent: Sendable, Hashable {
    package enum Kind: String, Sendable, CaseIterable {
        case sessionStarted = "session.started"
        case sessionEnded = "session.ended"
        case roomOpened = "room.opened"
        case roomClosed = "room.closed"
        case peerJoined = "room.joined"
        case peerLeft = "room.left"
    }

    package let kind: Kind
    package let session: SessionID?
    package let room: RoomName?
    /// Why a session ended, or a peer left.
    package let reason: LeaveReason?
    /// In milliseconds since 1970.
    package let timestamp: Int64
}

/// Who is told what happens on a node. On its loop; it must not call the node from within.
package protocol NodeObserver: AnyObject {
    func happened(_ event: NodeEvent)
    /// The service is at fault: `what` should never happen.
    ///
    /// - Parameter flight: what the session's flight recorder has, a line for each event.
    func failed(_ what: String, session: SessionID, flight: [String])
}
