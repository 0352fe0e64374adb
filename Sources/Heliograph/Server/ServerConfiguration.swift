public import HelioHTTP
public import HelioTLS
public import Logging

/// What a server is told before it starts.
///
/// ```swift
/// var configuration = ServerConfiguration(host: "::", port: 443)
/// configuration.security = .certificate(chain: "/etc/ssl/site.pem", key: "/etc/ssl/site.key")
/// ```
public struct ServerConfiguration: Sendable {
    /// Where it listens. More than one endpoint may be given.
    public var endpoints: [Endpoint]
    /// What protects the connections.
    public var security = TransportSecurity.development(directory: nil)
    /// Loops, each on a thread of its own; nil is one for each CPU.
    public var threads: Int?
    /// Ties each loop's thread to a CPU of its own.
    public var pinsThreads = false
    /// The bounds of what peers may do.
    public var limits = Limits()
    /// Where it logs.
    public var logger = Logger(label: "heliograph")

    /// - Parameters:
    ///   - host: a numeric address, or `localhost`, which is both loopback addresses; `::` is every address of IPv6 and
    ///     IPv4, `0.0.0.0` of IPv4 alone.
    ///   - port: 0 lets the kernel choose; ``Server/port`` tells.
    public init(host: String = "localhost", port: UInt16 = 8443) { endpoints = [.tcp(host: host, port: port)] }

    /// A place to listen at.
    public enum Endpoint: Hashable, Sendable, CustomStringConvertible {
        /// A numeric address or `localhost`, and a port.
        case tcp(host: String, port: UInt16)
        /// A Unix socket: a path, or `@name` in the abstract space.
        case unix(path: String)
        /// A listening socket that the process was started with; systemd's are ``HelioReactor/ListeningSocket/handedOver``.
        case descriptor(Int32)

        public var description: String {
            switch self {
            case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
            case .unix(let path): "unix:\(path)"
            case .descriptor(let descriptor): "descriptor \(descriptor)"
            }
        }
    }
}

/// What protects a server's connections.
public enum TransportSecurity: Sendable {
    /// Nothing does: HTTP/2 with prior knowledge (RFC 9113 section 3.3).
    case plaintext
    /// A self-signed certificate for `localhost` (P-256), made once and kept in a directory: nil is
    /// `$XDG_CACHE_HOME/heliograph`, else `~/.cache/heliograph`.
    case development(directory: String?)
    /// A certificate chain and its private key in PEM files, read at the start and by ``Server/reloadCertificates()``.
    case certificate(chain: String, key: String)
    /// All of it in hand: several certificates chosen by name, mutual TLS, shared ticket keys.
    case custom(TLSConfiguration)
}
