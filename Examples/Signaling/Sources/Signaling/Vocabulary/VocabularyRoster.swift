import SignalingCore

/// Who is in a room, by the names that the vocabulary has for them. It is as large as the service tells it: large rooms have no roster.
struct VocabularyRoster {
    /// In the order in which they came.
    private(set) var members: [VocabularyMember] = []

    func contains(_ peer: String) -> Bool { members.contains { $0.peer == peer } }

    func member(_ peer: String) -> VocabularyMember? { members.first { $0.peer == peer } }

    mutating func set(_ member: VocabularyMember) {
        if let index = members.firstIndex(where: { $0.peer == member.peer }) {
            members[index] = member
        } else {
            members.append(member)
        }
    }

    @discardableResult
    mutating func remove(_ peer: String) -> VocabularyMember? {
        guard let index = members.firstIndex(where: { $0.peer == peer }) else { return nil }
        return members.remove(at: index)
    }

    /// The name of a member. One that calls itself as another does that came before is known by its session's name, so that
    /// nobody takes a name from somebody; a name that only a channel's connection has can be taken. Nor can one be called as another's
    /// session is.
    func name(of member: VocabularyMember) -> String {
        guard let userID = member.userID, SessionID(userID) == nil else { return member.peer }
        guard !member.isChannel else { return userID }
        let holder = members.first { $0.userID == userID && !$0.isChannel }
        return holder == nil || holder?.peer == member.peer ? userID : member.peer
    }

    func name(of peer: String) -> String? { member(peer).map(name) }

    /// To whom the messages for a user go.
    func peer(named name: String) -> String? {
        let named = members.filter { self.name(of: $0) == name }
        return (named.first { !$0.isChannel } ?? named.first)?.peer
    }

    /// Each once, in the order in which they came.
    var names: [String] {
        var seen: Set<String> = []
        return members.map(name).filter { seen.insert($0).inserted }
    }
}
