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
    /// Whether clients are asked for certificates (mutual TLS). Not with ``TransportSecurity/custom(_:)``, which says it itself.
    public var clientCertificates = ClientCertificates.none
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

    /// A place to listen at, and what is spoken there.
    ///
    /// ```swift
    /// var endpoint = ServerConfiguration.Endpoint.tcp(host: "::", port: 443)
    /// endpoint.versions = .http2
    /// ```
    public struct Endpoint: Hashable, Sendable, CustomStringConvertible {
        public var place: Place
        /// The versions of HTTP that are spoken here. Both on one port: by ALPN over TLS, by the client's first bytes on
        /// plaintext.
        public var versions: HTTPVersions = [.http1, .http2]
        /// Whether a WebSocket may be opened over HTTP/2 (RFC 8441).
        public var allowsConnectProtocol = true
        /// What an HTTP/2 connection is good for beside the name that the client came by, such as
        /// `https://static.example.com`: told at its start in an ORIGIN frame (RFC 8336).
        public var origins: [String] = []
        /// Other places for origins, told at the start of an HTTP/2 connection in ALTSVC frames (RFC 7838 section 4).
        public var alternativeServices: [SessionOptions.AlternativeService] = []

        /// Whether a proxy in front says who its clients are.
        public var proxyProtocol = ProxyProtocol.off

        /// Where it is.
        public enum Place: Hashable, Sendable {
            /// A numeric address or `localhost`, and a port.
            case tcp(host: String, port: UInt16)
            /// A Unix socket: a path, or `@name` in the abstract space.
            case unix(path: String)
            /// A listening socket that the process was started with.
            case descriptor(Int32)
        }

        public init(_ place: Place) { self.place = place }

        /// A numeric address or `localhost`, and a port.
        public static func tcp(host: String, port: UInt16) -> Endpoint { Endpoint(.tcp(host: host, port: port)) }

        /// A Unix socket: a path, or `@name` in the abstract space.
        public static func unix(path: String) -> Endpoint { Endpoint(.unix(path: path)) }

        /// A listening socket that the process was started with; systemd's are
        /// ``HelioReactor/ListeningSocket/handedOver``.
        public static func descriptor(_ descriptor: Int32) -> Endpoint { Endpoint(.descriptor(descriptor)) }

        public var description: String {
            switch place {
            case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
            case .unix(let path): "unix:\(path)"
            case .descriptor(let descriptor): "descriptor \(descriptor)"
            }
        }

        var connectionOptions: ConnectionOptions {
            var options = ConnectionOptions(versions: versions, takesProxyHeader: proxyProtocol != .off)
            options.session.passesSources = true
            options.session.allowsConnectProtocol = allowsConnectProtocol
            options.session.origins = origins
            options.session.alternativeServices = alternativeServices
            return options
        }
    }
}

/// Whether a server asks its clients for certificates, and who has to have signed them: a PEM file, read at the start and by
/// ``Server/reloadCertificates()``.
///
/// ```swift
/// var configuration = ServerConfiguration()
/// configuration.clientCertificates = .optional(authorities: "/etc/ssl/clients.pem")
/// ```
public enum ClientCertificates: Hashable, Sendable {
    /// It does not ask.
    case none
    /// It asks; a client without one is let in, one with a wrong one is not.
    case optional(authorities: String)
    /// It lets in nobody without one.
    case required(authorities: String)
}

/// What protects a server's connections.
public enum TransportSecurity: Sendable {
    /// Nothing does; HTTP/2 is spoken with prior knowledge (RFC 9113 section 3.3).
    case plaintext
    /// A self-signed certificate for `localhost` (P-256), made once and kept in a directory: nil is
    /// `$XDG_CACHE_HOME/heliograph`, else `~/.cache/heliograph`.
    case development(directory: String?)
    /// A certificate chain and its private key in PEM files, read at the start and by ``Server/reloadCertificates()``.
    case certificate(chain: String, key: String)
    /// All of it in hand: several certificates chosen by name, mutual TLS, shared ticket keys. Its `alpn` is not looked at: an
    /// endpoint's versions say it.
    case custom(TLSConfiguration)
}
