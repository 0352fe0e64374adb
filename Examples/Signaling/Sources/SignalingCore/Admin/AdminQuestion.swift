/// What one loop asks another on behalf of an operator, or of a client that wants to know of a room before it comes in.
package enum AdminQuestion: Sendable {
    case measures
    case sessions(after: UInt64, limit: Int)
    case rooms(after: UInt64, limit: Int)
    case session(SessionID)
    case flight(SessionID)
    case room(RoomName)
    /// How many are in a room, and what the first of them says of itself.
    case entrance(RoomName)
    case endSession(SessionID)
    case tellSession(SessionID, body: [UInt8])
    case closeRoom(RoomName)
    case removeMember(RoomName, SessionID)
    case tellRoom(RoomName, body: [UInt8])
    case drain(within: Duration)
    case undrain
    case drainState

    /// What it carries, in bytes.
    var size: Int {
        switch self {
        case .tellSession(_, let body), .tellRoom(_, let body): body.count
        default: 0
        }
    }
}

/// What that loop says.
package enum AdminAnswer: Sendable {
    case measures(LoopMeasures)
    /// JSON objects, each with the number that a later page starts after.
    case page([[UInt8]], next: UInt64?)
    /// A JSON object.
    case object([UInt8])
    case drain(DrainState)
    /// It is done; for so many sessions.
    case done(Int)
    /// The session, the room or the member does not exist.
    case unknown

    /// What it carries, in bytes.
    var size: Int {
        switch self {
        case .measures: 4096
        case .page(let objects, _): objects.reduce(0) { $0 + $1.count }
        case .object(let bytes): bytes.count
        case .drain, .done, .unknown: 0
        }
    }
}

/// How a question to loops has ended.
package enum AdminOutcome: Sendable {
    /// What they say, in the order in which they were asked.
    case answers([AdminAnswer])
    /// Too much is asked already, or on its way to a loop.
    case busy
    /// A loop has not answered in time.
    case timeout
}

/// On whose behalf loops are asked. Each has places of its own, so that clients never keep an operator from asking.
package enum AdminAsker: Sendable { case operators, clients }

/// Questions of this loop to others that are not answered yet.
struct AdminDesk {
    typealias Completion = (AdminOutcome) -> Void

    private struct Pending {
        let loops: [Int]
        let asker: AdminAsker
        var answers: [Int: AdminAnswer] = [:]
        let deadline: UInt64
        let done: Completion
    }

    private var pending: [UInt64: Pending] = [:]
    private var last: UInt64 = 0
    private var counts: [AdminAsker: Int] = [:]

    func count(of asker: AdminAsker) -> Int { counts[asker, default: 0] }

    mutating func open(
        _ loops: [Int], for asker: AdminAsker, deadline: UInt64, _ done: @escaping Completion
    ) -> UInt64 {
        last += 1
        pending[last] = Pending(loops: loops, asker: asker, deadline: deadline, done: done)
        counts[asker, default: 0] += 1
        return last
    }

    private mutating func remove(_ number: UInt64) -> Pending? {
        guard let question = pending.removeValue(forKey: number) else { return nil }
        counts[question.asker, default: 1] -= 1
        return question
    }

    /// - Returns: whom to tell what, when this was the last answer.
    mutating func take(_ answer: AdminAnswer, from loop: Int, to number: UInt64) -> (Completion, AdminOutcome)? {
        pending[number]?.answers[loop] = answer
        guard let question = pending[number], question.answers.count == question.loops.count else { return nil }
        _ = remove(number)
        return (question.done, .answers(question.loops.compactMap { question.answers[$0] }))
    }

    mutating func cancel(_ number: UInt64) -> Completion? { remove(number)?.done }

    /// Takes out those whose time is over.
    mutating func expire(now: UInt64) -> [Completion] {
        let late = pending.filter { $0.value.deadline <= now }
        return late.keys.compactMap { remove($0)?.done }
    }
}
