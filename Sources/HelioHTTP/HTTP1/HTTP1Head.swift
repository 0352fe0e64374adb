/// What a request's head says beside its fields. Slices are of the block that the fields are in.
struct HTTP1Head {
    var method = Method.get
    var version = HTTPVersion.http11
    /// Path and query; empty for CONNECT.
    var target = HeaderBlock.Slice()
    var pathLength = 0
    /// From an absolute target or CONNECT's, else from `host`.
    var authority = HeaderBlock.Slice()
    /// What `upgrade` asks for, in lower case.
    var protocolName = HeaderBlock.Slice()
    var contentLength: Int?
    var flags: Flags = []

    struct Flags: OptionSet {
        let rawValue: UInt8
        /// The target names the authority, and `host` does not count (RFC 9112 section 3.2.2).
        static let hasAuthority = Flags(rawValue: 1 << 0)
        static let hasHost = Flags(rawValue: 1 << 1)
        /// The body comes in chunks.
        static let isChunked = Flags(rawValue: 1 << 2)
        static let hasUnknownCoding = Flags(rawValue: 1 << 3)
        // What `connection` lists.
        static let close = Flags(rawValue: 1 << 4)
        static let keepAlive = Flags(rawValue: 1 << 5)
        static let upgrade = Flags(rawValue: 1 << 6)
    }

    var hasBody: Bool { flags.contains(.isChunked) || (contentLength ?? 0) > 0 }

    /// Whether the connection outlives the response (RFC 9112 section 9.3).
    var persists: Bool {
        !flags.contains(.close) && (version == .http11 || flags.contains(.keepAlive))
    }
}
