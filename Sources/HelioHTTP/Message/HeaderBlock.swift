internal import CNghttp2

/// The fields of one message in one block of memory: bytes grow from its front, the table of fields from its back.
///
/// A request of ten fields costs one allocation, or none when the block is recycled with its ``Exchange``. Names are
/// lower case (RFC 9113 section 8.2). Belongs to the loop of its exchange; it is not `Sendable`.
///
/// ```swift
/// if let type = exchange.headers["content-type"] { print(type) }
/// ```
@safe public final class HeaderBlock {
    /// Where a field lies: its name at `offset`, its value right behind.
    struct Field {
        var offset: UInt32
        var nameLength: UInt32
        var valueLength: UInt32
    }

    /// A run of bytes of the block; `length` 0 with `offset` 0 is "absent".
    struct Slice {
        var offset: UInt32 = 0
        var length: UInt32 = 0
        var isPresent: Bool { offset != 0 || length != 0 }
    }

    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    private var used: Int
    private(set) var fieldCount: Int

    /// A new block takes this many bytes; one that grew past `keptCapacity` gives them back when it is recycled.
    private static let initialCapacity = 1024
    private static let keptCapacity = 8192
    /// Offset 0 is never handed out, so that an empty slice means "absent".
    private static let firstOffset = 1

    init() {
        unsafe base = UnsafeMutableRawPointer.allocate(byteCount: Self.initialCapacity, alignment: 16)
        capacity = Self.initialCapacity
        used = Self.firstOffset
        fieldCount = 0
    }

    deinit { unsafe base.deallocate() }

    /// The number of fields.
    public var count: Int { fieldCount }

    /// The value of the first field of that name, or nil. `name` is lower case.
    public subscript(name: String) -> String? {
        guard let index = index(of: name) else { return nil }
        return string(valueSlice(index))
    }

    /// Whether a field of that name is present. `name` is lower case.
    public func has(_ name: String) -> Bool { index(of: name) != nil }

    /// Whether the first field of that name has exactly that value. Allocates nothing.
    public func equals(_ name: String, _ value: String) -> Bool {
        guard let index = index(of: name) else { return false }
        return slice(valueSlice(index), equals: value)
    }

    /// The values of all fields of that name, in the order in which they came. `name` is lower case.
    public func values(of name: String) -> [String] {
        unsafe withBytes(name) { name in
            (0..<fieldCount).filter { unsafe isNamed(name, $0) }.map { string(valueSlice($0)) }
        }
    }

    /// Whether a request asks to be told before it sends its body (RFC 9110 section 10.1.1).
    var isContinueExpected: Bool {
        guard let index = index(of: "expect") else { return false }
        return string(valueSlice(index)).lowercased() == "100-continue"
    }

    /// Calls `body` with the bytes of the first field of that name; they are valid for the call only.
    ///
    /// - Returns: what `body` returns, or nil when there is no such field.
    public func withValue<Result>(of name: String, _ body: (RawSpan) -> Result) -> Result? {
        guard let index = index(of: name) else { return nil }
        return body(unsafe bytes(valueSlice(index)).bytes)
    }

    /// Calls `body` with the name and value of each field, in the order in which they came.
    public func forEach(_ body: (_ name: String, _ value: String) -> Void) {
        for index in 0..<fieldCount { body(string(nameSlice(index)), string(valueSlice(index))) }
    }

    /// All fields as strings, in the order in which they came.
    public var fields: [(name: String, value: String)] {
        (0..<fieldCount).map { (string(nameSlice($0)), string(valueSlice($0))) }
    }

    /// The size by RFC 9113 section 6.5.2: names and values and 32 for each field. In bytes.
    public var listSize: Int {
        (0..<fieldCount).reduce(0) { sum, index in
            let field = field(index)
            return sum + Int(field.nameLength) + Int(field.valueLength) + 32
        }
    }
}

// MARK: - Filling

extension HeaderBlock {
    /// Appends a field whose bytes are a peer's, already checked by the codec.
    func append(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        reserve(name.count + value.count + MemoryLayout<Field>.stride)
        let field = Field(
            offset: UInt32(truncatingIfNeeded: used),
            nameLength: UInt32(truncatingIfNeeded: name.count),
            valueLength: UInt32(truncatingIfNeeded: value.count))
        unsafe put(name)
        unsafe put(value)
        fieldCount += 1
        unsafe fieldPointer(fieldCount - 1).storeBytes(of: field, as: Field.self)
    }

