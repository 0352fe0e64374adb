/// Small writes of a body, one behind the other in one block of memory, which is kept for the next ones. Its owner
/// deallocates it.
@safe struct GatherBuffer {
    private var base: UnsafeMutableRawPointer?
    private var capacity = 0
    private var start = 0
    private var end = 0

    /// A block up to this size is kept when it is empty.
    private static let keptCapacity = 4096
    private static let initialCapacity = 256

    func deallocate() { unsafe base?.deallocate() }

    var count: Int { end - start }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        if capacity - end < bytes.count { makeRoom(bytes.count) }
        unsafe (base.unsafelyUnwrapped + end).copyMemory(from: source, byteCount: bytes.count)
        end += bytes.count
    }

    /// Moves `amount` bytes, at most ``count``, to `target`.
    mutating func read(_ amount: Int, into target: UnsafeMutableRawPointer) {
        guard amount > 0, let base = unsafe base else { return }
        precondition(amount <= count)
        unsafe target.copyMemory(from: base + start, byteCount: amount)
        start += amount
        if start == end { removeAll() }
    }

    var isEmpty: Bool { start == end }

    /// What it holds; valid until it changes.
    var bytes: UnsafeRawBufferPointer {
        guard let base = unsafe base else { return unsafe UnsafeRawBufferPointer(start: nil, count: 0) }
        return unsafe UnsafeRawBufferPointer(start: base + start, count: count)
    }

    /// Takes `amount` bytes, at most ``count``, away.
    mutating func consume(_ amount: Int) {
        precondition(amount <= count)
        start += amount
    }

    /// Forgets what it holds, and gives the memory back.
    mutating func release() {
        guard let held = unsafe base else { return }
        unsafe held.deallocate()
        unsafe base = nil
        capacity = 0
        start = 0
        end = 0
    }

    /// Takes `amount` bytes, at most ``count``, as an array.
    mutating func take(_ amount: Int) -> [UInt8] {
        unsafe Array(unsafeUninitializedCapacity: amount) { target, filled in
            if let target = target.baseAddress { unsafe read(amount, into: target) }
            filled = amount
        }
    }

    mutating func removeAll() {
        start = 0
        end = 0
        guard capacity > Self.keptCapacity else { return }
        unsafe base?.deallocate()
        unsafe base = nil
        capacity = 0
    }

    private mutating func makeRoom(_ more: Int) {
        let kept = count
        let larger = max(kept + more, kept * 2, Self.initialCapacity)
        let grown = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        if let base = unsafe base {
            unsafe grown.copyMemory(from: base + start, byteCount: kept)
            unsafe base.deallocate()
        }
        unsafe base = grown
        capacity = larger
        start = 0
        end = kept
    }
}
