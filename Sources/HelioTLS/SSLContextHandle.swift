internal import COpenSSL

/// Owns one `SSL_CTX*`. Set up by ``TLSContext`` and not changed after; OpenSSL shares it between threads by its own locks.
@safe final class SSLContextHandle: @unchecked Sendable {
    let raw: OpaquePointer

    init(isServer: Bool, versions: ClosedRange<TLSVersion>, cipherList: String, cipherSuites: String) throws(TLSError) {
        guard let raw = unsafe SSL_CTX_new(isServer ? TLS_server_method() : TLS_client_method()) else {
            fatalError("out of memory")
        }
        unsafe self.raw = raw
        unsafe helio_ssl_ctx_set_options(raw)
        unsafe helio_ssl_ctx_set_modes(raw)
        unsafe SSL_CTX_set_msg_callback(raw, TLSRecordIO.observe)
        let minimum = Int32(versions.lowerBound.rawValue)
        let maximum = Int32(versions.upperBound.rawValue)
        try check(unsafe helio_ssl_ctx_set_versions(raw, minimum, maximum), "versions")
        try check(unsafe SSL_CTX_set_cipher_list(raw, cipherList), "cipherList \(cipherList)")
        try check(unsafe SSL_CTX_set_ciphersuites(raw, cipherSuites), "cipherSuites \(cipherSuites)")
        try check(unsafe helio_ssl_ctx_set_groups(raw, TLSDefaults.groups), "groups \(TLSDefaults.groups)")
    }

    deinit { unsafe SSL_CTX_free(raw) }

    /// Adds a certificate; it replaces one with the same type of key.
    func use(_ certificate: Certificate) throws(TLSError) {
        let handles = certificate.handles
        try check(unsafe SSL_CTX_use_certificate(raw, handles.leaf), certificate.source)
        try check(unsafe SSL_CTX_use_PrivateKey(raw, handles.key), certificate.source)
        for place in unsafe handles.chain.indices.dropFirst() {
            try check(unsafe helio_ssl_ctx_add_chain(raw, handles.chain[place]), certificate.source)
        }
    }

    /// Verifies peers by these authorities, whatever their place in a chain.
    ///
    /// - Parameters:
    ///   - authorities: are freed here.
    ///   - announcing: whether clients are told their names, to choose a certificate by.
    func trust(_ authorities: [OpaquePointer], announcing: Bool) throws(TLSError) {
        defer { unsafe authorities.forEach { unsafe X509_free($0) } }
        let store = unsafe SSL_CTX_get_cert_store(raw)
        unsafe X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN))
        for place in unsafe authorities.indices {
            try check(unsafe X509_STORE_add_cert(store, authorities[place]), "authorities")
            if announcing { try check(unsafe SSL_CTX_add_client_CA(raw, authorities[place]), "authorities") }
        }
    }

    /// One ticket a handshake, sealed by these keys; none without.
    func setTickets(_ tickets: SessionTickets?) {
        guard let tickets else {
            unsafe helio_ssl_ctx_disable_tickets(raw)
            return
        }
        unsafe SSL_CTX_set_num_tickets(raw, 1)
        unsafe SSL_CTX_set_timeout(raw, Int(tickets.lifetime))
        unsafe _ = SSL_CTX_set_tlsext_ticket_key_evp_cb(raw, SessionTickets.callback)
    }

    private func check(_ status: Int32, _ source: String) throws(TLSError) {
        if status == 1 { return }
        throw .configuration(.refused(OpenSSLErrors.reason(OpenSSLErrors.takeLast())), source: source)
    }
}

/// How clients are asked for certificates, ready to be set on each `SSL_CTX` of a server.
struct ClientAuthorities {
    let mode: Int32
    private let pem: [UInt8]
    private let source: String

    init(_ authentication: ClientAuthentication) throws(TLSError) {
        switch authentication {
        case .none:
            (mode, pem, source) = (SSL_VERIFY_NONE, [], "")
        case .optional(let authorities, let source):
            (mode, pem, self.source) = (SSL_VERIFY_PEER, authorities, source)
        case .required(let authorities, let source):
            (mode, pem, self.source) = (SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, authorities, source)
        }
    }

    func require(on handle: SSLContextHandle) throws(TLSError) {
        if mode != SSL_VERIFY_NONE {
            try unsafe handle.trust(unsafe PEM.certificates(pem, source: source), announcing: true)
        }
        unsafe SSL_CTX_set_verify(handle.raw, mode, nil)
        // A ticket resumes without a look at the client's certificate: so it is good only where the same certificates are asked
        // for in the same way. The session's context says so.
        let policy = [UInt8(truncatingIfNeeded: mode)] + pem
        var digest = [UInt8](repeating: 0, count: 32)
        let status = unsafe EVP_Q_digest(nil, "SHA256", nil, policy, policy.count, &digest, nil)
        precondition(status == 1, "out of memory")
        unsafe SSL_CTX_set_session_id_context(handle.raw, digest, UInt32(digest.count))
    }
}
