/// Names a session, and its peer to others. Never a credential.
///
/// Its text is the loop on which the session lives, in base 36, a hyphen, and 128 random bits in hexadecimal.
package struct SessionID: Hashable, Sendable, CustomStringConvertible {
    package let loop: Int
    private let high: UInt64
    private let low: UInt64

    init(loop: Int, random: inout some RandomNumberGenerator) {
        self.loop = loop
        high = random.next()
        low = random.next()
    }

    package init?(_ text: String) { self.init(utf8: Array(text.utf8)) }

    /// Nil unless the text is exactly what `description` gives. The loop may be one that does not exist.
    init?(utf8: [UInt8]) {
        let hyphen = utf8.count - 33
        guard (1...6).contains(hyphen), utf8[hyphen] == UInt8(ascii: "-"), hyphen == 1 || utf8[0] != UInt8(ascii: "0"),
            let loop = Self.number(utf8[..<hyphen], radix: 36),
            let high = Self.number(utf8[(hyphen + 1)..<(hyphen + 17)], radix: 16),
            let low = Self.number(utf8[(hyphen + 17)...], radix: 16)
        else { return nil }
        self.loop = Int(loop)
        self.high = high
        self.low = low
    }

    package var description: String { String(decoding: utf8, as: UTF8.self) }

    var utf8: [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(40)
        if loop < 36 { text.append(Self.digit(UInt64(loop))) } else { text += String(loop, radix: 36).utf8 }
        text.append(UInt8(ascii: "-"))
        for half in [high, low] {
            for shift in stride(from: 60, through: 0, by: -4) { text.append(Self.digit(half >> UInt64(shift) & 15)) }
        }
        return text
    }

    /// The order of their texts, byte by byte.
    func precedes(_ other: SessionID) -> Bool {
        if loop != other.loop, max(loop, other.loop) >= 36 { return utf8.lexicographicallyPrecedes(other.utf8) }
        return (loop, high, low) < (other.loop, other.high, other.low)
    }

    private static func digit(_ value: UInt64) -> UInt8 {
        UInt8(truncatingIfNeeded: value < 10 ? 0x30 + value : 0x57 + value)
    }

    private static func number(_ digits: ArraySlice<UInt8>, radix: UInt64) -> UInt64? {
        var number: UInt64 = 0
        for byte in digits {
            let value: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = byte - UInt8(ascii: "a") + 10
            default: return nil
            }
            guard value < radix else { return nil }
            number = number &* radix &+ UInt64(value)
        }
        return number
    }
}

extension SessionID {
    /// Random bits that no client has chosen are a hash themselves; half of them do.
    package func hash(into hasher: inout Hasher) { hasher.combine(low) }

    /// Of ``bytes``.
    static let size = 20

    /// For tickets: the loop, then the random bits.
    var bytes: [UInt8] { bigEndian(UInt32(truncatingIfNeeded: loop)) + bigEndian(high) + bigEndian(low) }

    /// Nil unless there are ``size`` of them.
    init?(bytes: ArraySlice<UInt8>) {
        guard bytes.count == Self.size else { return nil }
        loop = Int(integer(bytes.prefix(4)))
        high = integer(bytes.dropFirst(4).prefix(8))
        low = integer(bytes.dropFirst(12))
    }
}

/// All sixteen digits.
func hexadecimalDigits(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}
