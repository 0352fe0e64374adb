/// How urgently a response is wanted, among those of its connection (RFC 9218).
///
/// ```swift
/// if exchange.path == "/style.css" { exchange.setPriority(Priority(urgency: 1)) }
/// ```
public struct Priority: Hashable, Sendable, CustomStringConvertible {
    /// From 0, served first, to 7, background; 3 where nothing is said.
    public let urgency: Int
    /// Whether the response is of use in pieces: then it shares the connection with others of its urgency. Those that are not
    /// are served one after the other.
    public let isIncremental: Bool

    /// - Parameter urgency: from 0 to 7; what is beyond is taken as the nearer of the two.
    public init(urgency: Int = 3, incremental: Bool = false) {
        self.urgency = min(max(urgency, 0), 7)
        isIncremental = incremental
    }

    /// What the value of a `priority` field says; nil for one that is no dictionary of structured fields, or has a known
    /// member of another type or out of range: such a value counts as if it were not there.
    public init?(_ fieldValue: String) {
        let parsed = unsafe withBytes(fieldValue) { unsafe Priority(bytes: $0) }
        guard let parsed else { return nil }
        self = parsed
    }

    /// - Parameter base: what holds where the value says nothing.
    init?(bytes: UnsafeRawBufferPointer, base: Priority = Priority()) {
        var urgency = base.urgency
        var isIncremental = base.isIncremental
        var reader = unsafe StructuredFieldReader(bytes: bytes)
        while let member = reader.nextMember() {
            switch (unsafe member.key.count == 1 ? bytes[member.key.lowerBound] : 0, member.value) {
            case (UInt8(ascii: "u"), .integer(let value)) where (0...7).contains(value): urgency = value
            case (UInt8(ascii: "i"), .boolean(let value)): isIncremental = value
            case (UInt8(ascii: "u"), _), (UInt8(ascii: "i"), _): return nil
            default: break
            }
        }
        guard !reader.hasFailed else { return nil }
        self.init(urgency: urgency, incremental: isIncremental)
    }

    /// As a `priority` field has it, such as `u=1, i`.
    public var description: String { isIncremental ? "u=\(urgency), i" : "u=\(urgency)" }

    /// Both in one byte.
    var packed: UInt8 { UInt8(truncatingIfNeeded: urgency) | (isIncremental ? 0x80 : 0) }

    init(packed: UInt8) { self.init(urgency: Int(packed & 0x7f), incremental: packed & 0x80 != 0) }
}
