import Crypto
import SignalingCore

/// Signs resume tickets by HMAC-SHA256.
struct TicketKeys: TicketSigner {
    private let current: SymmetricKey
    /// Keys of before, whose tickets are still good.
    private let previous: [SymmetricKey]

    /// Shorter ones can be guessed. In characters of the file.
    static let shortest = 32

    /// Keys that nobody knows: tickets are good until the process ends.
    init() {
        current = SymmetricKey(size: .bits256)
        previous = []
    }

    /// The contents of a key file: a key in each line, the present one first. Nil when it has none, or one that is too short.
    init?(_ contents: [UInt8]) {
        let lines = contents.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
        guard let first = lines.first, lines.allSatisfy({ $0.count >= Self.shortest }) else { return nil }
        current = SymmetricKey(data: Array(first))
        previous = lines.dropFirst().map { SymmetricKey(data: Array($0)) }
    }

    /// A key for a file.
    static func makeKey() -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        return (0..<64).map { _ in digits[Int.random(in: 0..<16)] } + [UInt8(ascii: "\n")]
    }

    func signature(of bytes: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: bytes, using: current))
    }

    func isValid(_ signature: [UInt8], of bytes: [UInt8]) -> Bool {
        ([current] + previous).contains {
            HMAC<SHA256>.isValidAuthenticationCode(signature, authenticating: bytes, using: $0)
        }
    }
}
