internal import COpenSSL

/// Reading PEM (RFC 7468): bytes in, OpenSSL's objects out.
enum PEM {
    /// All certificates of the input, at least one. The caller frees them by `X509_free`.
    static func certificates(_ bytes: [UInt8], source: String) throws(TLSError) -> [OpaquePointer] {
        guard bytes.contains(where: { $0 > 32 }) else { throw .configuration(.emptyChain, source: source) }
        OpenSSLErrors.clear()
        var found: [OpaquePointer] = unsafe []
        try unsafe withMemoryBIO(bytes) { bio in
            while let certificate = unsafe PEM_read_bio_X509(bio, nil, refusePassphrase, nil) {
                unsafe found.append(certificate)
            }
        }
        let code = OpenSSLErrors.takeLast()
        let isEnd = OpenSSLErrors.isNoPEM(code)
        if isEnd, unsafe !found.isEmpty { return unsafe found }
        unsafe found.forEach { unsafe X509_free($0) }
        throw .configuration(
            isEnd ? .notPEM(expected: "certificate") : .refused(OpenSSLErrors.reason(code)), source: source)
    }

    /// The first private key of the input. The caller frees it by `EVP_PKEY_free`.
    static func privateKey(_ bytes: [UInt8], source: String, passphrase: [UInt8]?) throws(TLSError) -> OpaquePointer {
        OpenSSLErrors.clear()
        var request = unsafe Passphrase(bytes: nil, count: 0)
        let key = try unsafe withMemoryBIO(bytes) { bio -> OpaquePointer? in
            unsafe (passphrase ?? []).withUnsafeBytes { secret in
                unsafe request.bytes = passphrase == nil ? nil : secret.baseAddress ?? UnsafeRawPointer(bio)
                unsafe request.count = secret.count
                return unsafe withUnsafeMutablePointer(to: &request) {
                    unsafe PEM_read_bio_PrivateKey(bio, nil, givePassphrase, $0)
                }
            }
        }
        let code = OpenSSLErrors.takeLast()
        if let key = unsafe key { return unsafe key }
        if unsafe request.isAsked {
            throw .configuration(passphrase == nil ? .passphraseMissing : .passphraseWrong, source: source)
        }
        // The decoder of OpenSSL 3 says "unsupported" for what has no block that it knows.
        let isPEM = String(decoding: bytes, as: UTF8.self).contains("PRIVATE KEY-----")
        throw .configuration(
            isPEM ? .refused(OpenSSLErrors.reason(code)) : .notPEM(expected: "private key"), source: source)
    }
}

@unsafe private struct Passphrase {
    var bytes: UnsafeRawPointer?
    var count: Int
    var isAsked = false
}

// What OpenSSL calls for a passphrase. Without a callback it would ask at the terminal.

private func refusePassphrase(
    _: UnsafeMutablePointer<CChar>?, _: Int32, _: Int32, _: UnsafeMutableRawPointer?
) -> Int32 { -1 }

private func givePassphrase(
    _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int32, _: Int32, _ user: UnsafeMutableRawPointer?
) -> Int32 {
    guard let request = unsafe user?.assumingMemoryBound(to: Passphrase.self), let buffer = unsafe buffer else {
        return -1
    }
    unsafe request.pointee.isAsked = true
    guard let bytes = unsafe request.pointee.bytes, unsafe request.pointee.count <= Int(size) else { return -1 }
    unsafe UnsafeMutableRawPointer(buffer).copyMemory(from: bytes, byteCount: request.pointee.count)
    return Int32(truncatingIfNeeded: unsafe request.pointee.count)
}
