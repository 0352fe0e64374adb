/// Names a session or a socket, and the loop on which it lives. Whoever knows the name of a session may speak for it.
///
/// Its text is the loop in base 36, a hyphen, and 128 random bits in hexadecimal.
struct LoopID: Hashable, Sendable, CustomStringConvertible {
    let loop: Int
    private let high: UInt64
    private let low: UInt64

    init(loop: Int, random: inout any RandomNumberGenerator) {
        self.loop = loop
        high = random.next()
        low = random.next()
    }

    /// Nil unless the text is exactly what `description` gives. The loop may be one that does not exist.
    init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].count <= 4, parts[1].count == 32, let loopText = String(parts[0]),
            let digits = String(parts[1]), let loop = Int(loopText, radix: 36), loop >= 0,
            let high = UInt64(digits.prefix(16), radix: 16), let low = UInt64(digits.suffix(16), radix: 16)
        else { return nil }
        self.loop = loop
        self.high = high
        self.low = low
        guard description == text else { return nil }
    }

    var description: String { "\(String(loop, radix: 36))-\(Self.digits(high))\(Self.digits(low))" }

    /// All sixteen digits.
    private static func digits(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// A request or a WebSocket of an Engine.IO session, on the loop of its connection.
struct TransportKey: Hashable, Sendable {
    let loop: Int
    let number: UInt64
}
