/// What a loop has for the others while their mailboxes are full. What must not be lost waits here, in order; what a client
/// can send again is refused.
struct Outbox {
    private var waiting: [Int: FIFO<LoopMessage>] = [:]

    /// Whether something waits for that loop.
    func isCongested(_ loop: Int) -> Bool { waiting[loop] != nil }

    var count: Int { waiting.values.reduce(0) { $0 + $1.count } }

    mutating func append(_ message: LoopMessage, to loop: Int) { waiting[loop, default: FIFO()].append(message) }

    /// Offers what waits to `post` until it answers false.
    mutating func flush(_ post: (LoopMessage, _ loop: Int) -> Bool) {
        for loop in waiting.keys.sorted() {
            while let message = waiting[loop]?.first, post(message, loop) { waiting[loop]?.popFirst() }
            if waiting[loop]?.isEmpty == true { waiting[loop] = nil }
        }
    }
}
