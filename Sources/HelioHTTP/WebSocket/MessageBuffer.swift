/// A message that is being put together: one block of memory that grows by what has come, never by what was announced.
@safe final class MessageBuffer {
    private var base: UnsafeMutableRawPointer
    private(set) var capacity: Int
    private(set) var count = 0

    private static let initialCapacity = 4096

    init() {
        capacity = Self.initialCapacity
        unsafe base = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { unsafe base.deallocate() }

    /// What is in it; valid until it changes.
    var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: base, count: count) }

    /// Adds bytes, masked or unmasked by `key`.
    ///
    /// - Returns: what was added.
    @discardableResult
    func append(_ bytes: UnsafeRawBufferPointer, key: UInt32 = 0) -> UnsafeRawBufferPointer {
        guard let source = bytes.baseAddress, unsafe !bytes.isEmpty else {
            return unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        }
        let target = unsafe extend(by: bytes.count)
        if key == 0 {
            unsafe target.copyMemory(from: source, byteCount: bytes.count)
        } else {
            unsafe WebSocketMask.copy(from: source, to: target, count: bytes.count, key: key)
        }
        return unsafe UnsafeRawBufferPointer(start: target, count: bytes.count)
    }

    /// Makes it longer by bytes that the caller fills.
    func extend(by more: Int) -> UnsafeMutableRawPointer {
        if capacity - count < more {
            capacity = max(count + more, capacity * 2)
            let grown = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
            unsafe grown.copyMemory(from: base, byteCount: count)
            unsafe base.deallocate()
            unsafe base = grown
        }
        let end = unsafe base + count
        count += more
        return unsafe end
    }

    func removeAll() { count = 0 }
}
