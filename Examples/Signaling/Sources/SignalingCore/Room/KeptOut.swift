/// Who was put out of a room and may not come back yet. Bounded: past that the one who was put out first may.
struct KeptOut {
    private enum Name: Equatable {
        case session(SessionID)
        case subject(Identifier)
    }

    private var entries = FIFO<(name: Name, until: UInt64)>()
    private let capacity: Int

    init(capacity: Int) { self.capacity = capacity }

    /// - Parameter until: in nanoseconds.
    /// - Returns: false when somebody else may come back earlier for it.
    mutating func insert(_ session: SessionID, _ subject: Identifier?, until: UInt64) -> Bool {
        entries.append((subject.map { .subject($0) } ?? .session(session), until))
        guard entries.count > capacity else { return true }
        entries.popFirst()
        return false
    }

    /// For how long still, in nanoseconds; nil when it may come in.
    mutating func wait(_ session: SessionID, _ subject: Identifier?, now: UInt64) -> UInt64? {
        while let first = entries.first, first.until <= now { entries.popFirst() }
        let name: Name = subject.map { .subject($0) } ?? .session(session)
        var until: UInt64?
        for index in entries.startIndex..<entries.endIndex {
            if let entry = entries[index], entry.name == name { until = max(until ?? 0, entry.until) }
        }
        guard let until, until > now else { return nil }
        return until - now
    }
}
