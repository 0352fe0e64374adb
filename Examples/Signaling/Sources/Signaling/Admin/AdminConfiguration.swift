/// The second listener, for operators.
struct AdminConfiguration: Sendable {
    /// A numeric address or `localhost`.
    var host = "127.0.0.1"
    /// 0 takes a free one.
    var port: UInt16 = 9443
    /// What every request but those for health has to bring as bearer token; nil on loopback alone.
    var token: Secret?

    /// Whether only this machine reaches it. Then it speaks plaintext.
    var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }

    /// As it stands in a URL.
    var hostInURL: String { host.contains(":") ? "[\(host)]" : host }
}

/// Bytes that reach no log.
struct Secret: Sendable, CustomStringConvertible {
    let bytes: [UInt8]

    var description: String { "[redacted]" }

    /// Takes as long for a wrong text as for the right one of the same length.
    func matches(_ other: [UInt8]) -> Bool {
        guard other.count == bytes.count else { return false }
        return zip(bytes, other).reduce(0 as UInt8) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
