internal import Synchronization

/// A ``TokenBucket`` that several threads take from, without a lock: all of it is the time at which it will be full again (the generic
/// cell rate algorithm).
final class SharedBucket: Sendable {
    private let fullAt: Atomic<UInt64>

    init(now: UInt64) { fullAt = Atomic(now) }

    /// A rate as times, in nanoseconds.
    struct Pace: Sendable {
        /// Of one taking.
        let step: UInt64
        /// Of a whole burst.
        let burst: UInt64

        /// More years than anyone waits, so that sums do not overflow.
        private static let longest = Double(1 << 60 as UInt64)

        init(_ rate: TokenBucket.Rate) {
            let burst = max(rate.burst, 1)
            let step = min(rate.perSecond > 0 ? 1e9 / rate.perSecond : .infinity, Self.longest / burst)
            self.step = max(1, UInt64(step))
            self.burst = UInt64(min(step * burst, Self.longest))
        }
    }

    /// - Returns: nil when it was taken; else after how many seconds it may be.
    func take(at pace: Pace, now: UInt64) -> Double? {
        var full = fullAt.load(ordering: .relaxed)
        while true {
            let next = max(full, now) + pace.step
            guard next - now <= pace.burst else { return Double(next - now - pace.burst) / 1e9 }
            let (isDone, found) = fullAt.compareExchange(expected: full, desired: next, ordering: .relaxed)
            if isDone { return nil }
            full = found
        }
    }

    func isFull(now: UInt64) -> Bool { fullAt.load(ordering: .relaxed) <= now }
}
