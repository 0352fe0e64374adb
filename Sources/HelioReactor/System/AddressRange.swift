internal import CLinux

/// A network: the addresses that begin with the same bits (RFC 4632), or all Unix sockets.
///
/// ```swift
/// let trusted = ["10.0.0.0/8", "fd00::/8", "192.0.2.7"].compactMap { AddressRange($0) }
/// ```
public struct AddressRange: Hashable, Sendable, CustomStringConvertible {
    /// The network's address, with zeros behind the prefix: 4 or 16 bytes, none for Unix sockets.
    private let octets: [UInt8]
    /// In bits.
    private let prefix: Int

    private init(octets: [UInt8], prefix: Int) {
        self.octets = octets
        self.prefix = prefix
    }

    /// Unix sockets, whatever their path: who may connect is the file system's affair.
    public static let unix = AddressRange(octets: [], prefix: 0)

    /// This machine: `127.0.0.0/8`, `::1` and Unix sockets.
    public static let loopback = [
        AddressRange(octets: [127, 0, 0, 0], prefix: 8),
        AddressRange(octets: Array(repeating: 0, count: 15) + [1], prefix: 128), .unix,
    ]

    /// An address as `192.0.2.7` or `2001:db8::1`, a network as `10.0.0.0/8`, or `unix:`.
    ///
    /// - Returns: nil for what is none of these, and for a network whose address has bits behind its prefix.
    public init?(_ text: String) {
        if text == "unix:" {
            self = .unix
            return
        }
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let octets = SocketAddress.octets(of: String(parts[0])) else { return nil }
        var prefix = octets.count * 8
        if parts.count == 2 {
            guard parts[1].utf8.count <= 3, parts[1].utf8.allSatisfy({ (48...57).contains($0) }),
                let number = Int(parts[1]), number <= prefix
            else { return nil }
            prefix = number
        }
        self.init(octets: octets, prefix: prefix)
        guard octets == Self.masked(octets, prefix) else { return nil }
    }

    /// Whether the address is of this network. An IPv4 address that came to a socket of IPv6 (`::ffff:192.0.2.7`) counts as what
    /// it is.
    public func contains(_ address: SocketAddress) -> Bool {
        if octets.isEmpty { return address.isUnix }
        guard let other = address.octets else { return false }
        return other.count == octets.count && Self.masked(other, prefix) == octets
    }

    private static func masked(_ octets: [UInt8], _ prefix: Int) -> [UInt8] {
        octets.enumerated().map { index, octet in
            let kept = min(8, max(0, prefix - 8 * index))
            return kept == 0 ? 0 : octet & (0xff << UInt8(8 - kept))
        }
    }

    public var description: String {
        guard let address = SocketAddress(octets: octets, port: 0) else { return "unix:" }
        return "\(address.host)/\(prefix)"
    }
}