    /// Appends a field of the local program. The name is a token in lower case (a precondition: names are code). A value may
    /// hold what a peer sent: CR, LF and NUL become spaces, and what is blank at its ends goes (RFC 9110 section 5.5).
    func append(name: String, value: String) {
        precondition(Self.isFieldName(name), "'\(name)' is not a lower-case field name")
        unsafe withBytes(name) { unsafe append(name: $0, anyValue: value) }
    }

    /// As ``append(name:value:)`` for a value in bytes, which may be another value of this block.
    func append(name: String, bytes: UnsafeRawBufferPointer) {
        precondition(Self.isFieldName(name), "'\(name)' is not a lower-case field name")
        if let start = bytes.baseAddress, unsafe start >= UnsafeRawPointer(base), unsafe start < base + capacity {
            let copy = unsafe Array(bytes)
            unsafe copy.withUnsafeBytes { value in
                unsafe withBytes(name) { unsafe append(name: $0, anyBytes: value) }
            }
        } else {
            unsafe withBytes(name) { unsafe append(name: $0, anyBytes: bytes) }
        }
    }

    /// As ``append(name:value:)`` for a name of our own, which is known to be one.
    func append(known name: StaticString, value: String) {
        unsafe append(name: Self.bytes(of: name), anyValue: value)
    }

    private func append(name: UnsafeRawBufferPointer, anyValue value: String) {
        unsafe withBytes(value) { unsafe append(name: name, anyBytes: $0) }
    }

    private func append(name: UnsafeRawBufferPointer, anyBytes value: UnsafeRawBufferPointer) {
        var start = 0
        var end = value.count
        while start < end, unsafe Self.isBlank(value[start]) { start += 1 }
        while end > start, unsafe Self.isBlank(value[end - 1]) { end -= 1 }
        unsafe append(name: name, value: UnsafeRawBufferPointer(rebasing: value[start..<end]))
        let slice = valueSlice(fieldCount - 1)
        let kept = unsafe UnsafeMutableRawBufferPointer(start: base + Int(slice.offset), count: Int(slice.length))
        for index in 0..<kept.count where unsafe kept[index] < 32 && Self.isBlank(kept[index]) && kept[index] != 9 {
            unsafe kept[index] = 32
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 32 || byte == 9 || byte == 10 || byte == 13 || byte == 0
    }

    private static func bytes(of name: StaticString) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
    }

    /// Appends a field with a number as its value, without making a string of it.
    func append(known name: StaticString, value: Int) {
        unsafe withUnsafeTemporaryAllocation(byteCount: 20, alignment: 1) { digits in
            var position = 20
            var rest = UInt(value.magnitude)
            repeat {
                position -= 1
                unsafe digits[position] = UInt8(truncatingIfNeeded: rest % 10) + 48
                rest /= 10
            } while rest > 0
            unsafe append(name: Self.bytes(of: name), value: UnsafeRawBufferPointer(rebasing: digits[position...]))
        }
    }

    /// As ``append(name:value:)`` for a peer's name in any case of letters.
    func append(lowercasing name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        unsafe append(name: name, value: value)
        lowercase(nameSlice(fieldCount - 1))
    }

    private func lowercase(_ slice: Slice) {
        let bytes = unsafe UnsafeMutableRawBufferPointer(start: base + Int(slice.offset), count: Int(slice.length))
        for index in 0..<bytes.count where unsafe bytes[index] &- UInt8(ascii: "A") < 26 {
            unsafe bytes[index] |= 0x20
        }
    }

    func keep(lowercasing bytes: UnsafeRawBufferPointer) -> Slice {
        let slice = unsafe keep(bytes)
        lowercase(slice)
        return slice
    }

    func keep(_ text: StaticString) -> Slice { unsafe keep(Self.bytes(of: text)) }

    /// Keeps bytes that are not a field (a pseudo-header's value).
    func keep(_ bytes: UnsafeRawBufferPointer) -> Slice {
        reserve(bytes.count)
        let slice = Slice(offset: UInt32(truncatingIfNeeded: used), length: UInt32(truncatingIfNeeded: bytes.count))
        unsafe put(bytes)
        return slice
    }

    /// Removes all fields of that name. Their bytes go with the block.
    func remove(named name: String) {
        unsafe withBytes(name) { name in
            var kept = 0
            for index in 0..<fieldCount where unsafe !isNamed(name, index) {
                if kept < index { unsafe fieldPointer(kept).storeBytes(of: field(index), as: Field.self) }
                kept += 1
            }
            fieldCount = kept
        }
    }

