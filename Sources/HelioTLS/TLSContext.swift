internal import COpenSSL

/// The TLS settings of a server or a client, made ready: certificates, protocols and policy over OpenSSL's `SSL_CTX`.
///
/// Immutable (hence `Sendable`, pointers and all); shared by all loops and threads. To replace certificates, make another context and give it to new engines: engines
/// keep the context that they began with.
///
/// ```swift
/// let context = try TLSContext(server: TLSConfiguration(certificates: [certificate]), now: 1_780_000_000)
/// ```
@safe public final class TLSContext: @unchecked Sendable {
    let tickets: SessionTickets?
    let keyUpdateLimit: KeyUpdateLimit
    private let handles: [SSLContextHandle]
    private let sets: CertificateSets?
    /// The ALPN names as they go over the wire; OpenSSL keeps pointers into it.
    private let alpn: UnsafeMutableBufferPointer<UInt8>

    /// Makes a server's context.
    ///
    /// - Parameters:
    ///   - configuration: with at least one certificate.
    ///   - now: seconds since 1970, to check the certificates once more.
    /// - Throws: ``TLSError/configuration(_:source:)``.
    public init(server configuration: TLSConfiguration, now: Int64) throws(TLSError) {
        guard !configuration.certificates.isEmpty else { throw .configuration(.emptyChain, source: "configuration") }
        for certificate in configuration.certificates { try certificate.checkTime(now) }
        let protocols = try Self.wire(configuration.alpn)
        let sets = CertificateSets(configuration.certificates.map { ($0.names, $0.keyType) })
        let authorities = try ClientAuthorities(configuration.clientAuthentication)
        var handles: [SSLContextHandle] = []
        for places in sets.sets {
            let handle = try SSLContextHandle(
                isServer: true, versions: configuration.versions, cipherList: configuration.cipherList,
                cipherSuites: configuration.cipherSuites)
            for place in places { try handle.use(configuration.certificates[place]) }
            try authorities.require(on: handle)
            handle.setTickets(configuration.sessionTickets)
            if !protocols.isEmpty { unsafe SSL_CTX_set_alpn_select_cb(handle.raw, Self.selectProtocol, nil) }
            if sets.sets.count > 1 { unsafe helio_ssl_ctx_set_server_name_callback(handle.raw, Self.selectCertificate) }
            handles.append(handle)
        }
        self.sets = sets
        self.handles = handles
        tickets = configuration.sessionTickets
        keyUpdateLimit = configuration.keyUpdateLimit
        unsafe alpn = Self.copy(protocols)
        introduce()
    }

    /// Makes a client's context.
    ///
    /// - Parameters:
    ///   - configuration: whom to trust, and what to offer.
    ///   - now: seconds since 1970, to check the client's own certificate once more.
    /// - Throws: ``TLSError/configuration(_:source:)``.
    public init(client configuration: TLSClientConfiguration, now: Int64) throws(TLSError) {
        let protocols = try Self.wire(configuration.alpn)
        let handle = try SSLContextHandle(
            isServer: false, versions: configuration.versions, cipherList: configuration.cipherList,
            cipherSuites: configuration.cipherSuites)
        if let certificate = configuration.certificate {
            try certificate.checkTime(now)
            try handle.use(certificate)
        }
        switch configuration.trust {
        case .system:
            unsafe _ = SSL_CTX_set_default_verify_paths(handle.raw)
            OpenSSLErrors.clear()
            unsafe SSL_CTX_set_verify(handle.raw, SSL_VERIFY_PEER, nil)
        case .authorities(let pem, let source):
            try unsafe handle.trust(PEM.certificates(pem, source: source), announcing: false)
            unsafe SSL_CTX_set_verify(handle.raw, SSL_VERIFY_PEER, nil)
        case .anyone: break
        }
        if !protocols.isEmpty {
            // Its result is 0 for success, unlike everything else.
            let status = unsafe SSL_CTX_set_alpn_protos(handle.raw, protocols, UInt32(protocols.count))
            precondition(status == 0, "out of memory")
        }
        sets = nil
        handles = [handle]
        tickets = nil
        keyUpdateLimit = configuration.keyUpdateLimit
        unsafe alpn = Self.copy(protocols)
        introduce()
    }

    deinit { unsafe alpn.deallocate() }

    /// What engines are made from. They hold this object, and so everything that OpenSSL points to.
    var raw: OpaquePointer { unsafe handles[0].raw }

    /// OpenSSL's callbacks find this object by its `SSL_CTX`.
    private func introduce() {
        for handle in handles {
            unsafe helio_ssl_ctx_set_app_data(handle.raw, Unmanaged.passUnretained(self).toOpaque())
        }
    }

    private static func wire(_ names: [String]) throws(TLSError) -> [UInt8] {
        var bytes: [UInt8] = []
        for name in names {
            guard (1...255).contains(name.utf8.count) else {
                throw .configuration(.invalidProtocol(name), source: "configuration")
            }
            bytes.append(UInt8(name.utf8.count))
            bytes.append(contentsOf: name.utf8)
        }
        return bytes
    }

    private static func copy(_ bytes: [UInt8]) -> UnsafeMutableBufferPointer<UInt8> {
        let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
        unsafe _ = buffer.initialize(fromContentsOf: bytes)
        return unsafe buffer
    }

    // MARK: What OpenSSL calls

    /// Chooses by the server's preference; without overlap the client gets the alert no_application_protocol (RFC 7301, 3.2).
    private static let selectProtocol: SSL_CTX_alpn_select_cb_func = { ssl, chosen, chosenCount, offered, count, _ in
        unsafe withContext(of: ssl) { context in
            var name: UnsafeMutablePointer<UInt8>?
            let status = unsafe SSL_select_next_proto(
                &name, chosenCount, context.alpn.baseAddress, UInt32(context.alpn.count), offered, count)
            guard status == OPENSSL_NPN_NEGOTIATED else { return SSL_TLSEXT_ERR_ALERT_FATAL }
            unsafe chosen?.pointee = UnsafePointer(name)
            return SSL_TLSEXT_ERR_OK
        }
    }

    private static let selectCertificate:
        @convention(c) (OpaquePointer?, UnsafeMutablePointer<Int32>?, UnsafeMutableRawPointer?) -> Int32 = {
            ssl, _, _ in
            guard let name = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else {
                return SSL_TLSEXT_ERR_NOACK
            }
            return unsafe withContext(of: ssl) { context in
                guard let place = unsafe context.sets?[String(cString: name)] else { return SSL_TLSEXT_ERR_NOACK }
                if place > 0 { unsafe SSL_set_SSL_CTX(ssl, context.handles[place].raw) }
                return SSL_TLSEXT_ERR_OK
            }
        }
}

/// The context that an `SSL*` was made from, or a sibling of it for another name.
@inline(__always)
func withContext<Result>(of ssl: OpaquePointer?, _ body: (TLSContext) -> Result) -> Result {
    let pointer = unsafe helio_ssl_ctx_get_app_data(SSL_get_SSL_CTX(ssl)).unsafelyUnwrapped
    return unsafe Unmanaged<TLSContext>.fromOpaque(pointer)._withUnsafeGuaranteedRef { body($0) }
}
