public import HelioHTTP
public import HelioReactor
internal import HelioTLS
internal import Synchronization

/// A client: on each of its loops a pool of connections, HTTP/2 over TLS first of all.
///
/// Requests are made on the loops: by the methods here in a task of a loop (an async handler's, or one that ``run(_:)`` starts),
/// by ``pool`` with a ``HelioHTTP/ClientHandler`` for events and no allocation. A request stays on the loop that it was made on.
/// Redirects are answers like others: they are not followed.
///
/// ```swift
/// let client = try Client(on: group)
/// let text = try await client.run {
///     let response = try await client.request(ClientRequest(.get, "https://example.org/"))
///     return String(decoding: try await response.collect(upTo: 1 << 20), as: UTF8.self)
/// }
/// await client.stop()
/// ```
///
/// Stop it before its loops end.
public final class Client: Sendable {
    /// What it was told.
    public let configuration: ClientConfiguration
    private let parts: [ClientPart]
    private let nextPart = Atomic<Int>(0)

    /// A client on all loops of a group, such as a server's.
    ///
    /// - Throws: ``HelioHTTP/ClientError/unreachable(_:)`` when what the configuration says of TLS cannot be used.
    public convenience init(
        on group: EventLoopGroup, configuration: ClientConfiguration = ClientConfiguration()
    ) throws(ClientError) {
        try self.init(loops: group.loops, configuration)
    }

    /// A client on one loop.
    ///
    /// - Throws: ``HelioHTTP/ClientError/unreachable(_:)`` when what the configuration says of TLS cannot be used.
    public convenience init(
        on loop: EventLoop, configuration: ClientConfiguration = ClientConfiguration()
    ) throws(ClientError) {
        try self.init(loops: [loop], configuration)
    }

    private init(loops: [EventLoop], _ configuration: ClientConfiguration) throws(ClientError) {
        self.configuration = configuration
        let tls = try configuration.makeContext(configuration.versions)
        let tlsHTTP1 = try configuration.makeContext(.http1)
        let resolver = Resolver(pool: BlockingPool())
        parts = loops.map { ClientPart($0, configuration, tls, tlsHTTP1, resolver) }
    }

    /// The pool of the loop that runs now.
    ///
    /// - Precondition: the caller runs on one of the client's loops.
    public var pool: ClientPool {
        for part in parts where part.loop.isCurrent { return part.pool }
        preconditionFailure("a client is used on one of its loops: in a handler there, or in `client.run { … }`")
    }

    /// Runs `body` on one of the client's loops, in turn, and gives back what it returns. From anywhere.
    public func run<Result: Sendable>(
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let index = nextPart.wrappingAdd(1, ordering: .relaxed).oldValue
        let loop = parts[Int(UInt(bitPattern: index) % UInt(parts.count))].loop
        return try await withTaskExecutorPreference(loop) { try await body() }
    }

    /// Takes no more requests, lets open exchanges finish for as long as `grace`, and closes all connections. From anywhere.
    public func stop(within grace: Duration = .seconds(10)) async {
        await withTaskGroup(of: Void.self) { group in
            for part in parts { group.addTask { await part.stop(within: grace) } }
        }
    }

    /// What the client holds and has counted, a snapshot for each loop.
    public func snapshot() async -> [LoopSnapshot] {
        var all: [LoopSnapshot] = []
        for part in parts { if let snapshot = await part.snapshot() { all.append(snapshot) } }
        return all
    }
}

/// A loop and the client's pool on it, which only the loop's thread touches for as long as there is one.
private final class ClientPart: @unchecked Sendable {
    let loop: EventLoop
    private let make: () -> ClientPool
    private var made: ClientPool?
    /// Whether what was open has been closed after the end of the loop, which any thread may do.
    private let abandoned = Lock(false)

    init(
        _ loop: EventLoop, _ configuration: ClientConfiguration, _ tls: TLSContext, _ tlsHTTP1: TLSContext,
        _ resolver: Resolver
    ) {
        self.loop = loop
        make = {
            ClientPool(
                loop: loop, configuration: configuration, tls: tls, tlsHTTP1: tlsHTTP1, resolver: resolver)
        }
    }

    var pool: ClientPool {
        if let made { return made }
        let pool = make()
        made = pool
        return pool
    }

    func stop(within grace: Duration) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let accepted = loop.execute { [self] in pool.stop(within: grace) { continuation.resume() } }
            guard !accepted else { return }
            abandoned.withLock { isAbandoned in
                if !isAbandoned { made?.abandon() }
                isAbandoned = true
            }
            continuation.resume()
        }
    }

    func snapshot() async -> LoopSnapshot? {
        await withCheckedContinuation { continuation in
            let accepted = loop.execute { [self] in continuation.resume(returning: pool.snapshot) }
            if !accepted { continuation.resume(returning: nil) }
        }
    }
}