    func removeAll() {
        used = Self.firstOffset
        fieldCount = 0
        guard capacity > Self.keptCapacity else { return }
        unsafe base.deallocate()
        unsafe base = UnsafeMutableRawPointer.allocate(byteCount: Self.initialCapacity, alignment: 16)
        capacity = Self.initialCapacity
    }

    /// Makes one field of the crumbs of a cookie, which HTTP/2 lets a peer send as many (RFC 9113 section 8.2.3).
    func joinCookies() {
        let crumbs = (0..<fieldCount).filter { slice(nameSlice($0), equals: "cookie") }
        guard let first = crumbs.first, crumbs.count > 1 else { return }
        let length = crumbs.reduce(2 * (crumbs.count - 1)) { $0 + Int(valueSlice($1).length) }
        reserve(6 + length)
        let joined = Field(
            offset: UInt32(truncatingIfNeeded: used), nameLength: 6, valueLength: UInt32(truncatingIfNeeded: length))
        unsafe put(bytes(nameSlice(first)))
        for index in crumbs {
            if index != first { unsafe put(Self.bytes(of: "; ")) }
            unsafe put(bytes(valueSlice(index)))
        }
        unsafe fieldPointer(first).storeBytes(of: joined, as: Field.self)
        var kept = first + 1
        for index in first + 1..<fieldCount where !crumbs.contains(index) {
            unsafe fieldPointer(kept).storeBytes(of: field(index), as: Field.self)
            kept += 1
        }
        fieldCount = kept
    }

    private func put(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        unsafe (base + used).copyMemory(from: start, byteCount: bytes.count)
        used += bytes.count
    }

    private func reserve(_ more: Int) {
        let table = fieldCount * MemoryLayout<Field>.stride
        guard used + more + table + MemoryLayout<Field>.stride > capacity else { return }
        let larger = max(capacity * 2, (used + more + table + 64 + 15) & ~15)
        let grown = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        unsafe grown.copyMemory(from: base, byteCount: used)
        unsafe (grown + larger - table).copyMemory(from: base + capacity - table, byteCount: table)
        unsafe base.deallocate()
        unsafe base = grown
        capacity = larger
    }
}

// MARK: - Reading by position

extension HeaderBlock {
    func nameSlice(_ index: Int) -> Slice {
        let field = field(index)
        return Slice(offset: field.offset, length: field.nameLength)
    }

    func valueSlice(_ index: Int) -> Slice {
        let field = field(index)
        return Slice(offset: field.offset + field.nameLength, length: field.valueLength)
    }

    /// The bytes of a slice; valid until the block changes.
    func bytes(_ slice: Slice) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: base + Int(slice.offset), count: Int(slice.length))
    }

    func string(_ slice: Slice) -> String { unsafe String(decoding: bytes(slice), as: UTF8.self) }

    func slice(_ slice: Slice, equals text: String) -> Bool {
        unsafe withBytes(text) { text in
            unsafe text.count == Int(slice.length)
                && (text.isEmpty
                    || memcmp(text.baseAddress.unsafelyUnwrapped, base + Int(slice.offset), text.count) == 0)
        }
    }

    func index(of name: String) -> Int? {
        unsafe withBytes(name) { name in
            for index in 0..<fieldCount where unsafe isNamed(name, index) { return index }
            return nil
        }
    }

    @inline(__always)
    private func isNamed(_ name: UnsafeRawBufferPointer, _ index: Int) -> Bool {
        let field = field(index)
        return unsafe Int(field.nameLength) == name.count && !name.isEmpty
            && memcmp(base + Int(field.offset), name.baseAddress.unsafelyUnwrapped, name.count) == 0
    }

    private func field(_ index: Int) -> Field {
        precondition(index < fieldCount)
        return unsafe fieldPointer(index).load(as: Field.self)
    }

    private func fieldPointer(_ index: Int) -> UnsafeMutableRawPointer {
        unsafe base + capacity - (index + 1) * MemoryLayout<Field>.stride
    }

    static func isFieldName(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
                case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "!"), UInt8(ascii: "#"),
                    UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "*"),
                    UInt8(ascii: "+"), UInt8(ascii: "^"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
                    true
                default: false
                }
            }
    }
}

/// The UTF-8 bytes of a string for the call; native strings are lent, not copied.
@inline(__always)
func withBytes<Result>(_ string: String, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    if let result = unsafe string.utf8.withContiguousStorageIfAvailable({ unsafe body(UnsafeRawBufferPointer($0)) }) {
        return result
    }
    return unsafe Array(string.utf8).withUnsafeBytes { unsafe body($0) }
}
