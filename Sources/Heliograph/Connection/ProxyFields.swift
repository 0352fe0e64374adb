/// The type-length-value fields behind the addresses of a PROXY header of version 2 (section 2.2).
struct ProxyFields {
    /// The whole header.
    let bytes: [UInt8]
    let start: Int
    let end: Int

    init(_ bytes: [UInt8], from start: Int, to end: Int? = nil) {
        self.bytes = bytes
        self.start = start
        self.end = end ?? bytes.count
    }

    /// Calls `body` with the type of each and where its value lies.
    ///
    /// - Throws: when one reaches past the end, or what `body` throws.
    func forEach(
        _ body: (_ type: UInt8, _ value: Range<Int>) throws(ProxyHeaderError) -> Void
    ) throws(ProxyHeaderError) {
        var position = start
        while position < end {
            guard end - position >= 3 else { throw .malformed("a field is cut off") }
            let length = Int(bytes[position + 1]) << 8 | Int(bytes[position + 2])
            let value = position + 3
            guard length <= end - value else { throw .malformed("a field is longer than the header") }
            try body(bytes[position], value..<value + length)
            position = value + length
        }
    }

    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    /// The CRC-32C (RFC 3720 section 12.1) of the header, with zeros in the place of the checksum.
    func checksum(without place: Range<Int>) -> UInt32 {
        var sum = UInt32.max
        for (index, byte) in bytes.enumerated() {
            sum ^= place.contains(index) ? 0 : UInt32(byte)
            for _ in 0..<8 { sum = sum >> 1 ^ (sum & 1 == 0 ? 0 : 0x82f6_3b78) }
        }
        return ~sum
    }

    func number(_ range: Range<Int>) -> UInt32 { bytes[range].reduce(0) { $0 << 8 | UInt32($1) } }
}

extension ProxyHeader {
    private static let longestID = 128

    /// Takes what is known of the fields. Types that are not are skipped, as the protocol asks.
    mutating func read(_ fields: ProxyFields) throws(ProxyHeaderError) {
        try fields.forEach { (type, value) throws(ProxyHeaderError) in
            switch type {
            case 0x01: applicationProtocol = fields.text(value)
            case 0x02: authority = fields.text(value)
            case 0x03:
                guard value.count == 4 else { throw .malformed("a checksum has four bytes") }
                guard fields.checksum(without: value) == fields.number(value) else { throw .checksum }
            case 0x05:
                guard value.count <= Self.longestID else { throw .malformed("an identifier is over 128 bytes") }
                uniqueID = Array(fields.bytes[value])
            case 0x20: tls = try TLS(fields.bytes, value)
            default: break
            }
        }
    }
}

extension ProxyHeader.TLS {
    /// Flags, the result of the verification, and fields inside of the field (section 2.2.6).
    fileprivate init(_ bytes: [UInt8], _ value: Range<Int>) throws(ProxyHeaderError) {
        guard value.count >= 5 else { throw .malformed("what it says of TLS is cut off") }
        let flags = bytes[value.lowerBound]
        let inner = ProxyFields(bytes, from: value.lowerBound + 5, to: value.upperBound)
        let result = inner.number(value.lowerBound + 1..<value.lowerBound + 5)
        isUsed = flags & 0x01 != 0
        hasClientCertificate = flags & 0x06 != 0
        isClientVerified = flags & 0x06 != 0 && result == 0
        var texts: [UInt8: String] = [:]
        try inner.forEach { (type, range) throws(ProxyHeaderError) in texts[type] = inner.text(range) }
        version = texts[0x21]
        commonName = texts[0x22]
        cipher = texts[0x23]
    }
}
