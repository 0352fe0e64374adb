/// Bytes on their way through an exchange, first in, first out: small writes gathered into one block, and arrays that are
/// handed over without a copy.
///
/// The order is: what is gathered, then the arrays. A small write behind an array becomes an array too, or joins the last
/// one that began so.
struct BodyQueue {
    private var gathered = GatherBuffer()
    private var segments: [[UInt8]] = []
    /// The segment that is read; those before it are spent.
    private var first = 0
    /// Bytes of the first segment that are read already.
    private var offset = 0
    /// Whether the last segment is one of ours, to which small writes may be added.
    private var lastIsOurs = false
    private(set) var count = 0

    /// Small writes behind an array are joined into segments of about this size, and taken out in pieces of it.
    private static let pieceSize = 16 * 1024

    var isEmpty: Bool { count == 0 }

    /// Adds an array as it is.
    mutating func append(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        appendSegment(bytes)
        lastIsOurs = false
    }

    /// Adds a copy of the bytes.
    mutating func append(copying bytes: UnsafeRawBufferPointer) {
        guard unsafe !bytes.isEmpty else { return }
        if first == segments.count {
            unsafe gathered.append(bytes)
            count += bytes.count
        } else if lastIsOurs, segments[segments.count - 1].count + bytes.count <= Self.pieceSize {
            unsafe segments[segments.count - 1].append(contentsOf: bytes)
            count += bytes.count
        } else {
            unsafe appendSegment(Array(bytes))
            lastIsOurs = true
        }
    }

    /// Moves `amount` bytes, no more than `count`, to `target`.
    mutating func read(_ amount: Int, into target: UnsafeMutableRawPointer) {
        precondition(amount <= count)
        var done = min(gathered.count, amount)
        unsafe gathered.read(done, into: target)
        while done < amount {
            let left = segments[first].count - offset
            let take = min(left, amount - done)
            unsafe segments[first].withUnsafeBytes { bytes in
                unsafe (target + done).copyMemory(from: bytes.baseAddress.unsafelyUnwrapped + offset, byteCount: take)
            }
            done += take
            if take == left { advance() } else { offset += take }
        }
        count -= amount
    }

    /// Takes the next bytes as an array; nil when there are none.
    mutating func popFirst() -> [UInt8]? {
        guard count > 0 else { return nil }
        if gathered.count > 0 {
            let bytes = gathered.take(min(gathered.count, Self.pieceSize))
            count -= bytes.count
            return bytes
        }
        let segment = offset == 0 ? segments[first] : Array(segments[first][offset...])
        advance()
        count -= segment.count
        return segment
    }

    /// Frees what it keeps for the next bytes; the last call.
    func deallocate() { gathered.deallocate() }

    mutating func removeAll() {
        guard count > 0 || !segments.isEmpty else { return }
        gathered.removeAll()
        segments.removeAll(keepingCapacity: segments.count <= 16)
        first = 0
        offset = 0
        lastIsOurs = false
        count = 0
    }

    private mutating func advance() {
        segments[first] = []
        first += 1
        offset = 0
    }

    private mutating func appendSegment(_ bytes: [UInt8]) {
        // Spent segments go when nothing is left, or when they are many.
        if first == segments.count {
            segments.removeAll(keepingCapacity: true)
            first = 0
        } else if first >= 32, first * 2 >= segments.count {
            segments.removeFirst(first)
            first = 0
        }
        segments.append(bytes)
        count += bytes.count
    }
}
