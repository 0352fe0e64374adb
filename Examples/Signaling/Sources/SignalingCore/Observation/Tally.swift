/// How often each of a few things has happened.
package struct Tally<Key: Hashable & Sendable>: Sendable, Hashable {
    package private(set) var counts: [Key: Int] = [:]

    package init() {}

    package subscript(key: Key) -> Int { counts[key, default: 0] }

    package mutating func count(_ key: Key, _ times: Int = 1) { counts[key, default: 0] += times }

    package mutating func add(_ other: Tally) { counts.merge(other.counts, uniquingKeysWith: +) }
}
