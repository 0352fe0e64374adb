internal import Synchronization

/// What all loops of a process count together: how often an address begins sessions, and a subject sends. Any thread.
///
/// A lock is taken when a session begins, and never for a message: a session keeps the bucket of its subject.
package final class SharedRates: Sendable {
    private let addresses: Mutex<BucketTable<ClientAddress>>
    private let subjects: Mutex<Subjects>
    private let pace: SharedBucket.Pace
    private let capacity: Int

    private struct Subjects {
        var buckets: [Identifier: SharedBucket] = [:]
        var lastSweep: UInt64

        /// Keeps those that sessions have, and, within the capacity, those that are not full yet: who comes back soon has no other.
        mutating func sweep(capacity: Int, now: UInt64) {
            var abandoned = 0
            for subject in Array(buckets.keys) {
                guard var bucket = buckets.removeValue(forKey: subject) else { continue }
                if isKnownUniquelyReferenced(&bucket) {
                    guard !bucket.isFull(now: now), abandoned < capacity else { continue }
                    abandoned += 1
                }
                buckets[subject] = bucket
            }
        }
    }

    package init(limits: ServiceLimits, now: Moment) {
        let time = now.nanoseconds
        capacity = limits.rateEntries
        addresses = Mutex(BucketTable(limits.addressRate, capacity: limits.rateEntries, now: time))
        subjects = Mutex(Subjects(lastSweep: time))
        pace = SharedBucket.Pace(limits.subjectRate)
    }

    /// - Returns: nil when one more session may begin there; else after how many seconds it may.
    func take(_ address: ClientAddress, now: UInt64) -> Double? { addresses.withLock { $0.take(address, now: now) } }

    /// - Returns: nil when one more message may be sent; else after how many seconds it may.
    func take(_ subject: SharedBucket, now: UInt64) -> Double? { subject.take(at: pace, now: now) }

    /// That of a subject, for as long as a session of it is there.
    func bucket(of subject: Identifier, now: UInt64) -> SharedBucket {
        subjects.withLock { subjects in
            if let bucket = subjects.buckets[subject] { return bucket }
            if now >= subjects.lastSweep + 1_000_000_000 {
                subjects.lastSweep = now
                subjects.sweep(capacity: capacity, now: now)
            }
            let bucket = SharedBucket(now: now)
            subjects.buckets[subject] = bucket
            return bucket
        }
    }

    /// How many subjects are known.
    var subjectCount: Int { subjects.withLock { $0.buckets.count } }
}
