internal import COpenSSL

/// A certificate chain with its private key, parsed and checked.
///
/// ```swift
/// let certificate = try Certificate(
///     chain: chainBytes, key: keyBytes, chainSource: "server.pem", keySource: "server.key", now: 1_780_000_000)
/// ```
///
/// Immutable, and shared by reference; for any thread.
public struct Certificate: Sendable {
    let handles: CertificateHandles
    /// The DNS names (lower case) and IP addresses of the subjectAltName; a name may begin with `*.`.
    public let names: [String]
    /// The end of its time, in seconds since 1970: the earliest of the chain.
    public let notAfter: Int64
    /// Where the chain came from: a path, or `memory`.
    public let source: String

    /// Parses a chain and its key, and checks that they belong together and are valid now.
    ///
    /// - Parameters:
    ///   - chain: PEM, the server's own certificate first, then those that lead to its authority.
    ///   - key: PEM, PKCS #8 or a traditional form, encrypted or not.
    ///   - chainSource: the chain's path, for errors.
    ///   - keySource: the key's path, for errors.
    ///   - passphrase: of the key, if it is encrypted.
    ///   - now: seconds since 1970.
    /// - Throws: ``TLSError/configuration(_:source:)``.
    public init(
        chain: [UInt8], key: [UInt8], chainSource: String = "memory", keySource: String = "memory",
        passphrase: [UInt8]? = nil, now: Int64
    ) throws(TLSError) {
        let certificates = try unsafe PEM.certificates(chain, source: chainSource)
        let handles = unsafe CertificateHandles(chain: certificates)
        unsafe handles.key = try PEM.privateKey(key, source: keySource, passphrase: passphrase)
        OpenSSLErrors.clear()
        guard unsafe X509_check_private_key(handles.leaf, handles.key) == 1 else {
            ERR_clear_error()
            let fault = unsafe TLSConfigurationFault.keyMismatch(
                certificate: "\(X509Reader.label(handles.leaf)) in \(chainSource)")
            throw .configuration(fault, source: keySource)
        }
        self.handles = handles
        names = unsafe X509Reader.names(handles.leaf)
        notAfter = unsafe handles.chain.reduce(Int64.max) { unsafe min($0, X509Reader.notAfter($1)) }
        source = chainSource
        try checkTime(now)
    }

    /// - Throws: an error that names the first certificate of the chain that is not valid at `now`.
    func checkTime(_ now: Int64) throws(TLSError) {
        for place in unsafe handles.chain.indices {
            let certificate = unsafe handles.chain[place]
            let notBefore = unsafe X509Reader.notBefore(certificate)
            let notAfter = unsafe X509Reader.notAfter(certificate)
            if notAfter < now {
                let subject = unsafe X509Reader.label(certificate)
                throw .configuration(.expired(subject: subject, notAfter: notAfter), source: source)
            }
            if notBefore > now {
                let subject = unsafe X509Reader.label(certificate)
                throw .configuration(.notYetValid(subject: subject, notBefore: notBefore), source: source)
            }
        }
    }

    /// The type of its key, by OpenSSL's number: a context holds one certificate of each.
    var keyType: Int32 { unsafe EVP_PKEY_get_base_id(handles.key) }
}

/// The `X509*` and `EVP_PKEY*` of a certificate. Written once, in its making; OpenSSL counts references to them atomically.
@safe final class CertificateHandles: @unchecked Sendable {
    let leaf: OpaquePointer
    /// All of the chain, the leaf first.
    let chain: [OpaquePointer]
    fileprivate(set) var key: OpaquePointer?

    /// Owns `chain`, which has at least one certificate.
    fileprivate init(chain: [OpaquePointer]) {
        unsafe self.chain = chain
        unsafe leaf = chain[0]
    }

    deinit {
        unsafe chain.forEach { unsafe X509_free($0) }
        unsafe EVP_PKEY_free(key)
    }
}
