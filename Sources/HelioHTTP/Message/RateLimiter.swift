/// A token bucket as one number: the generic cell rate algorithm's theoretical arrival time.
struct RateLimiter {
    /// When the bucket will be full again, in nanoseconds of the caller's clock.
    private var fullAt: UInt64 = 0

    /// A rate in nanoseconds, computed once: it is asked for every frame.
    struct Bound {
        let interval: UInt64
        /// How far ahead of the clock the bucket may be: what makes a burst.
        let tolerance: UInt64

        /// A rate of less than one event counts as one; what is too large for a clock is without bound.
        init(_ rate: Limits.Rate) {
            interval = 1_000_000_000 / UInt64(max(1, rate.perSecond))
            let (product, overflow) = interval.multipliedReportingOverflow(by: UInt64(max(1, rate.burst) - 1))
            tolerance = overflow ? UInt64.max / 4 : min(product, UInt64.max / 4)
        }
    }

    /// Takes one token at `now`. False: there was none, and none was taken.
    mutating func allow(_ bound: Bound, now: UInt64) -> Bool {
        let start = max(fullAt, now)
        guard start - now <= bound.tolerance else { return false }
        fullAt = start + bound.interval
        return true
    }

    /// Puts a token back that should not have been taken.
    mutating func giveBack(_ bound: Bound) { fullAt -= min(fullAt, bound.interval) }
}
