internal import Glibc
public import HelioHTTP
public import HelioReactor
public import HelioTLS
internal import Logging

/// A server: loops on threads of their own, listeners, and handlers made once for each loop.
///
/// ```swift
/// final class Hello: Handler {
///     func request(_ exchange: Exchange) { exchange.respond(.ok, contentType: "text/plain", "Hello, World!") }
/// }
/// let server = Server(ServerConfiguration(port: 8443)) { _ in Hello() }
/// try await server.run()
/// ```
///
/// All methods may be called from any thread, but not ``stopAndWait(within:)`` from a loop's.
public final class Server: Sendable {
    private let configuration: ServerConfiguration
    private let makeHandler: @Sendable (EventLoop) -> any Handler
    private let tickets = SessionTickets()
    private let state = Lock(State())

    private struct State {
        var isStarted = false
        var isStopped = false
        var parts: [LoopPart] = []
        /// The loops, where they are the server's own.
        var ownGroup: EventLoopGroup?
        var addresses: [SocketAddress] = []
        var waiters: [CheckedContinuation<Void, Never>] = []
        /// Where certificates are read, where that is not what the configuration says any more.
        var security: TransportSecurity?
    }

    /// A server with a handler for each loop.
    ///
    /// - Parameter makeHandler: called once on each loop's thread, when the server starts.
    public init(
        _ configuration: ServerConfiguration = ServerConfiguration(),
        makeHandler: @escaping @Sendable (_ loop: EventLoop) -> any Handler
    ) {
        self.configuration = configuration
        self.makeHandler = makeHandler
    }

    /// A server with one async closure for all requests; see ``AsyncHandler``.
    ///
    /// ```swift
    /// let server = Server { exchange in
    ///     let body = try await exchange.collectBody(upTo: 1 << 20)
    ///     exchange.respond(.ok, contentType: "text/plain", "\(body.count) bytes")
    /// }
    /// ```
    @_disfavoredOverload
    public convenience init(
        _ configuration: ServerConfiguration = ServerConfiguration(),
        handler: @escaping @Sendable (Exchange) async throws -> Void
    ) {
        let logger = configuration.logger
        self.init(configuration) { loop in AsyncHandler(loop: loop, logger: logger, handler) }
    }

    // MARK: Starting

    /// Listens, and returns when connections are accepted. Not from a loop's thread: it waits for the loops.
    ///
    /// - Parameter group: loops that the caller owns; nil makes the server's own, as many as the configuration says.
    /// - Throws: ``ServerError``; then nothing is left behind, and it may be tried again.
    public func start(on group: EventLoopGroup? = nil) throws(ServerError) {
        let isFirst = state.withLock { state in
            defer { state.isStarted = true }
            return !state.isStarted
        }
        guard isFirst else { throw .alreadyStarted }
        do throws(ServerError) {
            try startFirst(on: group)
        } catch {
            state.withLock { $0.isStarted = $0.isStopped }
            throw error
        }
    }

    private func startFirst(on group: EventLoopGroup?) throws(ServerError) {
        let tls = try TLSMaterial.configuration(for: configuration, tickets: tickets).map(contexts)
        let loops: EventLoopGroup
        if let group { loops = group } else { loops = try makeGroup() }
        precondition(!loops.loops.contains { $0.isCurrent }, "a server is not started from a thread of its loops")
        let parts = loops.loops.map(LoopPart.init)
        let bound: Binding
        do throws(ServerError) {
            bound = try Binding.bind(configuration.endpoints, loops: loops.count)
            try start(parts, tls: tls, bound)
        } catch {
            tearDown(parts, owned: group == nil ? loops : nil)
            throw error
        }
        let wasStopped = state.withLock { state in
            guard !state.isStopped else { return true }
            state.parts = parts
            state.addresses = bound.addresses
            state.ownGroup = group == nil ? loops : nil
            return false
        }
        // Stopped by another thread in the meantime.
        if wasStopped { return tearDown(parts, owned: group == nil ? loops : nil) }
        for address in addresses {
            configuration.logger.info(
                "listening", metadata: ["address": "\(address)", "tls": "\(tls != nil)", "loops": "\(loops.count)"])
        }
    }

    private func makeGroup() throws(ServerError) -> EventLoopGroup {
        do {
            return try EventLoopGroup(threads: configuration.threads, pinning: configuration.pinsThreads)
        } catch {
            throw .resources(error)
        }
    }

