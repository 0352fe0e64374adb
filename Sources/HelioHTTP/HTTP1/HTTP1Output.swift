/// Where a drain of HTTP/1.1 writes: a region of the caller's, filled from its front. Who appends has seen to it that there is
/// room.
@safe struct HTTP1Output {
    private let base: UnsafeMutableRawPointer
    private let capacity: Int
    private(set) var count = 0

    init(_ base: UnsafeMutableRawPointer, capacity: Int) {
        unsafe self.base = base
        self.capacity = capacity
    }

    var room: Int { capacity - count }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count <= room)
        guard let start = bytes.baseAddress else { return }
        unsafe (base + count).copyMemory(from: start, byteCount: bytes.count)
        count += bytes.count
    }

    mutating func append(_ text: StaticString) {
        unsafe append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// A number that is not negative, in decimal or hexadecimal digits.
    mutating func append(_ number: Int, radix: UInt = 10) {
        unsafe withUnsafeTemporaryAllocation(byteCount: 20, alignment: 1) { digits in
            var position = 20
            var rest = number.magnitude
            repeat {
                position -= 1
                let digit = UInt8(truncatingIfNeeded: rest % radix)
                unsafe digits[position] = digit < 10 ? digit + 48 : digit + 87
                rest /= radix
            } while rest > 0
            unsafe append(UnsafeRawBufferPointer(rebasing: digits[position...]))
        }
    }

    /// Has bytes written by `fill`, which answers how many those are.
    mutating func append(filledBy fill: (UnsafeMutableRawBufferPointer) -> Int) {
        let filled = unsafe fill(UnsafeMutableRawBufferPointer(start: base + count, count: room))
        precondition(filled <= room)
        count += filled
    }

    /// Has `count` bytes written by `fill`, at most ``room``.
    mutating func append(_ count: Int, _ fill: (UnsafeMutableRawPointer) -> Void) {
        precondition(count <= room)
        unsafe fill(base + self.count)
        self.count += count
    }
}
