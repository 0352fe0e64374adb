internal import HelioHTTP
internal import HelioReactor
internal import HelioTLS
internal import Logging

/// A server's part on one loop: its listeners, its connections and their handler. Loop thread.
final class LoopServer: ListenerDelegate, ConnectionKeeper {
    let loop: EventLoop
    let resources: LoopResources
    let handler: any Handler
    private let logger: Logger
    /// The contexts of connections that come; nil on plaintext.
    private(set) var tls: TLSContexts?
    private var endpoints: [(listener: Listener, endpoint: ServerConfiguration.Endpoint)] = []
    private var connections: ContiguousArray<Connection> = []
    private var isFull = false
    private var nextFullLog: UInt64 = 0
    private var nextProxyLog: UInt64 = 0
    private var stopped: (() -> Void)?
    private var deadline: LoopTimer?
    private var stopDeadline = UInt64.max
    private var reporter: MetricsReporter?

    private var budget: IterationBudget

    /// Nanoseconds.
    private static let logInterval: UInt64 = 10_000_000_000
    /// How long a listener that cannot be watched again waits for its next try.
    private static let resumePause = Duration.milliseconds(100)

    init(loop: EventLoop, limits: Limits, tls: TLSContexts?, handler: any Handler, logger: Logger) {
        self.loop = loop
        self.logger = logger
        self.handler = handler
        resources = LoopResources(limits: limits)
        budget = IterationBudget(handshakes: limits.maxHandshakesPerIteration)
        resources.webSockets = LoopWebSockets.resources(on: loop)
        self.tls = tls
        reporter = MetricsReporter(self)
    }

    func listen(on sockets: [(ListeningSocket, ServerConfiguration.Endpoint)]) throws(Errno) {
        for (socket, endpoint) in sockets {
            endpoints.append((try Listener(socket, on: loop, delegate: self), endpoint))
        }
    }

    func replace(_ tls: TLSContexts) { self.tls = tls }

    // MARK: Accepting

    func accepted(_ socket: consuming Socket, by listener: Listener) {
        guard let endpoint = endpoints.first(where: { $0.listener === listener })?.endpoint else { return }
        if case .required(let trusted) = endpoint.proxyProtocol {
            // One that is gone already, as a proxy's look whether this server is well may be, has no address any more.
            guard let peer = try? socket.peerAddress() else { return }
            guard trusted.contains(where: { $0.contains(peer) }) else {
                resources.counters.proxyRefusals += 1
                proxyRefused("the connection came from an address that is not trusted")
                return
            }
        }
        let connection = Connection(socket, keeper: self)
        do {
            try connection.open {
                ConnectionCore(
                    resources: resources, tls: tls?[endpoint.versions], options: endpoint.connectionOptions,
                    handler: handler, owner: $0, now: loop.now)
            }
        } catch {
            logger.warning("a connection could not be watched", metadata: ["error": "\(error)"])
            return
        }
        resources.counters.accepted += 1
        resources.counters.open += 1
        connection.serial = resources.counters.accepted
        connection.slot = connections.count
        connections.append(connection)
        guard connections.count >= resources.limits.maxConnectionsPerLoop, !isFull else { return }
        isFull = true
        resources.trip(.connections)
        for (listener, _) in endpoints { listener.pauseAccepting() }
        // One that comes for each that goes would fill the log.
        guard loop.now >= nextFullLog else { return }
        nextFullLog = loop.now &+ Self.logInterval
        logger.warning(
            "this loop is full: accepting pauses until a connection closes",
            metadata: ["loop": "\(loop.index)", "connections": "\(connections.count)"])
    }

    func acceptingPaused(_ listener: Listener, _ error: Errno) {
        logger.error(
            "accepting pauses: raise the limit of open files (ulimit -n) or lower maxConnectionsPerLoop",
            metadata: ["listener": "\(listener.address)", "error": "\(error)"])
    }

    /// Mostly a client that came past the proxy, or a proxy that is not told to send a header.
    func proxyRefused(_ reason: String) {
        guard loop.now >= nextProxyLog else { return }
        nextProxyLog = loop.now &+ Self.logInterval
        logger.warning("a connection that should be a proxy's was closed", metadata: ["reason": "\(reason)"])
    }

    // MARK: What is bounded per iteration

    func admitsHandshake(inTurn: Bool) -> Bool { budget.admitsHandshake(in: loop.iteration, inTurn: inTurn) }

    func admitsClose() -> Bool { budget.admitsClose(in: loop.iteration) }

    // MARK: Closing

    func closed(_ connection: Connection) {
        resources.counters.open -= 1
        let slot = connection.slot
        let last = connections.removeLast()
        if slot < connections.count {
            connections[slot] = last
            last.slot = slot
        }
        if isFull, stopped == nil {
            isFull = false
            for (listener, _) in endpoints { resume(listener) }
        }
        if stopped != nil, connections.isEmpty { finishStopping() }
    }

    private func resume(_ listener: Listener) {
        do {
            try listener.resumeAccepting()
        } catch {
            logger.error("accepting could not go on", metadata: ["error": "\(error)"])
            loop.schedule(after: Self.resumePause) { [self] in if !isFull { resume(listener) } }
        }
    }

    /// Accepts no more, lets open streams finish, and closes what is left after `grace`. A second call with a shorter time
    /// hurries the first; one with a longer time changes nothing.
    func stop(within grace: Duration, _ done: @escaping () -> Void) {
        for (listener, _) in endpoints { listener.close() }
        endpoints.removeAll()
        let earlier = stopped
        stopped = {
            earlier?()
            done()
        }
        if earlier == nil {
            resources.webSockets?.closeAll(.goingAway)
            for connection in connections { connection.beginShutdown() }
        }
        if connections.isEmpty { return finishStopping() }
        let end = loop.now &+ grace.nanoseconds
        guard end < stopDeadline else { return }
        stopDeadline = end
        deadline?.cancel()
        deadline = loop.schedule(after: grace) { [self] in
            for connection in connections { connection.beginClose(.shutdown) }
        }
    }

    /// The loop has ended, and nothing of the server runs on it any more: what it left open is closed, on any one thread.
    func abandon() {
        for (listener, _) in endpoints { listener.close() }
        endpoints.removeAll()
        stopped = stopped ?? {}
        for connection in connections { connection.abandon() }
        finishStopping()
    }

    private func finishStopping() {
        deadline?.cancel()
        deadline = nil
        reporter?.stop()
        reporter = nil
        let done = stopped
        stopped = {}
        done?()
    }

    /// What it holds now, for operators and tests.
    var snapshot: LoopSnapshot {
        LoopSnapshot(
            connections: resources.counters, http: resources.http.counterSnapshot(),
            nghttp2Blocks: resources.http2.liveBlocks, timers: loop.armedTimers,
            descriptors: loop.watchedDescriptors)
    }
}

/// What a server holds and has counted on one loop, at one moment.
public struct LoopSnapshot: Sendable {
    public let connections: ConnectionCounters
    public let http: HTTPCounters
    /// Blocks of memory that HTTP/2 sessions hold.
    public let nghttp2Blocks: Int
    /// Timers that are armed on the loop, the server's or not.
    public let timers: Int
    /// Descriptors that the loop watches, the server's or not.
    public let descriptors: Int
}
