@testable import SignalingCore

/// Signs by a number in place of a key.
struct TestSigner: TicketSigner {
    var key: UInt64 = 7
    var previous: UInt64?

    func signature(of bytes: [UInt8]) -> [UInt8] { Self.digest(bytes, key) }

    func isValid(_ signature: [UInt8], of bytes: [UInt8]) -> Bool {
        [key, previous].contains { $0.map { Self.digest(bytes, $0) } == signature }
    }

    private static func digest(_ bytes: [UInt8], _ key: UInt64) -> [UInt8] {
        bigEndian(bytes.reduce(key ^ 0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0100_0000_01B3 })
    }
}
