/// A token bucket as one number: the generic cell rate algorithm's theoretical arrival time.
struct RateLimiter {
    /// When the bucket will be full again, in nanoseconds of the caller's clock.
    private var fullAt: UInt64 = 0

    /// Takes one token at `now`. False: there was none, and none was taken.
    mutating func allow(_ rate: Limits.Rate, now: UInt64) -> Bool {
        let interval = 1_000_000_000 / UInt64(rate.perSecond)
        let start = max(fullAt, now)
        guard start - now <= interval * UInt64(rate.burst - 1) else { return false }
        fullAt = start + interval
        return true
    }
}
