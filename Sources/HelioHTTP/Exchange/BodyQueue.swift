internal import CNghttp2

/// Bytes on their way through an exchange, first in, first out: arrays that are handed over without a copy, and small
/// writes gathered into one. Empty, it holds at most one small array for the next exchange's use.
struct BodyQueue {
    private var segments: [[UInt8]] = []
    /// The segment that is read; those before it are spent.
    private var first = 0
    /// Bytes of the first segment that are read already.
    private var offset = 0
    /// Whether the last segment is one of ours, to which small writes may be added.
    private var lastIsGathered = false
    /// The array of an earlier small write, empty, so that the next one allocates nothing.
    private var spare: [UInt8] = []
    private(set) var count = 0

    /// Small writes are gathered into segments of about this size.
    private static let gatheredSize = 16 * 1024
    /// A spent array up to this capacity is kept for the next small write.
    private static let spareCapacity = 4096

    var isEmpty: Bool { count == 0 }

    /// Adds an array as it is.
    mutating func append(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        prepareToAppend()
        segments.append(bytes)
        lastIsGathered = false
        count += bytes.count
    }

    /// Adds a copy of the bytes.
    mutating func append(copying bytes: UnsafeRawBufferPointer) {
        guard unsafe !bytes.isEmpty else { return }
        prepareToAppend()
        if lastIsGathered, segments[segments.count - 1].count + bytes.count <= Self.gatheredSize {
            unsafe segments[segments.count - 1].append(contentsOf: bytes)
        } else {
            var segment: [UInt8] = []
            swap(&segment, &spare)
            unsafe segment.append(contentsOf: bytes)
            segments.append(segment)
        }
        lastIsGathered = true
        count += bytes.count
    }

    /// Moves `amount` bytes, no more than `count`, to `target`.
    mutating func read(_ amount: Int, into target: UnsafeMutableRawPointer) {
        precondition(amount <= count)
        var done = 0
        while done < amount {
            let left = segments[first].count - offset
            let take = min(left, amount - done)
            unsafe segments[first].withUnsafeBytes { bytes in
                unsafe (target + done).copyMemory(from: bytes.baseAddress.unsafelyUnwrapped + offset, byteCount: take)
            }
            done += take
            if take == left { recycleFirst() } else { offset += take }
        }
        count -= amount
    }

    /// Takes the next array; nil when there is none.
    mutating func popFirst() -> [UInt8]? {
        guard count > 0 else { return nil }
        let segment = offset == 0 ? segments[first] : Array(segments[first][offset...])
        segments[first] = []
        advance()
        count -= segment.count
        return segment
    }

    mutating func removeAll() {
        segments.removeAll(keepingCapacity: segments.count <= 16)
        first = 0
        offset = 0
        lastIsGathered = false
        count = 0
    }

    private mutating func recycleFirst() {
        var spent: [UInt8] = []
        swap(&spent, &segments[first])
        if lastIsGathered, first == segments.count - 1, spent.capacity <= Self.spareCapacity {
            spent.removeAll(keepingCapacity: true)
            swap(&spent, &spare)
        }
        advance()
    }

    private mutating func advance() {
        first += 1
        offset = 0
        if first == segments.count { lastIsGathered = false }
    }

    /// Spent segments go when nothing is left, or when they are many.
    private mutating func prepareToAppend() {
        if first == segments.count {
            segments.removeAll(keepingCapacity: true)
            first = 0
        } else if first >= 32, first * 2 >= segments.count {
            segments.removeFirst(first)
            first = 0
        }
    }
}
