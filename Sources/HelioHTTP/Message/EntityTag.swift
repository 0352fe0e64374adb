/// What tells one version of a representation from another (RFC 9110 section 8.8.3).
///
/// ```swift
/// let tag = EntityTag("5f-1a2b")
/// exchange.addHeader("etag", tag.description)
/// ```
public struct EntityTag: Hashable, Sendable, CustomStringConvertible {
    /// What stands between the quotes.
    public let value: String
    /// Whether two representations of the same tag may differ in their bytes.
    public let isWeak: Bool
    /// The tag as a field has it: `"…"` or `W/"…"`.
    public let description: String

    /// - Precondition: `value` has visible characters without quotes.
    public init(_ value: String, isWeak: Bool = false) {
        precondition(value.utf8.allSatisfy(Self.isTagByte), "an entity tag has visible characters and no quotes")
        self.value = value
        self.isWeak = isWeak
        description = isWeak ? "W/\"\(value)\"" : "\"\(value)\""
    }

    /// Whether the list of an `if-match` or `if-none-match` names this tag: a `*` names every one. What is malformed names
    /// nothing from there on.
    ///
    /// - Parameter weakly: by the weak comparison (section 8.8.3.2), else by the strong one.
    public func isNamed(in list: String, weakly: Bool) -> Bool {
        guard weakly || !isWeak else { return list == "*" }
        return unsafe withBytes(list) { bytes in
            var reader = unsafe TagReader(bytes)
            if reader.isStar { return true }
            return unsafe withBytes(value) { value in
                while let (isWeak, range) = reader.next() {
                    guard weakly || !isWeak, range.count == value.count else { continue }
                    if unsafe bytes[range].elementsEqual(value) { return true }
                }
                return false
            }
        }
    }

    /// Whether a field's value is this tag alone, by the strong comparison.
    func isExactly(_ text: String) -> Bool { !isWeak && text == description }

    /// etagc
    static func isTagByte(_ byte: UInt8) -> Bool { byte == 0x21 || byte >= 0x23 && byte != 0x7f }
}

/// Reads a list of entity tags.
@safe private struct TagReader {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { unsafe self.bytes = bytes }

    var isStar: Bool { unsafe bytes.count == 1 && bytes[0] == UInt8(ascii: "*") }

    /// The next tag; nil at the end and where there is none.
    mutating func next() -> (isWeak: Bool, Range<Int>)? {
        while take(UInt8(ascii: ",")) || take(0x20) || take(0x09) {}
        let isWeak = take(UInt8(ascii: "W"))
        if isWeak, !take(UInt8(ascii: "/")) { return nil }
        guard take(UInt8(ascii: "\"")) else { return nil }
        let start = position
        while unsafe position < bytes.count, unsafe EntityTag.isTagByte(bytes[position]) { position += 1 }
        let end = position
        guard take(UInt8(ascii: "\"")) else { return nil }
        while take(0x20) || take(0x09) {}
        guard unsafe position == bytes.count || bytes[position] == UInt8(ascii: ",") else { return nil }
        return (isWeak, start..<end)
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard unsafe position < bytes.count, unsafe bytes[position] == byte else { return false }
        position += 1
        return true
    }
}
