/// The version of HTTP that an exchange is carried by.
public enum HTTPVersion: Sendable, Hashable, CustomStringConvertible {
    /// RFC 1945, as far as RFC 9112 keeps it.
    case http10
    /// RFC 9112.
    case http11
    /// RFC 9113.
    case http2

    /// As a request line or a log has it: `HTTP/1.1`, `HTTP/2.0`.
    public var description: String {
        switch self {
        case .http10: "HTTP/1.0"
        case .http11: "HTTP/1.1"
        case .http2: "HTTP/2.0"
        }
    }
}

/// The versions of HTTP that are spoken at one place.
public struct HTTPVersions: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// HTTP/1.1, and HTTP/1.0 with it.
    public static let http1 = HTTPVersions(rawValue: 1 << 0)
    /// HTTP/2: over TLS by ALPN, on plaintext by prior knowledge (RFC 9113 section 3.3).
    public static let http2 = HTTPVersions(rawValue: 1 << 1)

    /// Their names for ALPN (RFC 7301), the preferred first.
    public var alpn: [String] { (contains(.http2) ? ["h2"] : []) + (contains(.http1) ? ["http/1.1"] : []) }
}
