/// Deadlines of any time ahead, kept by the second, which is as exactly as they are looked at.
struct DeadlineBuckets<Element> {
    private var buckets: [UInt64: [Element]] = [:]
    /// The second up to which all have been looked at.
    private var lastSecond: UInt64

    init(now: UInt64) { lastSecond = now / 1_000_000_000 }

    mutating func schedule(_ element: Element, at deadline: UInt64) {
        buckets[max(deadline / 1_000_000_000, lastSecond) + 1, default: []].append(element)
    }

    /// All whose deadline has passed.
    mutating func takeDue(now: UInt64) -> [Element] {
        let second = now / 1_000_000_000
        guard second > lastSecond else { return [] }
        let due: [Element]
        if second - lastSecond <= UInt64(buckets.count) {
            due = (lastSecond + 1...second).flatMap { buckets.removeValue(forKey: $0) ?? [] }
        } else {
            let keys = buckets.keys.filter { $0 <= second }.sorted()
            due = keys.flatMap { buckets.removeValue(forKey: $0) ?? [] }
        }
        lastSecond = second
        return due
    }
}
