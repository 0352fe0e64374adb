internal import COpenSSL

/// OpenSSL's error queue belongs to the thread and keeps what nobody takes. Every call that is followed by a look at the queue
/// is preceded by ``clear()``, so that one engine's fault never shows in another.
enum OpenSSLErrors {
    /// Empties the queue. It is empty nearly always, and looking is ten times cheaper than clearing.
    @inline(__always)
    static func clear() {
        if ERR_peek_error() != 0 { ERR_clear_error() }
    }

    /// Takes the last error and empties the queue; 0 when there is none.
    static func takeLast() -> UInt {
        let code = ERR_peek_last_error()
        ERR_clear_error()
        return code
    }

    /// Takes the first error, which is the cause of those after it, and empties the queue.
    static func takeFirst() -> UInt {
        let code = ERR_peek_error()
        ERR_clear_error()
        return code
    }

    static func reason(_ code: UInt) -> String {
        guard let text = unsafe ERR_reason_error_string(code) else { return "error \(code)" }
        return unsafe String(cString: text)
    }

    /// Whether it says that a PEM block was looked for and none came.
    static func isNoPEM(_ code: UInt) -> Bool {
        helio_err_is_pem(code) != 0 && ERR_GET_REASON(code) == PEM_R_NO_START_LINE
    }

    /// The peer's fault behind a failed handshake or read.
    ///
    /// - Parameters:
    ///   - code: of the queue.
    ///   - verifyResult: of `SSL_get_verify_result`.
    ///   - firstByte: of the ciphertext that made it fail.
    static func peerFault(_ code: UInt, verifyResult: Int, firstByte: UInt8) -> TLSPeerFault {
        guard helio_err_is_ssl(code) != 0 else { return .violation(reason(code)) }
        let number = ERR_GET_REASON(code)
        if number > SSL_AD_REASON_OFFSET { return .alert(alertName(number - SSL_AD_REASON_OFFSET)) }
        switch number {
        case SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST:
            return .plainHTTP
        case SSL_R_WRONG_VERSION_NUMBER:
            // OpenSSL knows four methods only; a method, or HTTP/2's preface, begins with a capital, and no record type does.
            return (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(firstByte) ? .plainHTTP : .notTLS
        case SSL_R_NO_SHARED_CIPHER, SSL_R_NO_SUITABLE_KEY_SHARE, SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM,
            SSL_R_NO_SHARED_GROUPS, SSL_R_NO_CIPHERS_SPECIFIED:
            return .noSharedCipher
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW:
            return .noSharedVersion
        case SSL_R_NO_APPLICATION_PROTOCOL:
            return .noSharedProtocol
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
            return .certificateMissing
        case SSL_R_CERTIFICATE_VERIFY_FAILED:
            let text = unsafe X509_verify_cert_error_string(verifyResult)
            return .certificateRejected(unsafe text.map { unsafe String(cString: $0) } ?? reason(code))
        default:
            return .violation(reason(code))
        }
    }
}

extension OpenSSLErrors {
    fileprivate static func alertName(_ number: Int32) -> String {
        // OpenSSL 3.0 has no name for this one (RFC 8446, 6.2).
        if number == SSL_AD_CERTIFICATE_REQUIRED { return "certificate required" }
        guard let name = unsafe SSL_alert_desc_string_long(number) else { return "\(number)" }
        return unsafe String(cString: name)
    }
}

/// A memory BIO for the length of `body`, holding a copy of `bytes`.
func withMemoryBIO<Result>(_ bytes: [UInt8] = [], _ body: (OpaquePointer) throws(TLSError) -> Result) throws(TLSError)
    -> Result
{
    guard let bio = unsafe BIO_new(BIO_s_mem()) else { fatalError("out of memory") }
    defer { unsafe BIO_free(bio) }
    if !bytes.isEmpty {
        var written = 0
        let status = unsafe BIO_write_ex(bio, bytes, bytes.count, &written)
        guard status == 1 else { fatalError("out of memory") }
    }
    return try unsafe body(bio)
}

/// What has been written to a memory BIO.
func memoryBIOBytes(_ bio: OpaquePointer) -> [UInt8] {
    var start: UnsafePointer<UInt8>?
    let count = unsafe helio_bio_bytes(bio, &start)
    return unsafe Array(UnsafeBufferPointer(start: start, count: count))
}
