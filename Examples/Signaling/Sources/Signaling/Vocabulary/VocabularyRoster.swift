import SignalingCore

/// Who is in a room, by the names that the vocabulary has for them. It is as large as the service tells it: large rooms have no roster.
struct VocabularyRoster {
    private var entries: [String: Entry] = [:]
    /// Those of a name: a user may have several connections.
    private var peers: [String: [String]] = [:]
    private var lastOrdinal = 0

    private struct Entry {
        var member: VocabularyMember
        var name: String
        let ordinal: Int
    }

    func contains(_ peer: String) -> Bool { entries[peer] != nil }

    func member(_ peer: String) -> VocabularyMember? { entries[peer]?.member }

    /// In the order in which they came.
    var members: [VocabularyMember] { entries.values.sorted { $0.ordinal < $1.ordinal }.map(\.member) }

    mutating func set(_ member: VocabularyMember) {
        let old = entries[member.peer]
        if let old { unname(member.peer, old.name) }
        lastOrdinal += 1
        let name = name(for: member)
        entries[member.peer] = Entry(member: member, name: name, ordinal: old?.ordinal ?? lastOrdinal)
        peers[name, default: []].append(member.peer)
    }

    mutating func remove(_ peer: String) {
        if let entry = entries.removeValue(forKey: peer) { unname(peer, entry.name) }
    }

    private mutating func unname(_ peer: String, _ name: String) {
        peers[name]?.removeAll { $0 == peer }
        if peers[name]?.isEmpty == true { peers[name] = nil }
    }

    /// One that calls itself as another does that came before is known by its session's name, so that nobody takes a name from
    /// somebody; a name that only a channel's connection has can be taken. Nor can one be called as another's session is.
    private func name(for member: VocabularyMember) -> String {
        guard let userID = member.userID, SessionID(userID) == nil else { return member.peer }
        guard !member.isChannel else { return userID }
        return holder(of: userID) == nil ? userID : member.peer
    }

    private func holder(of name: String) -> String? { peers[name]?.first { entries[$0]?.member.isChannel == false } }

    func name(of peer: String) -> String? { entries[peer]?.name }

    /// To whom the messages for a user go.
    func peer(named name: String) -> String? { holder(of: name) ?? peers[name]?.first }

    /// Each once, in the order in which they came.
    var names: [String] {
        var seen: Set<String> = []
        return entries.values.sorted { $0.ordinal < $1.ordinal }.map(\.name).filter { seen.insert($0).inserted }
    }
}
