/// Who is in a room. Belongs to the loop that its name gives, so that all its members see one order of events.
final class Room {
    private let capacity: Int
    private var bySession: [SessionID: Member] = [:]
    private var lastOrdinal = 0
    var calls: CallTable
    /// Its members are told their number only.
    private(set) var isCrowded = false
    private let rosterCapacity: Int

    struct Member: Sendable {
        let session: SessionID
        let subject: Identifier?
        /// What the peer says of itself: a JSON object on one line.
        var meta: [UInt8]
        /// Rises from member to member.
        fileprivate(set) var ordinal = 0
    }

    enum Joining { case new, again, full }

    init(limits: ServiceLimits) {
        capacity = limits.roomCapacity
        calls = CallTable(limits: limits)
        rosterCapacity = limits.rosterCapacity
    }

    var isEmpty: Bool { bySession.isEmpty }
    var count: Int { bySession.count }

    /// In the order in which they came.
    var members: [Member] { bySession.values.sorted { $0.ordinal < $1.ordinal } }

    /// Who came before all that are there.
    var first: Member? { bySession.values.min { $0.ordinal < $1.ordinal } }

    func contains(_ session: SessionID) -> Bool { bySession[session] != nil }

    func member(_ session: SessionID) -> Member? { bySession[session] }

    /// A member that joins again only changes what it says of itself.
    func join(_ member: Member) -> Joining {
        if update(member.session, meta: member.meta) != nil { return .again }
        guard bySession.count < capacity else { return .full }
        lastOrdinal += 1
        bySession[member.session] = member
        bySession[member.session]?.ordinal = lastOrdinal
        if count > rosterCapacity { isCrowded = true }
        return .new
    }

    /// - Returns: whether it has a roster again.
    func thinOut() -> Bool {
        guard isCrowded, count <= rosterCapacity * 3 / 4 else { return false }
        isCrowded = false
        return true
    }

    /// - Returns: the member as it is now; nil when there is none.
    func update(_ session: SessionID, meta: [UInt8]) -> Member? {
        bySession[session]?.meta = meta
        return bySession[session]
    }

    /// - Returns: whether it was a member.
    func leave(_ session: SessionID) -> Bool { bySession.removeValue(forKey: session) != nil }

    /// All members but one, by the loops on which their sessions live.
    func others(than session: SessionID) -> [Int: [SessionID]] {
        Dictionary(grouping: bySession.keys.lazy.filter { $0 != session }, by: \.loop)
    }

    /// All members, by the loops on which their sessions live.
    var byLoop: [Int: [SessionID]] { Dictionary(grouping: bySession.keys, by: \.loop) }

    /// The members that have this subject, but one.
    func sessions(of subject: Identifier, butNot session: SessionID) -> [SessionID] {
        bySession.values.lazy.filter { $0.subject == subject && $0.session != session }.map(\.session)
    }
}
