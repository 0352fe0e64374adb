public import HelioReactor
public import HelioTLS

/// Who the peer is, and what protects the connection. Each asks anew: keep what is needed more than once.
extension Connection {
    /// The client's address: the one that a trusted proxy has said, else the socket's own (getpeername(2)). Nil when the
    /// connection is gone.
    public var peerAddress: SocketAddress? { proxyHeader?.source ?? socketPeer }
    /// The address of the proxy that passed the connection on; nil where none did.
    public var proxyAddress: SocketAddress? { proxyHeader == nil ? nil : socketPeer }
    /// What that proxy has said, TLS between it and its client included.
    public var proxyHeader: ProxyHeader? { protocols?.proxy?.header }

    /// Whether TLS protects it. What a proxy does on its other side is ``ProxyHeader/tls``.
    public var isSecure: Bool { protocols?.engine != nil }
    /// The TLS version, such as `TLSv1.3`; nil on plaintext.
    public var tlsVersion: String? { protocols?.engine?.version }
    /// The TLS cipher suite; nil on plaintext.
    public var tlsCipher: String? { protocols?.engine?.cipher }
    /// The application protocol by ALPN, such as `h2`; nil when none was negotiated.
    public var applicationProtocol: String? { protocols?.engine?.negotiatedProtocol }
    /// The name that the client asked for by SNI.
    public var serverName: String? { protocols?.engine?.serverName }
    /// Whether a session ticket spared the full handshake.
    public var isResumed: Bool { protocols?.engine?.isResumed == true }
    /// The client's certificate, where one was asked for and given; the handshake has verified it.
    public var peerCertificate: PeerCertificate? { protocols?.engine?.peerCertificate }
    /// The subject of the client's certificate, such as `CN=alice`.
    public var peerCertificateSubject: String? { protocols?.engine?.peerCertificateSubject }
}
