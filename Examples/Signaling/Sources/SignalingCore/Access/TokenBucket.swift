/// Lets so many things happen in a second, and a burst of them at once.
package struct TokenBucket: Sendable {
    /// How fast a bucket fills, and how much it holds.
    package struct Rate: Sendable, Hashable {
        package var perSecond: Double
        package var burst: Double

        package init(perSecond: Double, burst: Double) {
            self.perSecond = perSecond
            self.burst = burst
        }
    }

    private var level: Double
    private var lastTime: UInt64

    init(_ rate: Rate, now: UInt64) {
        level = rate.burst
        lastTime = now
    }

    /// Takes `cost`, or nothing.
    ///
    /// - Returns: nil when it was taken; else after how many seconds it is there.
    mutating func take(_ cost: Double = 1, at rate: Rate, now: UInt64) -> Double? {
        refill(rate, now: now)
        guard level < cost else {
            level -= cost
            return nil
        }
        return rate.perSecond > 0 ? (cost - level) / rate.perSecond : .infinity
    }

    /// What was taken for nothing comes back.
    mutating func giveBack(_ cost: Double = 1, at rate: Rate) { level = min(rate.burst, level + cost) }

    /// Whether it is as good as a new one.
    mutating func isFull(_ rate: Rate, now: UInt64) -> Bool {
        refill(rate, now: now)
        return level >= rate.burst
    }

    private mutating func refill(_ rate: Rate, now: UInt64) {
        guard now > lastTime else { return }
        level = min(rate.burst, level + Double(now - lastTime) / 1e9 * rate.perSecond)
        lastTime = now
    }
}

/// A bucket for each of those who come. A bucket that is full again is forgotten; when there are too many others, new
/// comers share one.
package struct BucketTable<Key: Hashable & Sendable>: Sendable {
    private let rate: TokenBucket.Rate
    private let capacity: Int
    private var buckets: [Key: TokenBucket] = [:]
    private var shared: TokenBucket
    private var lastSweep: UInt64

    package init(_ rate: TokenBucket.Rate, capacity: Int, now: UInt64) {
        self.rate = rate
        self.capacity = capacity
        shared = TokenBucket(rate, now: now)
        lastSweep = now
    }

    package var count: Int { buckets.count }

    /// - Returns: nil when it may be; else after how many seconds it may.
    package mutating func take(_ key: Key, cost: Double = 1, now: UInt64) -> Double? {
        if let wait = buckets[key]?.take(cost, at: rate, now: now) { return wait }
        if buckets[key] != nil { return nil }
        sweep(now: now)
        guard buckets.count < capacity else { return shared.take(cost, at: rate, now: now) }
        var bucket = TokenBucket(rate, now: now)
        defer { buckets[key] = bucket }
        return bucket.take(cost, at: rate, now: now)
    }

    /// What was taken for nothing comes back.
    package mutating func giveBack(_ key: Key, cost: Double = 1) {
        if buckets[key] == nil { shared.giveBack(cost, at: rate) } else { buckets[key]?.giveBack(cost, at: rate) }
    }

    /// At most once a second, so that many new keys do not each look at all others.
    private mutating func sweep(now: UInt64) {
        guard now >= lastSweep + 1_000_000_000 else { return }
        lastSweep = now
        buckets = buckets.filter { entry in
            var bucket = entry.value
            return !bucket.isFull(rate, now: now)
        }
    }
}
