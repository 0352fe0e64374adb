/// An address of IPv4 or IPv6 as a number.
package struct IPAddress: Hashable, Sendable {
    package let isIPv6: Bool
    let value: UInt128

    /// Bits of such an address.
    var width: Int { isIPv6 ? 128 : 32 }

    /// Nil unless it is an address in numbers: no name, no zone, no leading zero, no shorthand of IPv4. An IPv4 address that
    /// is mapped into IPv6 is the IPv4 address, so that no filter is passed by spelling it otherwise.
    package init?(_ text: some Sequence<UInt8>) {
        let bytes = Array(text.prefix(Self.maxLength + 1))
        guard bytes.count <= Self.maxLength else { return nil }
        if let value = Self.ipv4(bytes[...]) {
            self.init(isIPv6: false, value: UInt128(value))
        } else if let value = Self.ipv6(bytes) {
            let mapped = value >> 32 == 0xFFFF
            self.init(isIPv6: !mapped, value: mapped ? value & 0xFFFF_FFFF : value)
        } else {
            return nil
        }
    }

    private init(isIPv6: Bool, value: UInt128) {
        self.isIPv6 = isIPv6
        self.value = value
    }

    /// Of the longest, an IPv6 address that ends in an IPv4 one.
    private static let maxLength = 45

    private static func ipv4(_ bytes: ArraySlice<UInt8>) -> UInt32? {
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.count == 1 || part.first != UInt8(ascii: "0"),
                let number = decimal(part), number < 256
            else { return nil }
            value = value << 8 | UInt32(number)
        }
        return value
    }

    /// RFC 4291 section 2.2.
    private static func ipv6(_ bytes: [UInt8]) -> UInt128? {
        guard let gap = doubleColon(bytes) else {
            guard let groups = groups(bytes[...]), groups.count == 8 else { return nil }
            return number(groups)
        }
        guard doubleColon(Array(bytes[(gap + 1)...])) == nil, let head = groups(bytes[..<gap], isLast: false),
            let tail = groups(bytes[(gap + 2)...]), head.count + tail.count < 8
        else { return nil }
        return number(head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail)
    }

    private static func doubleColon(_ bytes: [UInt8]) -> Int? {
        bytes.indices.dropLast().first { bytes[$0] == UInt8(ascii: ":") && bytes[$0 + 1] == UInt8(ascii: ":") }
    }

    private static func groups(_ bytes: ArraySlice<UInt8>, isLast: Bool = true) -> [UInt16]? {
        if bytes.isEmpty { return [] }
        var groups: [UInt16] = []
        let parts = bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if isLast, index == parts.count - 1, let value = ipv4(part) {
                groups += [UInt16(value >> 16), UInt16(value & 0xFFFF)]
                continue
            }
            guard (1...4).contains(part.count) else { return nil }
            var group: UInt16 = 0
            for byte in part {
                guard let digit = hexadecimal(byte) else { return nil }
                group = group << 4 | UInt16(digit)
            }
            groups.append(group)
        }
        return groups
    }

    private static func number(_ groups: [UInt16]) -> UInt128 { groups.reduce(0) { $0 << 16 | UInt128($1) } }
}

/// A block of addresses in CIDR's notation: `10.0.0.0/8`, `fe80::/10`, or one address.
package struct CIDR: Hashable, Sendable {
    private let base: IPAddress
    private let prefix: Int

    /// Nil unless it is one, and no bit is set beyond its prefix.
    package init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = IPAddress(parts[0]) else { return nil }
        base = address
        if parts.count == 2 {
            guard parts[1].count <= 3, let length = decimal(parts[1]), length <= address.width else { return nil }
            prefix = length
        } else {
            prefix = address.width
        }
        let host = address.width - prefix
        guard host == 128 ? address.value == 0 : (address.value >> host) << host == address.value else { return nil }
    }

    package func contains(_ address: IPAddress) -> Bool {
        guard address.isIPv6 == base.isIPv6 else { return false }
        let host = base.width - prefix
        return host == 128 || address.value >> host == base.value >> host
    }
}

/// A number of at most nine digits; nil when it is none.
func decimal(_ digits: some Collection<UInt8>) -> Int? {
    guard (1...9).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
}
