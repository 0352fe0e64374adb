internal import CLinux

/// A host whose addresses could not be found.
public struct ResolveError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The host that was asked for.
    public let host: String
    /// Why, as gai_strerror(3) has it, or what refused the question.
    public let reason: String
    /// There is no such host, as opposed to a failure that may pass.
    public let isUnknownHost: Bool

    public var description: String { "cannot resolve \(host): \(reason)" }
}

/// Finds the addresses of a host by getaddrinfo(3), on a ``BlockingPool``: it reads files and asks name servers.
///
/// ```swift
/// let resolver = Resolver(pool: pool)
/// resolver.resolve(host: "example.org", port: 443, on: loop) { result in print(result) }
/// ```
public final class Resolver: Sendable {
    private let pool: BlockingPool

    public init(pool: BlockingPool) { self.pool = pool }

    /// Finds the addresses of `host`, in the order of RFC 6724 as the system has it. Numeric hosts are answered within the
    /// call. On the thread of `loop`, as the completion.
    public func resolve(
        host: String, port: UInt16, on loop: EventLoop,
        completion: @escaping (Result<[SocketAddress], ResolveError>) -> Void
    ) {
        if let numeric = SocketAddress(host: host, port: port) { return completion(.success([numeric])) }
        let isQueued = pool.submit(on: loop) {
            Self.addresses(of: host, port: port)
        } then: {
            completion($0)
        }
        guard !isQueued else { return }
        let reason = "too many names are being resolved"
        completion(.failure(ResolveError(host: host, reason: reason, isUnknownHost: false)))
    }

    /// Finds the addresses of `host`; the task resumes on its own executor.
    ///
    /// - Throws: ``ResolveError``, ``BlockingPool/Refusal``.
    public func resolve(host: String, port: UInt16) async throws -> [SocketAddress] {
        if let numeric = SocketAddress(host: host, port: port) { return [numeric] }
        return try await pool.run { try Self.addresses(of: host, port: port).get() }
    }

    private static func addresses(of host: String, port: UInt16) -> Result<[SocketAddress], ResolveError> {
        guard !host.isEmpty, !host.utf8.contains(0) else {
            return .failure(ResolveError(host: host, reason: "not a host name", isUnknownHost: true))
        }
        var hints = unsafe addrinfo()
        unsafe hints.ai_flags = AI_NUMERICSERV
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = unsafe getaddrinfo(host, String(port), &hints, &list)
        guard status == 0 else {
            let error = helio_errno()
            let reason =
                unsafe status == EAI_SYSTEM
                ? Errno(error, in: "getaddrinfo").reason : String(cString: gai_strerror(status))
            return .failure(ResolveError(host: host, reason: reason, isUnknownHost: status == EAI_NONAME))
        }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var entry = unsafe list
        while let current = unsafe entry {
            if let address = unsafe current.pointee.ai_addr {
                let found = unsafe SocketAddress(address, current.pointee.ai_addrlen)
                if !addresses.contains(found) { addresses.append(found) }
            }
            unsafe entry = current.pointee.ai_next
        }
        return .success(addresses)
    }
}
