internal import COpenSSL

extension Certificate {
    /// Makes a development certificate that signs itself: P-256, for servers, good in browsers once it is trusted.
    ///
    /// Making a key is cheap, but a browser's exception and a pinned hash are for this very key: keep both, and make new ones
    /// when the time is over.
    ///
    /// - Parameters:
    ///   - names: DNS names (the first label may be `*`) and IP addresses, at least one; the first is the subject.
    ///   - now: seconds since 1970. It is valid from an hour before, for clocks that are behind.
    ///   - validDays: days until it expires, 1 to 825 (what browsers accept).
    /// - Returns: PEM of the certificate and of its key (PKCS #8, not encrypted), for ``Certificate`` and for files.
    /// - Throws: ``TLSConfigurationFault/invalidName(_:)``.
    public static func selfSigned(
        names: [String], now: Int64, validDays: Int
    ) throws(TLSError) -> (chain: [UInt8], key: [UInt8]) {
        let days = Int64(min(max(validDays, 1), 825))
        let request = CertificateRequest(names: names, notBefore: now - 3_600, notAfter: now + days * 86_400)
        return try request.selfSigned()
    }
}

/// What to put into a certificate that signs itself.
struct CertificateRequest {
    enum Key { case p256, rsa2048 }

    var names: [String]
    /// Seconds since 1970.
    var notBefore: Int64
    var notAfter: Int64
    var key = Key.p256
    /// An extendedKeyUsage (RFC 5280, 4.2.1.12).
    var usage = "serverAuth"

    func selfSigned() throws(TLSError) -> (chain: [UInt8], key: [UInt8]) {
        let alternativeNames = try Self.alternativeNames(names)
        OpenSSLErrors.clear()
        let generated = unsafe key == .p256 ? helio_generate_p256() : helio_generate_rsa2048()
        guard let key = unsafe generated, let certificate = unsafe X509_new() else {
            throw Self.refused()
        }
        defer {
            unsafe EVP_PKEY_free(key)
            unsafe X509_free(certificate)
        }
        try unsafe fill(certificate, key: key)
        let extensions = [
            (NID_basic_constraints, "critical,CA:FALSE"),
            (NID_key_usage, "critical,digitalSignature"),
            (NID_ext_key_usage, usage),
            (NID_subject_alt_name, alternativeNames),
            (NID_subject_key_identifier, "hash"),
        ]
        for (identifier, value) in extensions { try unsafe Self.add(identifier, value, to: certificate) }
        guard unsafe X509_sign(certificate, key, EVP_sha256()) > 0 else { throw Self.refused() }
        let chain = try unsafe Self.pem { unsafe PEM_write_bio_X509($0, certificate) }
        let keyText = try unsafe Self.pem { unsafe PEM_write_bio_PKCS8PrivateKey($0, key, nil, nil, 0, nil, nil) }
        return (chain, keyText)
    }

    private func fill(_ certificate: OpaquePointer, key: OpaquePointer) throws(TLSError) {
        var serial = [UInt8](repeating: 0, count: 8)
        guard unsafe RAND_bytes(&serial, 8) == 1 else { throw Self.refused() }
        // A serial number is positive (RFC 5280, 4.1.2.2).
        let number = serial.reduce(0) { $0 << 8 | UInt64($1) } >> 1 | 1
        let name = unsafe X509_get_subject_name(certificate)
        let common = Array((names.first ?? "").utf8.prefix(64))
        let isFilled =
            unsafe X509_set_version(certificate, 2) == 1
            && ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), number) == 1
            && ASN1_TIME_set(X509_getm_notBefore(certificate), Int(notBefore)) != nil
            && ASN1_TIME_set(X509_getm_notAfter(certificate), Int(notAfter)) != nil
            && X509_NAME_add_entry_by_NID(
                name, NID_commonName, MBSTRING_UTF8, common, Int32(common.count), -1, 0) == 1
            && X509_set_issuer_name(certificate, name) == 1
            && X509_set_pubkey(certificate, key) == 1
        guard isFilled else { throw Self.refused() }
    }

    private static func add(_ identifier: Int32, _ value: String, to certificate: OpaquePointer) throws(TLSError) {
        var context = unsafe X509V3_CTX()
        unsafe X509V3_set_ctx(&context, certificate, certificate, nil, nil, 0)
        guard let made = unsafe X509V3_EXT_conf_nid(nil, &context, identifier, value) else { throw refused() }
        defer { unsafe X509_EXTENSION_free(made) }
        guard unsafe X509_add_ext(certificate, made, -1) == 1 else { throw refused() }
    }

    /// The subjectAltName in OpenSSL's notation. Names have no character that means something in it.
    private static func alternativeNames(_ names: [String]) throws(TLSError) -> String {
        guard !names.isEmpty else { throw .configuration(.invalidName(""), source: "names") }
        var parts: [String] = []
        for name in names {
            let isAddress = isIPAddress(name)
            guard isAddress || isDNSName(name) else { throw .configuration(.invalidName(name), source: "names") }
            parts.append((isAddress ? "IP:" : "DNS:") + name)
        }
        return parts.joined(separator: ",")
    }

    private static func isIPAddress(_ name: String) -> Bool {
        guard name.utf8.allSatisfy({ $0 != 0 }), let address = unsafe a2i_IPADDRESS(name) else {
            ERR_clear_error()
            return false
        }
        unsafe ASN1_OCTET_STRING_free(address)
        return true
    }

    private static func isDNSName(_ name: String) -> Bool {
        guard (1...253).contains(name.utf8.count) else { return false }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        return labels.enumerated().allSatisfy { index, label in
            if index == 0, labels.count > 1, label == "*" { return true }
            return (1...63).contains(label.utf8.count)
                && label.utf8.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                        true
                    default: false
                    }
                }
        }
    }

    private static func pem(_ write: (OpaquePointer) -> Int32) throws(TLSError) -> [UInt8] {
        var status: Int32 = 0
        let bytes = try unsafe withMemoryBIO { bio in
            unsafe status = write(bio)
            return unsafe memoryBIOBytes(bio)
        }
        guard status == 1 else { throw refused() }
        return bytes
    }

    private static func refused() -> TLSError {
        .configuration(.refused(OpenSSLErrors.reason(OpenSSLErrors.takeLast())), source: "self-signed certificate")
    }
}
