/// A version of TLS that is still safe.
public enum TLSVersion: Int, Comparable, Sendable {
    /// RFC 5246, with forward secrecy and AEAD only.
    case tls12 = 0x0303
    /// RFC 8446.
    case tls13 = 0x0304

    public static func < (left: TLSVersion, right: TLSVersion) -> Bool { left.rawValue < right.rawValue }
}

/// How a server asks clients for certificates (mutual TLS).
public enum ClientAuthentication: Sendable {
    /// It does not ask.
    case none
    /// It asks, and refuses a certificate that the authorities (PEM) did not sign; none is fine.
    case optional(authorities: [UInt8], source: String = "memory")
    /// It refuses a client without a certificate that the authorities (PEM) signed.
    case required(authorities: [UInt8], source: String = "memory")
}

/// How many KeyUpdates (RFC 8446, 4.6.3) and attempts to renegotiate a peer may send: each costs key derivations.
public struct KeyUpdateLimit: Sendable {
    /// At once.
    public var burst: Int32
    /// And per second from then on.
    public var perSecond: Int32

    /// - Parameters:
    ///   - burst: at once; at least 0.
    ///   - perSecond: that come back each second; at least 0.
    public init(burst: Int32 = 8, perSecond: Int32 = 1) {
        self.burst = max(0, burst)
        self.perSecond = max(0, perSecond)
    }
}

/// The settings of a server's TLS. What is not set has a default that is safe and fast.
///
/// ```swift
/// var configuration = TLSConfiguration(certificates: [certificate])
/// configuration.alpn = ["h2", "http/1.1"]
/// let context = try TLSContext(server: configuration, now: 1_780_000_000)
/// ```
public struct TLSConfiguration: Sendable {
    /// The certificates, by name of the server (SNI, RFC 6066, 3): exact names before wildcards. The first answers clients that
    /// send no name or an unknown one. One name may have an ECDSA and an RSA certificate; the client's abilities choose.
    public var certificates: [Certificate]
    /// What is spoken here, the preferred first (RFC 7301). A client without ALPN is let in, and negotiates nothing.
    public var alpn: [String] = ["h2"]
    /// The versions that are allowed.
    public var versions: ClosedRange<TLSVersion> = .tls12 ... .tls13
    /// The cipher suites of TLS 1.2 in OpenSSL's names, the preferred first.
    public var cipherList = TLSDefaults.cipherList
    /// The cipher suites of TLS 1.3 in OpenSSL's names, the preferred first.
    public var cipherSuites = TLSDefaults.cipherSuites
    /// Whether clients are asked for certificates.
    public var clientAuthentication = ClientAuthentication.none
    /// The ticket keys; nil turns resumption off. Keep the object when a context is replaced, and its tickets stay good.
    public var sessionTickets: SessionTickets? = SessionTickets()
    /// The bound of KeyUpdates.
    public var keyUpdateLimit = KeyUpdateLimit()

    /// - Parameter certificates: at least one; the first is the default.
    public init(certificates: [Certificate]) {
        self.certificates = certificates
    }
}

/// The settings of a client's TLS.
public struct TLSClientConfiguration: Sendable {
    /// Whom a client trusts.
    public enum Trust: Sendable {
        /// Servers whose certificate leads to one of the authorities that this machine trusts (OpenSSL's default file and
        /// directory, which `SSL_CERT_FILE` and `SSL_CERT_DIR` move), and carries the name that was asked for.
        case system
        /// Servers whose certificate leads to one of these (PEM), and carries the name that was asked for.
        case authorities([UInt8], source: String = "memory")
        /// Anyone. An attacker on the way reads and changes everything: for tests on loopback alone.
        case anyone
    }

    /// Whom to trust.
    public var trust: Trust
    /// The client's own certificate, for servers that ask for one.
    public var certificate: Certificate?
    /// What is offered (RFC 7301), the preferred first.
    public var alpn: [String] = ["h2"]
    /// The versions that are allowed.
    public var versions: ClosedRange<TLSVersion> = .tls12 ... .tls13
    /// The cipher suites of TLS 1.2 in OpenSSL's names, the preferred first.
    public var cipherList = TLSDefaults.cipherList
    /// The cipher suites of TLS 1.3 in OpenSSL's names, the preferred first.
    public var cipherSuites = TLSDefaults.cipherSuites
    /// The bound of KeyUpdates.
    public var keyUpdateLimit = KeyUpdateLimit()

    /// - Parameter trust: whom to trust.
    public init(trust: Trust) {
        self.trust = trust
    }
}

/// The defaults of both sides.
public enum TLSDefaults {
    /// Forward secrecy and AEAD only (RFC 9113, 9.2.2 forbids the rest with HTTP/2). AES-128 first: it is the cheapest.
    public static let cipherList =
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
        + "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
    /// All of RFC 8446 but CCM.
    public static let cipherSuites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
    /// The groups for key exchange, in OpenSSL's names.
    static let groups = "X25519:P-256:P-384"
}
