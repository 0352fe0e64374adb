internal import HelioHTTP
public import HelioReactor

/// What a proxy in front says of a connection that it passes on (the PROXY protocol, versions 1 and 2).
///
/// ```swift
/// if let header = exchange.connection?.proxyHeader { print(header.authority ?? "no name", header.tls?.version ?? "no TLS") }
/// ```
public struct ProxyHeader: Hashable, Sendable {
    /// 1, a line of text, or 2, binary.
    public var version: Int
    /// The proxy speaks for itself (LOCAL), as it does to see whether this server is well.
    public var isLocal = false
    /// Who connected to the proxy; nil when it does not say, or speaks for itself.
    public var source: SocketAddress?
    /// Where, at the proxy.
    public var destination: SocketAddress?
    /// The application protocol that was negotiated there (PP2_TYPE_ALPN).
    public var applicationProtocol: String?
    /// The host name that was asked for there, by SNI (PP2_TYPE_AUTHORITY).
    public var authority: String?
    /// The connection's identifier, at most 128 bytes (PP2_TYPE_UNIQUE_ID).
    public var uniqueID: [UInt8]?
    /// What is known of TLS between the client and the proxy (PP2_TYPE_SSL); nil when it does not say.
    public var tls: TLS?

    /// TLS between the client and the proxy.
    public struct TLS: Hashable, Sendable {
        /// The client connected over TLS.
        public var isUsed: Bool
        /// It gave a certificate, for this connection or for the session that it resumes.
        public var hasClientCertificate: Bool
        /// The proxy has verified that certificate.
        public var isClientVerified: Bool
        /// Such as `TLSv1.3`.
        public var version: String?
        public var cipher: String?
        /// The common name of the client's certificate.
        public var commonName: String?
    }
}

/// Why a connection's first bytes are no header that is taken.
enum ProxyHeaderError: Error, Equatable, CustomStringConvertible {
    /// It begins as no header does: mostly a client that came past the proxy.
    case missing
    /// It is longer than the version, or the limit, allows.
    case tooLong
    case malformed(StaticString)
    case checksum
    case timeout

    /// The limit that it crosses, if it does.
    var limit: LimitName? {
        switch self {
        case .tooLong: .proxyHeader
        case .timeout: .proxyHeaderTimeout
        default: nil
        }
    }

    var description: String {
        switch self {
        case .missing: "the connection does not begin with a PROXY header"
        case .tooLong: "the PROXY header is too long"
        case .malformed(let reason): "the PROXY header is wrong: \(reason)"
        case .checksum: "the PROXY header's checksum is wrong"
        case .timeout: "the PROXY header did not come in time"
        }
    }

    static func == (one: ProxyHeaderError, other: ProxyHeaderError) -> Bool { one.description == other.description }
}
