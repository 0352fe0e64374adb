/// Why the service did not accept one message.
package struct MessageError: Error, Hashable, Sendable {
    /// Stable names, which clients act upon.
    package enum Code: String, Sendable, CaseIterable {
        /// The sender or the target is not in the room.
        case notInRoom = "not_in_room"
        case noSuchPeer = "no_such_peer"
        case unknownType = "unknown_type"
        case badMessage = "bad_message"
        case roomFull = "room_full"
        /// The target has not taken what it was sent before; try again later.
        case queueFull = "queue_full"
        case tooManyRooms = "too_many_rooms"
        /// A newer offer or answer has taken the place of the one that it belongs to.
        case stale
        /// Another device has the call.
        case notSelected = "not_selected"
        /// The invite has run out.
        case callEnded = "call_ended"
    }

    package let code: Code
    /// For people.
    package let detail: String

    package init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }
}
