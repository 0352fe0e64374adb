internal import CLinux

/// Bytes that wait to be sent, first in, first out. Empty, it owns no memory: a connection pays for a buffer only while
/// its peer is slow. One thread.
@safe public struct ByteQueue: ~Copyable {
    private var base: UnsafeMutableRawPointer?
    private var capacity = 0
    private var start = 0
    private var end = 0

    public init() {}

    deinit { unsafe free(base) }

    public var count: Int { end - start }
    public var isEmpty: Bool { start == end }

    /// Adds a copy of the bytes.
    public mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        if capacity - end < bytes.count { makeRoom(bytes.count) }
        unsafe (base.unsafelyUnwrapped + end).copyMemory(from: source, byteCount: bytes.count)
        end += bytes.count
    }

    /// What waits, valid for the call.
    public borrowing func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        guard let base = unsafe base else { return unsafe body(UnsafeRawBufferPointer(start: nil, count: 0)) }
        return unsafe body(UnsafeRawBufferPointer(start: base + start, count: count))
    }

    /// Takes `amount` bytes away, at most ``count``.
    public mutating func consume(_ amount: Int) {
        precondition(amount <= count)
        start += amount
        if start == end { removeAll() }
    }

    /// Forgets what waits, and gives the memory back.
    public mutating func removeAll() {
        unsafe free(base)
        unsafe base = nil
        capacity = 0
        start = 0
        end = 0
    }

    private mutating func makeRoom(_ more: Int) {
        let kept = count
        let larger = max(kept + more, kept * 2)
        guard let grown = unsafe malloc(larger) else { preconditionFailure("out of memory") }
        if let base = unsafe base {
            unsafe grown.copyMemory(from: base + start, byteCount: kept)
            unsafe free(base)
        }
        unsafe base = grown
        capacity = larger
        start = 0
        end = kept
    }
}
