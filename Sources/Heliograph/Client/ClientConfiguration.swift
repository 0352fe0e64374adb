public import HelioHTTP
public import HelioReactor
public import HelioTLS
public import Logging

/// What a client is told before it connects.
///
/// ```swift
/// var configuration = ClientConfiguration()
/// configuration.trust = .authoritiesFile("/etc/ssl/internal-ca.pem")
/// configuration.limits.maxConnectionsPerOrigin = 2
/// ```
public struct ClientConfiguration: Sendable {
    /// What is spoken over TLS, as it is offered by ALPN.
    public var versions: HTTPVersions = [.http1, .http2]
    /// What is spoken on plaintext, where nothing tells: `http11`, or `http2` with prior knowledge (RFC 9113 section 3.3).
    public var plaintextVersion = HTTPVersion.http11
    /// Whom it trusts over TLS.
    public var trust = ClientTrust.system
    /// Its own certificate, for servers that ask for one.
    public var certificate: Certificate?
    /// The versions of TLS that are allowed.
    public var tlsVersions: ClosedRange<TLSVersion> = .tls12 ... .tls13
    /// Where connections come from, in turn: ports are the kernel's where they are 0. Empty: the kernel chooses. One address has
    /// some 28,000 ports for connections to one address of a server.
    public var localAddresses: [SocketAddress] = []
    /// A Unix socket (a path, or `@name` in the abstract space) that all connections are made to, whatever the host.
    public var unixSocket: String?
    /// Whether servers may push (RFC 9113 section 8.4): handlers are then asked by ``HelioHTTP/ClientHandler/pushed(_:_:)``.
    public var acceptsPush = false
    /// The bounds.
    public var limits = ClientLimits()
    /// Where it logs.
    public var logger = Logger(label: "heliograph.client")

    public init() {}
}

/// Whom a client trusts.
public enum ClientTrust: Sendable {
    /// Servers whose certificate leads to an authority of this machine's own list, and has the name that was asked for.
    case system
    /// Servers whose certificate leads to an authority of this PEM file, and has the name that was asked for.
    case authoritiesFile(String)
    /// As ``authoritiesFile(_:)``, with the PEM in hand.
    case authorities([UInt8])
    /// Anyone at all. An attacker on the way reads and changes everything: for tests on loopback alone.
    case insecure
}

extension ClientConfiguration {
    /// - Parameter versions: what is offered.
    func makeContext(_ versions: HTTPVersions) throws(ClientError) -> TLSContext {
        var tls: TLSClientConfiguration
        switch trust {
        case .system: tls = TLSClientConfiguration(trust: .system)
        case .authorities(let pem): tls = TLSClientConfiguration(trust: .authorities(pem))
        case .insecure: tls = TLSClientConfiguration(trust: .anyone)
        case .authoritiesFile(let file):
            do {
                tls = TLSClientConfiguration(trust: .authorities(try FileContents.read(file), source: file))
            } catch {
                throw .unreachable(error)
            }
        }
        tls.certificate = certificate
        tls.versions = tlsVersions
        tls.alpn = versions.alpn
        do {
            return try TLSContext(client: tls, now: unixTime())
        } catch {
            throw .unreachable(error)
        }
    }
}

/// A TLS connection that did not come about: to whom, and why.
public struct HandshakeError: Error, Sendable, CustomStringConvertible {
    public let origin: Origin
    /// What TLS says; nil: the server closed the connection in the middle.
    public let error: TLSError?

    /// Such as `no TLS with https://localhost:8443: its certificate does not verify: self-signed certificate; …`.
    public var description: String {
        let start = "no TLS with \(origin): "
        switch error {
        case nil: return start + "the server closed the connection during the handshake"
        case .peer(.certificateRejected(let reason)):
            return start + "its certificate does not verify: \(reason); "
                + "ask for a name that the certificate has, or trust the authority that signed it"
        case .peer(let fault): return start + "\(fault)"
        case .some(let error): return start + "\(error)"
        }
    }
}
