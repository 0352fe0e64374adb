internal import COpenSSL

// What the two sides have agreed on. For logs and decisions; each asks OpenSSL.
extension TLSEngine {
    /// The application protocol (ALPN, RFC 7301), or nil.
    public var negotiatedProtocol: String? {
        unsafe withNegotiated { unsafe $0.isEmpty ? nil : String(decoding: $0, as: UTF8.self) }
    }

    /// Whether the application protocol is this one. Makes no `String`.
    public func negotiated(_ name: StaticString) -> Bool {
        unsafe withNegotiated { selected in
            name.withUTF8Buffer { unsafe selected.elementsEqual($0) }
        }
    }

    private func withNegotiated<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        guard let ssl = unsafe raw else { return unsafe body(UnsafeBufferPointer(start: nil, count: 0)) }
        var start: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        unsafe SSL_get0_alpn_selected(ssl, &start, &count)
        return unsafe body(UnsafeBufferPointer(start: start, count: Int(count)))
    }

    /// The protocol's version, such as `TLSv1.3`.
    public var version: String { unsafe text(raw.flatMap { unsafe SSL_get_version($0) }) ?? "" }

    /// The cipher suite, by OpenSSL's name.
    public var cipher: String {
        unsafe text(raw.flatMap { unsafe SSL_CIPHER_get_name(SSL_get_current_cipher($0)) }) ?? ""
    }

    /// The server's name that the client sent (SNI), or nil.
    public var serverName: String? {
        unsafe text(raw.flatMap { unsafe SSL_get_servername($0, TLSEXT_NAMETYPE_host_name) })
    }

    /// Whether a ticket spared the full handshake.
    public var isResumed: Bool {
        guard let ssl = unsafe raw else { return false }
        return unsafe SSL_session_reused(ssl) == 1
    }

    /// The subject of the peer's certificate as RFC 2253 writes it, or nil without one. It was verified if the context verifies.
    public var peerCertificateSubject: String? {
        unsafe raw.flatMap { unsafe SSL_get0_peer_certificate($0) }.map { unsafe X509Reader.subject($0) }
    }

    /// The peer's certificate, or nil without one.
    public var peerCertificate: PeerCertificate? {
        guard let ssl = unsafe raw, let certificate = unsafe SSL_get0_peer_certificate(ssl) else { return nil }
        return unsafe PeerCertificate(certificate, isVerified: SSL_get_verify_result(ssl) == X509_V_OK)
    }

    /// The DNS names and IP addresses of the peer's certificate.
    public var peerCertificateNames: [String] {
        unsafe raw.flatMap { unsafe SSL_get0_peer_certificate($0) }.map { unsafe X509Reader.names($0) } ?? []
    }

    /// The session to resume later, on a client's side: nil until the server's ticket has come (with TLS 1.3 after the
    /// handshake, in the first bytes received).
    public var session: TLSSession? {
        guard let ssl = unsafe raw, let session = unsafe SSL_get1_session(ssl) else { return nil }
        let handle = unsafe TLSSession(session)
        return unsafe SSL_SESSION_is_resumable(session) == 1 ? handle : nil
    }

    /// Sends the name, and holds the server's certificate to it.
    func setServerName(_ name: String) {
        let isAddress = unsafe X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(raw), name) == 1
        if !isAddress {
            unsafe SSL_set_hostflags(raw, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
            unsafe SSL_set1_host(raw, name)
            unsafe _ = helio_ssl_set_server_name(raw.unsafelyUnwrapped, name)
        }
        OpenSSLErrors.clear()
    }

    private func text(_ pointer: UnsafePointer<CChar>?) -> String? {
        unsafe pointer.map { unsafe String(cString: $0) }
    }
}

/// A client's session with a server, to be resumed by a later engine. Immutable; for any thread.
@safe public final class TLSSession: @unchecked Sendable {
    let raw: OpaquePointer

    /// Owns one reference.
    init(_ raw: OpaquePointer) { unsafe self.raw = raw }

    deinit { unsafe SSL_SESSION_free(raw) }
}
