internal import COpenSSL

/// Reading an `X509*`: what certificates and peers have in common.
enum X509Reader {
    /// DNS names (lower case) and IP addresses of the subjectAltName (RFC 5280, 4.2.1.6), in its order.
    static func names(_ certificate: OpaquePointer) -> [String] {
        guard let raw = unsafe X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else {
            OpenSSLErrors.clear()
            return []
        }
        let list = OpaquePointer(raw)
        defer { unsafe GENERAL_NAMES_free(list) }
        var names: [String] = []
        for index in 0..<(unsafe max(0, helio_general_names_count(list))) {
            var isAddress: Int32 = 0
            var count: Int32 = 0
            guard let start = unsafe helio_general_name(list, index, &isAddress, &count), count > 0 else { continue }
            let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: Int(count)))
            if isAddress == 0 {
                names.append(String(decoding: bytes, as: UTF8.self).lowercased())
            } else {
                names.append(addressText(bytes))
            }
        }
        return names
    }

    /// The subject as RFC 2253 writes it, such as `CN=example.org,O=Example`.
    static func subject(_ certificate: OpaquePointer) -> String {
        unsafe text(X509_get_subject_name(certificate))
    }

    /// The issuer, as ``subject(_:)``.
    static func issuer(_ certificate: OpaquePointer) -> String { unsafe text(X509_get_issuer_name(certificate)) }

    private static func text(_ name: OpaquePointer?) -> String {
        guard let name = unsafe name, let bio = unsafe BIO_new(BIO_s_mem()) else { return "" }
        defer { unsafe BIO_free(bio) }
        unsafe _ = helio_x509_name_print(bio, name)
        return unsafe String(decoding: memoryBIOBytes(bio), as: UTF8.self)
    }

    /// The certificate in DER.
    static func der(_ certificate: OpaquePointer) -> [UInt8] {
        let count = unsafe i2d_X509(certificate, nil)
        guard count > 0 else { return [] }
        return unsafe Array(unsafeUninitializedCapacity: Int(count)) { buffer, written in
            var next = buffer.baseAddress
            written = max(0, Int(unsafe i2d_X509(certificate, &next)))
        }
    }

    /// The serial number, in hexadecimal digits.
    static func serialNumber(_ certificate: OpaquePointer) -> String {
        guard let number = unsafe ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nil) else { return "" }
        defer { unsafe BN_free(number) }
        guard let digits = unsafe BN_bn2hex(number) else { return "" }
        defer { unsafe helio_openssl_free(digits) }
        return unsafe String(cString: digits).lowercased()
    }

    /// SHA-256 of the DER.
    static func fingerprint(_ certificate: OpaquePointer) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        var count: UInt32 = 0
        guard unsafe X509_digest(certificate, EVP_sha256(), &digest, &count) == 1 else { return [] }
        return Array(digest.prefix(Int(count)))
    }

    /// What to call a certificate in an error: its first name, or else its subject.
    static func label(_ certificate: OpaquePointer) -> String {
        unsafe names(certificate).first ?? subject(certificate)
    }

    static func notBefore(_ certificate: OpaquePointer) -> Int64 {
        unsafe seconds(X509_get0_notBefore(certificate))
    }

    static func notAfter(_ certificate: OpaquePointer) -> Int64 {
        unsafe seconds(X509_get0_notAfter(certificate))
    }

    private static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64 {
        guard let epoch = unsafe ASN1_TIME_set(nil, 0) else { return 0 }
        defer { unsafe ASN1_TIME_free(epoch) }
        var days: Int32 = 0
        var seconds: Int32 = 0
        guard unsafe ASN1_TIME_diff(&days, &seconds, epoch, time) == 1 else { return 0 }
        return Int64(days) * 86_400 + Int64(seconds)
    }

    private static func addressText(_ bytes: [UInt8]) -> String {
        if bytes.count == 4 { return bytes.map { String($0) }.joined(separator: ".") }
        let groups = stride(from: 0, to: bytes.count - 1, by: 2).map { Int(bytes[$0]) << 8 | Int(bytes[$0 + 1]) }
        return groups.map { String($0, radix: 16) }.joined(separator: ":")
    }
}
