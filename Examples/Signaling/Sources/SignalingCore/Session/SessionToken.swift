/// The secret of a session: 256 random bits in hexadecimal. It reaches no log.
struct SessionToken: Sendable {
    let utf8: [UInt8]

    init(random: inout some RandomNumberGenerator) {
        utf8 = Array((0..<4).map { _ in hexadecimalDigits(random.next()) }.joined().utf8)
    }

    /// For its owner, once.
    var text: String { String(decoding: utf8, as: UTF8.self) }

    func matches(_ other: [UInt8]) -> Bool { isSameSecret(utf8, other) }
}

/// Takes as long for a wrong text as for the right one of the same length.
package func isSameSecret(_ secret: [UInt8], _ other: [UInt8]) -> Bool {
    guard other.count == secret.count else { return false }
    return zip(secret, other).reduce(0 as UInt8) { $0 | ($1.0 ^ $1.1) } == 0
}
