/// A session's messages on their way to rooms, and the order between them.
///
/// Every message goes by the loop of its room, which keeps first in, first out for that room. Two rooms may be on
/// different loops; so a message to another room than those under way waits until their outcomes are back. Between two
/// peers everything then arrives in the order in which it was sent, whatever rooms they share.
struct OutgoingMessages {
    private var operations: [UInt64: Operation] = [:]
    /// The operations under way that have an id of their client.
    private var byID: [Identifier: UInt64] = [:]
    private var lastOperation: UInt64 = 0
    private var room: RoomName?
    private var underWay = 0
    private var waiting = FIFO<Waiting>()
    private var waitingBytes = 0

    struct Operation {
        let id: Identifier?
        let room: RoomName
        let kind: ClientMessage.Kind
        var waiters: [Waiter]
        /// When it came, in nanoseconds.
        var at: UInt64 = 0
        /// A guess of a password was taken for it.
        fileprivate(set) var isGuess = false
    }

    private struct Waiting {
        let operation: UInt64
        let size: Int
    }

    enum Admission {
        /// It goes now.
        case go
        /// It goes later: see ``finish(_:)``.
        case wait
        /// Too much waits already.
        case refused
    }

    /// Nothing is under way or waits.
    var isIdle: Bool { operations.isEmpty }

    /// Lets a repeat of a message that is under way share its result.
    ///
    /// - Returns: whether there is such a message.
    mutating func join(_ id: Identifier, _ waiter: Waiter) -> Bool {
        guard let operation = byID[id] else { return false }
        operations[operation]?.waiters.append(waiter)
        return true
    }

    mutating func begin(_ operation: Operation, size: Int, maxWaiting: Int) -> (UInt64, Admission) {
        lastOperation += 1
        operations[lastOperation] = operation
        if let id = operation.id { byID[id] = lastOperation }
        if waiting.isEmpty, underWay == 0 || room == operation.room {
            depart(operation)
            return (lastOperation, .go)
        }
        guard waitingBytes + size <= maxWaiting else { return (lastOperation, .refused) }
        waiting.append(Waiting(operation: lastOperation, size: size))
        waitingBytes += size
        return (lastOperation, .wait)
    }

    mutating func markGuess(_ operation: UInt64) { operations[operation]?.isGuess = true }

    /// The outcome of an operation that went is there.
    mutating func finish(_ operation: UInt64) -> Operation? {
        guard let ended = remove(operation) else { return nil }
        underWay -= 1
        return ended
    }

    /// Takes back an operation that never went.
    mutating func remove(_ operation: UInt64) -> Operation? {
        guard let ended = operations.removeValue(forKey: operation) else { return nil }
        if let id = ended.id { byID[id] = nil }
        return ended
    }

    /// The next operation that may go now, if any waits.
    mutating func next() -> (UInt64, Operation)? {
        guard let first = waiting.first, let operation = operations[first.operation],
            underWay == 0 || room == operation.room
        else { return nil }
        waiting.popFirst()
        waitingBytes -= first.size
        depart(operation)
        return (first.operation, operation)
    }

    private mutating func depart(_ operation: Operation) {
        room = operation.room
        underWay += 1
    }
}
