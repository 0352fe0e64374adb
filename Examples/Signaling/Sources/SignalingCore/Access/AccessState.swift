/// What a node remembers of those who come to it.
struct AccessState {
    /// Together with the other loops.
    let shared: SharedRates
    var rooms: BucketTable<RoomName>
    /// Passwords that were tried, of the rooms of this loop.
    var guesses: BucketTable<GuessedRoom>
    /// Sessions whose tokens are to be looked at.
    var expiries: DeadlineBuckets<SessionID>

    init(limits: ServiceLimits, shared: SharedRates, now: Moment) {
        let time = now.nanoseconds
        self.shared = shared
        rooms = BucketTable(limits.roomRate, capacity: limits.rateEntries, now: time)
        guesses = BucketTable(limits.guessRate, capacity: limits.rateEntries, now: time)
        expiries = DeadlineBuckets(now: time)
    }
}

/// Where a client comes from, as far as rates are concerned.
package struct ClientAddress: Hashable, Sendable {
    private let text: String

    /// - Parameter address: numeric. Of an IPv6 address the first 64 bits count: who has one has the rest of its network.
    package init(_ address: String) {
        guard address.contains(":"), !address.contains(".") else {
            text = address
            return
        }
        let unscoped = address.prefix { $0 != "%" }
        let halves = unscoped.split(separator: "::", maxSplits: 1, omittingEmptySubsequences: false)
        let groups = halves.map { $0.split(separator: ":").map(String.init) }
        let zeros = halves.count == 2 ? max(0, 8 - groups[0].count - groups[1].count) : 0
        let full = groups[0] + Array(repeating: "0", count: zeros) + (groups.count == 2 ? groups[1] : [])
        text = full.prefix(4).joined(separator: ":")
    }
}

/// A token that came by a session's message, to be verified.
package struct TokenCheck: Sendable {
    package let token: [UInt8]
    let session: SessionID
    let request: UInt64
    let index: Int
}

/// Why a token was not accepted.
package struct TokenRefusal: Error, Hashable, Sendable {
    package let problem: Problem
    /// For people.
    package let detail: String

    package init(_ problem: Problem, _ detail: String) {
        self.problem = problem
        self.detail = detail
    }

    /// The same for a message.
    var error: MessageError {
        MessageError(MessageError.Code(rawValue: problem.rawValue) ?? .forbidden, detail)
    }

    package var reply: Reply { problem.reply(detail) }
}

extension ServiceLimitName {
    package static let sessionRate = ServiceLimitName("session_rate")
    package static let subjectRate = ServiceLimitName("subject_rate")
    package static let roomRate = ServiceLimitName("room_rate")
    package static let addressRate = ServiceLimitName("address_rate")
}
