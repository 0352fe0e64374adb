public import HelioHTTP
public import HelioReactor
internal import HelioTLS

/// A client's part on one loop: its connections by origin. What is asked here stays here, without a lock. Loop thread.
///
/// ```swift
/// final class Print: ClientHandler {
///     func closed(_ exchange: ClientExchange, _ error: ClientError?) { print(exchange.status, error ?? "done") }
/// }
/// let client = try Client(on: group)
/// loop.execute {
///     _ = try? client.pool.send(ClientRequest(authority: "example.org"), to: Print())
/// }
/// ```
public final class ClientPool {
    public let loop: EventLoop
    let configuration: ClientConfiguration
    let tls: TLSContext
    /// Offers HTTP/1.1 alone: for WebSockets to servers that carry none over HTTP/2.
    let tlsHTTP1: TLSContext
    /// What the WebSockets of this loop share.
    private(set) lazy var webSockets = LoopWebSockets.resources(on: loop)
    let resolver: Resolver
    let resources: LoopResources
    let http: HTTPClientResources
    let http2: HTTP2ClientResources
    let queueTimeout: UInt64
    /// The handler of exchanges that tasks wait for.
    let asyncReceiver = AsyncReceiver()
    private var origins: [Origin: OriginPool] = [:]
    private var originsOfHTTP1: [Origin: OriginPool] = [:]
    private var last: (scheme: String, authority: String, origin: OriginPool)?
    private var budget: IterationBudget
    private var nextLocalAddress = 0
    private(set) var isStopping = false
    private var stopped: [() -> Void] = []
    private var deadline: LoopTimer?

    init(
        loop: EventLoop, configuration: ClientConfiguration, tls: TLSContext, tlsHTTP1: TLSContext, resolver: Resolver
    ) {
        self.tlsHTTP1 = tlsHTTP1
        self.loop = loop
        self.configuration = configuration
        self.tls = tls
        self.resolver = resolver
        let transport = configuration.limits.transport
        resources = LoopResources(limits: transport)
        http = HTTPClientResources(limits: configuration.limits)
        http2 = HTTP2ClientResources(http)
        queueTimeout = configuration.limits.queueTimeout.nanoseconds
        budget = IterationBudget(handshakes: transport.maxHandshakesPerIteration)
    }

    /// Sends a request.
    ///
    /// - Parameters:
    ///   - handler: gets the response's events, and `closed` at the end in any case.
    ///   - isStreamed: the body follows by the exchange's `write` and ends by its `finish`; the request's own body goes in front.
    /// - Returns: the exchange; it need not be kept.
    /// - Throws: ``HelioHTTP/ClientError``: `invalidRequest`, `stopped`, or `limit(.queuedRequests)`. Then `handler` is not called.
    @discardableResult
    public func send(
        _ request: ClientRequest, to handler: any ClientHandler, isStreamed: Bool = false
    ) throws(ClientError) -> ClientExchange {
        guard !isStopping else { throw .stopped }
        try request.check()
        let origin = try origin(of: request)
        guard origin.hasRoomToWait() else {
            http.trip(.queuedRequests)
            throw .limit(.queuedRequests)
        }
        let exchange = http.makeExchange(request, handler: handler, isStreamed: isStreamed, now: loop.now)
        origin.submit(exchange)
        return exchange
    }

    /// What the client holds and has counted on this loop.
    public var snapshot: LoopSnapshot {
        LoopSnapshot(
            connections: resources.counters, http: http.counterSnapshot(), nghttp2Blocks: http2.liveBlocks,
            timers: loop.armedTimers, descriptors: loop.watchedDescriptors)
    }

    // MARK: Origins

    private func origin(of request: ClientRequest) throws(ClientError) -> OriginPool {
        // Most requests of a loop are for one origin: no name is taken apart twice.
        if let last, last.authority == request.authority, last.scheme == request.scheme { return last.origin }
        let key = try request.origin()
        let found: OriginPool
        if let known = origins[key] {
            found = known
        } else {
            if origins.count >= max(1, configuration.limits.maxOrigins) { forgetIdleOrigins() }
            found = OriginPool(key, self)
            origins[key] = found
        }
        last = (request.scheme, request.authority, found)
        return found
    }

    /// Connections of HTTP/1.1 alone to an origin that speaks HTTP/2 too.
    func originOfHTTP1(_ key: Origin) -> OriginPool {
        if let known = originsOfHTTP1[key] { return known }
        if originsOfHTTP1.count >= max(1, configuration.limits.maxOrigins) { forgetIdleOrigins() }
        let made = OriginPool(key, self, isHTTP1Only: true)
        originsOfHTTP1[key] = made
        return made
    }

    private func forgetIdleOrigins() {
        last = nil
        origins = origins.filter { !$0.value.isIdle }
        originsOfHTTP1 = originsOfHTTP1.filter { !$0.value.isIdle }
    }

    private var allOrigins: [OriginPool] { Array(origins.values) + Array(originsOfHTTP1.values) }

    func connectOptions() -> ConnectOptions {
        var options = ConnectOptions(timeout: configuration.limits.connectTimeout)
        let addresses = configuration.localAddresses
        guard !addresses.isEmpty else { return options }
        options.localAddress = addresses[nextLocalAddress % addresses.count]
        nextLocalAddress += 1
        return options
    }

    func admitsHandshake(inTurn: Bool) -> Bool { budget.admitsHandshake(in: loop.iteration, inTurn: inTurn) }
    func admitsClose() -> Bool { budget.admitsClose(in: loop.iteration) }

    // MARK: The end

    /// Takes no more requests, lets open exchanges finish, and closes what is left after `grace`.
    func stop(within grace: Duration, _ done: @escaping () -> Void) {
        stopped.append(done)
        if !isStopping {
            isStopping = true
            for origin in allOrigins { origin.beginShutdown() }
        }
        guard !finishIfIdle() else { return }
        deadline?.cancel()
        deadline = loop.schedule(after: grace) { [self] in for origin in allOrigins { origin.beginClose() } }
    }

    /// The loop has ended, and nothing of the client runs on it any more.
    func abandon() {
        isStopping = true
        for origin in allOrigins { origin.abandon() }
        finish()
    }

    func connectionEnded(_ origin: OriginPool) {
        if isStopping { _ = finishIfIdle() }
    }

    func connectingEnded() {
        if isStopping { _ = finishIfIdle() }
    }

    private func finishIfIdle() -> Bool {
        guard allOrigins.allSatisfy(\.isIdle) else { return false }
        finish()
        return true
    }

    private func finish() {
        deadline?.cancel()
        deadline = nil
        last = nil
        // They hold this pool as it holds them.
        for origin in allOrigins { origin.end() }
        origins = [:]
        originsOfHTTP1 = [:]
        let all = stopped
        stopped = []
        for done in all { done() }
    }
}