    private func start(_ parts: [LoopPart], tls: TLSContexts?, _ bound: Binding) throws(ServerError) {
        let failure = Self.onEach(parts) { [self] part in
            let server = LoopServer(
                loop: part.loop, limits: configuration.limits, tls: tls, handler: makeHandler(part.loop),
                logger: configuration.logger)
            part.server = server
            do throws(Errno) {
                try server.listen(on: bound.sockets(for: part.loop.index))
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw .resources(failure) }
    }

    /// Ends what a start that came to nothing has begun.
    private func tearDown(_ parts: [LoopPart], owned: EventLoopGroup?) {
        _ = Self.onEach(parts) { part in
            part.server?.stop(within: .zero) {}
            part.server = nil
            return nil
        }
        owned?.stop()
    }

    /// Runs `body` on each loop and waits for all. Returns the first error, ECANCELED for a loop that has ended.
    private static func onEach(_ parts: [LoopPart], _ body: @escaping @Sendable (LoopPart) -> Errno?) -> Errno? {
        let progress = ConditionLock<(left: Int, error: Errno?)>((parts.count, nil))
        for part in parts {
            let finish: @Sendable (Errno?) -> Void = { error in
                progress.signal { state in
                    state.left -= 1
                    state.error = state.error ?? error
                }
            }
            if !part.loop.execute({ finish(body(part)) }) { finish(Errno(ECANCELED, in: "start")) }
        }
        return progress.wait { $0.left == 0 ? .some($0.error) : nil }
    }

    /// Where it listens, with the ports that the kernel chose.
    public var addresses: [SocketAddress] { state.withLock { $0.addresses } }

    /// The port of the first TCP address; nil before the start, and when there is none.
    public var port: UInt16? { addresses.lazy.compactMap(\.port).first }

    var firstLoop: EventLoop? { state.withLock { $0.parts.first?.loop } }

    var logger: Logger { configuration.logger }

    // MARK: Certificates

    /// Reads the certificate's files again. Each loop takes the new certificate for the connections that it accepts from its
    /// next iteration on; no connection is dropped.
    ///
    /// - Throws: ``ServerError``; then the old one stays in use.
    public func reloadCertificates() throws(ServerError) {
        try reloadCertificates(from: state.withLock { $0.security } ?? configuration.security)
    }

    /// As ``reloadCertificates()``, from other files, which later calls of that read too.
    ///
    /// ```swift
    /// let server = Server(ServerConfiguration(host: "::", port: 8443)) { exchange in exchange.respond(.noContent) }
    /// try server.start()
    /// try server.reloadCertificates(from: .certificate(chain: "/etc/ssl/2027.pem", key: "/etc/ssl/2027.key"))
    /// ```
    ///
    /// A server that speaks plaintext goes on so, and one that speaks TLS does not change to plaintext: then nothing is done.
    ///
    /// - Throws: ``ServerError``; then the old certificate and the old files stay in use.
    public func reloadCertificates(from security: TransportSecurity) throws(ServerError) {
        if case .plaintext = configuration.security { return }
        var changed = configuration
        changed.security = security
        guard let tls = try TLSMaterial.configuration(for: changed, tickets: tickets) else { return }
        replace(try contexts(tls))
        state.withLock { $0.security = security }
    }

    /// Takes another TLS configuration for new connections, as ``reloadCertificates()`` does.
    public func replaceTLS(_ tls: TLSConfiguration) throws(ServerError) {
        replace(try contexts(tls))
    }

    private func contexts(_ tls: TLSConfiguration) throws(ServerError) -> TLSContexts {
        try TLSContexts(tls, for: configuration.endpoints)
    }

    private func replace(_ tls: TLSContexts) {
        for part in state.withLock({ $0.parts }) { part.loop.execute { part.server?.replace(tls) } }
        configuration.logger.info("certificates replaced")
    }

    // MARK: Running and stopping

    /// Starts, and returns when the server has stopped. Cancelling the task stops it gracefully.
    ///
    /// - Parameter grace: how long open streams have to finish then.
    public func run(stoppingWithin grace: Duration = .seconds(30)) async throws {
        try start()
        await withTaskCancellationHandler {
            await stopped()
        } onCancel: {
            Task { await stop(within: grace) }
        }
    }

    /// Waits until it has stopped.
    public func stopped() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if !state.isStopped { state.waiters.append(continuation) }
                return state.isStopped
            }
            if isOver { continuation.resume() }
        }
    }

    /// Stops gracefully: no new connections, GOAWAY, open streams finish, connections close; what is left after `grace` is
    /// closed. Returns when nothing is left. A second call with a shorter time hurries the first.
    public func stop(within grace: Duration = .seconds(30)) async {
        let (parts, isOver) = state.withLock { ($0.parts, $0.isStopped) }
        guard !isOver else { return }
        if parts.isEmpty { return await finishStopping() }
        configuration.logger.info("stopping", metadata: ["grace": "\(grace)"])
        await withTaskGroup(of: Void.self) { group in
            for part in parts { group.addTask { await part.stop(within: grace) } }
        }
        await finishStopping()
    }

    private func finishStopping() async {
        await state.withLock { $0.ownGroup }?.stopped()
        let (isFirst, waiters) = state.withLock { state in
            defer {
                state.isStarted = true
                state.isStopped = true
                state.waiters = []
            }
            return (!state.isStopped, state.waiters)
        }
        for waiter in waiters { waiter.resume() }
        if isFirst { configuration.logger.info("stopped") }
    }

    /// What the server holds and has counted on one loop, without waiting; nil when it does not run there. On the loop's thread.
    public func snapshot(on loop: EventLoop) -> LoopSnapshot? {
        assert(loop.isCurrent, "ask on the thread of the loop")
        return state.withLock { state in state.parts.first { $0.loop === loop } }?.server?.snapshot
    }

    /// What the server holds and has counted, a snapshot for each loop.
    public func snapshot() async -> [LoopSnapshot] {
        var all: [LoopSnapshot] = []
        for part in state.withLock({ $0.parts }) {
            if let snapshot = await part.snapshot() { all.append(snapshot) }
        }
        return all
    }
}

/// A loop and the server's part on it, which only the loop's thread touches for as long as there is one.
private final class LoopPart: @unchecked Sendable {
    let loop: EventLoop
    var server: LoopServer?
    /// Whether what was open has been closed after the end of the loop, which any thread may do.
    private let abandoned = Lock(false)

    init(_ loop: EventLoop) { self.loop = loop }

    func stop(within grace: Duration) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let accepted = loop.execute { [self] in
                guard let server else { return continuation.resume() }
                server.stop(within: grace) { continuation.resume() }
            }
            guard !accepted else { return }
            abandoned.withLock { isAbandoned in
                if !isAbandoned { server?.abandon() }
                isAbandoned = true
            }
            continuation.resume()
        }
    }

    func snapshot() async -> LoopSnapshot? {
        await withCheckedContinuation { continuation in
            let accepted = loop.execute { [self] in continuation.resume(returning: server?.snapshot) }
            if !accepted { continuation.resume(returning: nil) }
        }
    }
}
