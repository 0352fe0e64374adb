/// How far a loop's draining is.
package struct DrainState: Sendable, Hashable {
    package var isDraining = false
    /// Sessions that have been told to go elsewhere.
    package var told = 0
    /// Sessions that have not.
    package var left = 0

    package init() {}

    package mutating func add(_ other: DrainState) {
        isDraining = isDraining || other.isDraining
        told += other.told
        left += other.left
    }
}

/// The sessions of a loop that are still to be told to go elsewhere, in batches of a bounded size: but all of them in time.
struct DrainPlan {
    private var waiting: FIFO<SessionID>
    private(set) var told = 0
    private let begin: UInt64
    private let end: UInt64

    /// Between two batches.
    static let step = Duration.milliseconds(100)

    /// - Parameters:
    ///   - lead: how long readiness is gone before the first is told.
    ///   - within: when all have gone; they are told in the first half of what the lead leaves of it.
    init(_ sessions: some Sequence<SessionID>, lead: Duration, within: Duration, now: UInt64) {
        waiting = FIFO()
        for session in sessions { waiting.append(session) }
        begin = now + min(lead.nanoseconds, within.nanoseconds)
        end = begin + (within.nanoseconds - min(lead.nanoseconds, within.nanoseconds)) / 2
    }

    var left: Int { waiting.count }

    /// Those to be told now.
    mutating func nextBatch(atLeast size: Int, now: UInt64) -> [SessionID] {
        guard now >= begin else { return [] }
        let steps = now < end ? Int((end - now) / Self.step.nanoseconds) + 1 : 1
        let count = max(size, (waiting.count + steps - 1) / steps)
        var batch: [SessionID] = []
        while batch.count < count, let session = waiting.popFirst() { batch.append(session) }
        told += batch.count
        return batch
    }
}
