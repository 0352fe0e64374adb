/// Who is in a room. Belongs to the loop that its name gives, so that all its members see one order of events.
final class Room {
    private let capacity: Int
    private var bySession: [SessionID: Member] = [:]
    private var lastOrdinal = 0
    var calls: CallTable
    /// Its members are told their number only.
    private(set) var isCrowded = false
    private let rosterCapacity: Int
    /// What opens it; nil when it is open.
    var password: RoomPassword?
    var keptOut: KeptOut
    private let electsModerators: Bool
    /// The member that moderates as there is none whose token says so.
    private(set) var elected: SessionID?
    private var administrators = 0

    struct Member: Sendable {
        let session: SessionID
        let subject: Identifier?
        /// What the peer says of itself: a JSON object on one line.
        var meta: [UInt8]
        /// What its token said when it joined.
        var standing = Standing.usual
        fileprivate(set) var isElected = false
        /// Rises from member to member.
        fileprivate(set) var ordinal = 0

        var isModerator: Bool { isElected || standing == .administrator }
    }

    enum Joining { case new, again, full }

    init(limits: ServiceLimits, password: RoomPassword?) {
        capacity = limits.roomCapacity
        calls = CallTable(limits: limits)
        rosterCapacity = limits.rosterCapacity
        self.password = password
        keptOut = KeptOut(capacity: limits.keptOutPerRoom)
        electsModerators = limits.electsModerators
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
        if let known = update(member.session, meta: member.meta) {
            recount(member.standing, instead: known.standing)
            bySession[member.session]?.standing = member.standing
            return .again
        }
        guard bySession.count < capacity else { return .full }
        lastOrdinal += 1
        bySession[member.session] = member
        bySession[member.session]?.ordinal = lastOrdinal
        recount(member.standing, instead: .usual)
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
    func leave(_ session: SessionID) -> Bool {
        guard let member = bySession.removeValue(forKey: session) else { return false }
        recount(.usual, instead: member.standing)
        return true
    }

    private func recount(_ standing: Standing, instead other: Standing) {
        administrators += (standing == .administrator ? 1 : 0) - (other == .administrator ? 1 : 0)
    }

    /// Lets the member that is here for the longest time moderate while nobody's token says that they may. To be called when
    /// members have come or gone.
    ///
    /// - Returns: those who moderate now and did not before, or the other way around.
    func elect() -> [Member] {
        let heir = heir
        guard heir != elected else { return [] }
        let former = elected
        elected = heir
        if let former { bySession[former]?.isElected = false }
        if let heir { bySession[heir]?.isElected = true }
        return [former, heir].compactMap { $0.flatMap { bySession[$0] } }
    }

    private var heir: SessionID? {
        guard electsModerators, administrators == 0 else { return nil }
        if let elected, bySession[elected] != nil { return elected }
        return bySession.values.lazy.filter { $0.standing == .usual }.min { $0.ordinal < $1.ordinal }?.session
    }

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
