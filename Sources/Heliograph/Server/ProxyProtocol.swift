public import HelioReactor

/// Whether connections to an endpoint begin with a header of the PROXY protocol, by which a proxy says who its client is.
///
/// ```swift
/// var endpoint = ServerConfiguration.Endpoint.tcp(host: "::", port: 8443)
/// endpoint.proxyProtocol = .required(from: AddressRange.loopback)
/// ```
public enum ProxyProtocol: Hashable, Sendable {
    /// They do not; a header is a fault of the protocol that is spoken.
    case off
    /// All do, version 1 or 2, in front of TLS, and only these networks may connect: a header is believed, so whoever may send
    /// one can be anyone. A connection from elsewhere is closed and counted, and so is one without a header.
    case required(from: [AddressRange])
}
