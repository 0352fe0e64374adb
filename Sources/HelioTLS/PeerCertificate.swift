internal import COpenSSL

/// The certificate that a peer has shown.
///
/// ```swift
/// if let certificate = exchange.connection?.peerCertificate, certificate.isVerified { print(certificate.subject) }
/// ```
public struct PeerCertificate: Hashable, Sendable {
    /// The subject as RFC 2253 writes it, such as `CN=alice,O=Example`.
    public let subject: String
    /// Who has signed it, written in the same way.
    public let issuer: String
    /// The DNS names (lower case) and IP addresses of the subjectAltName.
    public let names: [String]
    /// In hexadecimal digits.
    public let serialNumber: String
    /// The beginning of its time, in seconds since 1970.
    public let notBefore: Int64
    /// The end of its time, in seconds since 1970.
    public let notAfter: Int64
    /// The whole certificate in DER (X.690).
    public let der: [UInt8]
    /// SHA-256 of the DER, in hexadecimal digits.
    public let fingerprint: String
    /// Whether it leads to an authority that this side trusts.
    public let isVerified: Bool

    init(_ certificate: OpaquePointer, isVerified: Bool) {
        subject = unsafe X509Reader.subject(certificate)
        issuer = unsafe X509Reader.issuer(certificate)
        names = unsafe X509Reader.names(certificate)
        serialNumber = unsafe X509Reader.serialNumber(certificate)
        notBefore = unsafe X509Reader.notBefore(certificate)
        notAfter = unsafe X509Reader.notAfter(certificate)
        der = unsafe X509Reader.der(certificate)
        fingerprint = unsafe X509Reader.fingerprint(certificate).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
        self.isVerified = isVerified
    }

    /// The certificate in PEM (RFC 7468).
    public var pem: String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var lines = ["-----BEGIN CERTIFICATE-----"]
        for start in stride(from: 0, to: der.count, by: 48) {
            var line: [UInt8] = []
            for place in stride(from: start, to: min(start + 48, der.count), by: 3) {
                let group = der[place..<min(place + 3, der.count)]
                let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
                for index in 0..<4 {
                    line.append(index <= group.count ? digits[bits >> (18 - 6 * index) & 63] : UInt8(ascii: "="))
                }
            }
            lines.append(String(decoding: line, as: UTF8.self))
        }
        return (lines + ["-----END CERTIFICATE-----", ""]).joined(separator: "\n")
    }
}
