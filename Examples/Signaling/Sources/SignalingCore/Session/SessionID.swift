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

    /// Nil unless the text is exactly what `description` gives. The loop may be one that does not exist.
    package init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].count == 32, let loopText = String(parts[0]), let digits = String(parts[1]),
            let loop = Int(loopText, radix: 36), loop >= 0,
            let high = UInt64(digits.prefix(16), radix: 16), let low = UInt64(digits.suffix(16), radix: 16)
        else { return nil }
        self.loop = loop
        self.high = high
        self.low = low
        guard description == text else { return nil }
    }

    package var description: String { "\(String(loop, radix: 36))-\(hexadecimalDigits(high))\(hexadecimalDigits(low))" }
}

extension SessionID {
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
