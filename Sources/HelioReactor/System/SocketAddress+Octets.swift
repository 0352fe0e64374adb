internal import CLinux

/// Addresses by their bytes.
extension SocketAddress {
    /// An address of 4 bytes (IPv4) or 16 (IPv6), the first byte first.
    ///
    /// - Returns: nil for another number of bytes.
    public init?(octets: [UInt8], port: UInt16) {
        let portBytes = [UInt8(port >> 8), UInt8(port & 0xff)]
        switch octets.count {
        case 4: self.init(bytes: Self.family(AF_INET) + portBytes + octets + Array(repeating: 0, count: 8))
        case 16:
            let zeros: [UInt8] = [0, 0, 0, 0]
            self.init(bytes: Self.family(AF_INET6) + portBytes + zeros + octets + zeros)
        default: return nil
        }
    }

    /// An address as inet_pton(3) reads it: all of its numbers, no scope and no name.
    public init?(numericHost: String, port: UInt16) {
        guard let octets = Self.octets(of: numericHost) else { return nil }
        self.init(octets: octets, port: port)
    }

    /// The address: 4 bytes, also of an IPv4 address that is mapped into IPv6 (RFC 4291 section 2.5.5.2), or 16; nil for a Unix
    /// socket.
    public var octets: [UInt8]? {
        switch family {
        case AF_INET where bytes.count >= 8: return Array(bytes[4..<8])
        case AF_INET6 where bytes.count >= 24:
            let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
            return bytes[8..<20].elementsEqual(mapped) ? Array(bytes[20..<24]) : Array(bytes[8..<24])
        default: return nil
        }
    }

    static func octets(of text: String) -> [UInt8]? {
        guard !text.utf8.contains(0) else { return nil }
        var octets = [UInt8](repeating: 0, count: 16)
        let isIPv6 = text.utf8.contains(UInt8(ascii: ":"))
        guard unsafe inet_pton(isIPv6 ? AF_INET6 : AF_INET, text, &octets) == 1 else { return nil }
        return isIPv6 ? octets : Array(octets[..<4])
    }

    private static func family(_ family: Int32) -> [UInt8] { [UInt8(family & 0xff), UInt8(family >> 8)] }
}
