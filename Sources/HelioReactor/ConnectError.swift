/// An outbound connection that did not come about: to where, why, and what each address answered.
public struct ConnectError: Error, Sendable, CustomStringConvertible {
    public enum Reason: Sendable, Hashable {
        /// The host's addresses could not be found.
        case unresolved(ResolveError)
        /// Every address failed; ``ConnectError/attempts`` says how.
        case failed
        /// No address had connected in time.
        case timedOut(Duration)
        /// The caller cancelled, or the loop ended.
        case cancelled
    }

    /// An address that failed, and how.
    public struct Attempt: Sendable, Hashable {
        public let address: SocketAddress
        public let error: Errno
    }

    /// The host and port, or the address, that was asked for.
    public let target: String
    public let reason: Reason
    /// The addresses that failed before the end, in the order in which they did.
    public let attempts: [Attempt]

    /// Such as `cannot connect to example.org:443: [2001:db8::1]:443: connect: Connection refused`.
    public var description: String {
        var parts: [String] = []
        switch reason {
        case .unresolved(let error): parts.append(error.description)
        case .failed: if attempts.isEmpty { parts.append("it has no address") }
        case .timedOut(let limit): parts.append("no connection within \(limit)")
        case .cancelled: parts.append("cancelled")
        }
        parts += attempts.map { "\($0.address): \($0.error)" }
        return "cannot connect to \(target): " + parts.joined(separator: "; ")
    }
}
