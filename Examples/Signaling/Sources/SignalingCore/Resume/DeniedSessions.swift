/// Sessions that were ended against the will of their clients, whose tickets may still be out. Bounded: past that, those that
/// were ended first are forgotten.
struct DeniedSessions {
    private var entries = FIFO<(session: SessionID, until: Int64)>()
    private var problems: [SessionID: Problem] = [:]
    private let capacity: Int

    init(capacity: Int) { self.capacity = capacity }

    var count: Int { problems.count }

    /// - Parameters:
    ///   - problem: why its tickets are refused.
    ///   - until: when the last of its tickets expires, in milliseconds since 1970.
    /// - Returns: false when another one was forgotten for it.
    mutating func insert(_ session: SessionID, _ problem: Problem, until: Int64) -> Bool {
        guard problems.updateValue(problem, forKey: session) == nil else { return true }
        entries.append((session, until))
        guard entries.count > capacity, let first = entries.popFirst() else { return true }
        problems[first.session] = nil
        return false
    }

    /// Why a ticket of this session is refused; nil when it is not.
    mutating func problem(of session: SessionID, now: Int64) -> Problem? {
        while let first = entries.first, first.until <= now {
            entries.popFirst()
            problems[first.session] = nil
        }
        return problems[session]
    }
}
