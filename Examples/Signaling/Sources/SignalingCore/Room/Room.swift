/// Who is in a room. It lives on one loop, so that all its members see one order of events.
struct Room {
    private let capacity: Int
    private(set) var members: [Member] = []

    struct Member: Sendable {
        let session: SessionID
        /// What the peer says of itself: a JSON object on one line.
        var meta: [UInt8]
    }

    enum Joining { case new, again, full }

    init(capacity: Int) { self.capacity = capacity }

    var isEmpty: Bool { members.isEmpty }

    func contains(_ session: SessionID) -> Bool { members.contains { $0.session == session } }

    /// A member that joins again only changes what it says of itself.
    mutating func join(_ session: SessionID, meta: [UInt8]) -> Joining {
        if let index = members.firstIndex(where: { $0.session == session }) {
            members[index].meta = meta
            return .again
        }
        guard members.count < capacity else { return .full }
        members.append(Member(session: session, meta: meta))
        return .new
    }

    /// - Returns: whether it was a member.
    mutating func leave(_ session: SessionID) -> Bool {
        guard let index = members.firstIndex(where: { $0.session == session }) else { return false }
        members.remove(at: index)
        return true
    }

    /// All members but one, by the loops on which their sessions live.
    func others(than session: SessionID) -> [Int: [SessionID]] {
        Dictionary(grouping: members.lazy.map(\.session).filter { $0 != session }, by: \.loop)
    }
}
