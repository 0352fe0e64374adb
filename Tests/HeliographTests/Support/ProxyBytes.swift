@testable import Heliograph

/// Headers of the PROXY protocol, as a proxy writes them.
enum ProxyBytes {
    static func line(_ text: String) -> [UInt8] { Array(text.utf8) + [13, 10] }

    /// Version 2: command, family and transport, addresses, fields.
    static func binary(
        command: UInt8 = 0x21, family: UInt8 = 0x11, addresses: [UInt8] = ipv4, fields: [(UInt8, [UInt8])] = []
    ) -> [UInt8] {
        let body = addresses + tlvs(fields)
        return ProxyHeaderParser.signature2 + [command, family, UInt8(body.count >> 8), UInt8(body.count & 255)] + body
    }

    /// 192.0.2.1:56324 to 198.51.100.2:443
    static let ipv4: [UInt8] = [192, 0, 2, 1, 198, 51, 100, 2, 0xdc, 0x04, 0x01, 0xbb]
    /// [2001:db8::1]:56324 to [2001:db8::2]:443
    static let ipv6: [UInt8] =
        [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
        + [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2] + [0xdc, 0x04, 0x01, 0xbb]

    static func tlvs(_ fields: [(UInt8, [UInt8])]) -> [UInt8] {
        fields.flatMap { type, value in [type, UInt8(value.count >> 8), UInt8(value.count & 255)] + value }
    }

    /// What a proxy says of a client over TLS that has shown a certificate.
    static func tls(verified: Bool, flags: UInt8 = 0x07) -> [UInt8] {
        [flags] + [0, 0, 0, verified ? 0 : 20]
            + tlvs([
                (0x21, Array("TLSv1.3".utf8)), (0x22, Array("alice".utf8)),
                (0x23, Array("TLS_AES_128_GCM_SHA256".utf8)), (0x24, Array("SHA256".utf8)),
            ])
    }
}
