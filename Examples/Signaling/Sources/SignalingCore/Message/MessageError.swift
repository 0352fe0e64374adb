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
        /// The room has a password, and the message none.
        case passwordRequired = "password_required"
        case wrongPassword = "wrong_password"
        /// Too many wrong passwords; `detail` says when another may be tried.
        case tooManyGuesses = "too_many_guesses"
        /// A moderator has put the sender out of the room; `detail` says when it may come back.
        case kicked
        /// A description or a candidate is against the policy of the room; `rule` says how.
        case sdpPolicy = "sdp_policy"
        /// A newer offer or answer has taken the place of the one that it belongs to.
        case stale
        /// Another device has the call.
        case notSelected = "not_selected"
        /// The invite has run out.
        case callEnded = "call_ended"
        /// The session's token does not allow it.
        case forbidden
        /// Too much in too short a time; `detail` says when it may be tried again.
        case rateLimited = "rate_limited"
        // Why a new token was not accepted.
        case tokenMalformed = "token_malformed"
        case tokenKey = "token_key"
        case tokenSignature = "token_signature"
        case tokenExpired = "token_expired"
        case tokenNotYetValid = "token_not_yet_valid"
        case tokenIssuer = "token_issuer"
        case tokenAudience = "token_audience"
        case tokenClaims = "token_claims"
        case tokenSubject = "token_subject"
    }

    package let code: Code
    /// For people.
    package let detail: String
    /// Of a policy, which of its rules it is: a stable name.
    package let rule: String?

    package init(_ code: Code, _ detail: String, rule: String? = nil) {
        self.code = code
        self.detail = detail
        self.rule = rule
    }
}
