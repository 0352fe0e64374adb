import Heliograph
import Logging
import SignalingCore
import SocketIO

/// The service on all loops: a node on each, mailboxes between them, and the server that brings the requests.
final class Service: Sendable {
    private let group: EventLoopGroup
    private let parts: [Part]
    private let server: Server
    /// For operators.
    private let admin: Server?
    /// What sends webhooks.
    private let client: Client?
    /// What fetches keys of tokens.
    private let keySets: KeySets
    private let drainTimeout: Duration
    private let logger: Logger
    private let reloader: Reloader?
    private let manager: ServiceManager

    /// What lives on one loop, and is touched by its thread only.
    private final class Part: @unchecked Sendable {
        let loop: EventLoop
        var service: LoopService?
        var watchdog: Watchdog?

        init(_ loop: EventLoop) { self.loop = loop }
    }

    /// Bytes of messages that wait in one mailbox.
    private static let mailboxCapacity = 4 * 1024 * 1024
    /// How long requests have to end when the service stops, once its sessions have gone.
    private static let stopGrace = Duration.seconds(5)
    /// How long a webhook that is on its way has then.
    private static let webhookGrace = Duration.seconds(2)

    /// - Parameter reloader: what SIGHUP reads again beside certificates.
    init(
        _ configuration: ServerConfiguration, limits: ServiceLimits, keys: TicketKeys,
        access: AccessConfiguration, operations: OperationsConfiguration, reloader: Reloader? = nil,
        manager: ServiceManager = ServiceManager(environment: [:])
    ) throws {
        let group = try EventLoopGroup(threads: configuration.threads)
        let mailboxes = Mailboxes<LoopMessage>(loops: group.loops, capacity: Self.mailboxCapacity)
        let parts = group.loops.map(Part.init)
        // Before any loop has a connection, and so something to tell another, all are ready to listen to each other.
        let logger = configuration.logger
        let webhooks = operations.webhooks
        let keySets = KeySets(on: group[0], logger: logger)
        var access = access
        access.remoteKeys = try keySets.start(access.keySource)
        let (first, granted) = (group[0], access)
        let rates = SharedRates(limits: limits, now: group[0].moment)
        let client = try webhooks.map { try Self.makeClient($0, on: group, logger: logger) }
        for part in parts {
            part.loop.execute {
                let sender: WebhookSender? =
                    if let webhooks, let client {
                        WebhookSender(webhooks, client: client, on: part.loop, logger: logger)
                    } else {
                        nil
                    }
                part.service = LoopService(
                    loop: part.loop, of: parts.count, mailboxes: mailboxes, limits: limits, keys: keys, rates: rates,
                    access: granted, webhooks: sender, logger: logger)
                if part.loop === first { part.service?.keySetMeasures = { keySets.measures } }
            }
        }
        let sockets = SocketIOServer(loops: group.loops, options: SocketIOStream.options(limits)) { _ in }
        for part in parts {
            part.loop.execute { part.service?.serveSocketIO(sockets.hub(on: part.loop)) }
        }
        self.client = client
        self.keySets = keySets
        drainTimeout = operations.drainTimeout
        self.group = group
        self.parts = parts
        self.logger = logger
        self.reloader = reloader
        self.manager = manager
        admin = operations.admin.map { admin in
            Self.makeAdmin(admin, beside: configuration, drainTimeout: operations.drainTimeout, parts)
        }
        server = Server(configuration) { loop in
            guard let service = parts[loop.index].service else {
                preconditionFailure("the loop runs what it was handed in order")
            }
            return service.makeRouter(logger: configuration.logger)
        }
    }

    private static func makeClient(
        _ webhooks: WebhookConfiguration, on group: EventLoopGroup, logger: Logger
    ) throws -> Client {
        var configuration = ClientConfiguration()
        configuration.trust = webhooks.trust
        configuration.limits.maxConnectionsPerOrigin = 1
        configuration.logger = logger
        return try Client(on: group, configuration: configuration)
    }

    /// Plaintext on loopback; elsewhere it has the certificate of the service.
    private static func makeAdmin(
        _ admin: AdminConfiguration, beside main: ServerConfiguration, drainTimeout: Duration, _ parts: [Part]
    ) -> Server {
        var configuration = ServerConfiguration(host: admin.host, port: admin.port)
        if let socket = admin.handedOver { configuration.endpoints = [.descriptor(socket.descriptor)] }
        configuration.security = admin.isLoopback ? .plaintext : main.security
        configuration.logger = main.logger
        return Server(configuration) { loop in
            guard let service = parts[loop.index].service else {
                preconditionFailure("the loop runs what it was handed in order")
            }
            return service.makeAdminRouter(admin, drainWithin: drainTimeout, logger: main.logger)
        }
    }

    /// Listens. Throws a ``ServerError``; then nothing is left behind.
    func start() throws {
        do {
            try server.start(on: group)
            for part in parts { part.loop.execute { [self] in part.service?.server = server } }
            try admin?.start(on: group)
        } catch {
            group.stop()
            throw error
        }
    }

    /// Where it listens; 0 before the start.
    var port: UInt16 { server.port ?? 0 }

    /// Where it listens for operators; nil when it does not.
    var adminPort: UInt16? { admin?.port }

    /// Lets signals end the service or renew its certificate. Returns when they do.
    func watchSignals() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            group[0].execute { [self] in
                watchSignals(on: group[0])
                parts[0].watchdog = manager.watchdog.map {
                    Watchdog(manager, loops: group.loops, every: $0 / 2)
                }
                manager.ready(status)
                continuation.resume()
            }
        }
    }

    private func watchSignals(on loop: EventLoop) {
        var stops = 0
        let signals = [Signals.interrupt, Signals.terminate, Signals.hangUp]
        let watcher = try? Signals(signals, on: loop) { [self] signal in
            // Files are read, which blocks: not on the loop.
            guard signal != Signals.hangUp else { return _ = Task { await reload() } }
            stops += 1
            manager.stopping(stops == 1 ? "sending sessions away" : "ending at once")
            if stops == 1 { drainAndStop() } else { stopNow() }
        }
        if watcher == nil { logger.error("signals cannot be watched: too many open files") }
    }

    /// Returns when the service has ended.
    func stopped() async {
        await server.stopped()
        parts[0].loop.execute { [self] in parts[0].watchdog = nil }
        await admin?.stop(within: .zero)
        await client?.stop(within: Self.webhookGrace)
        await keySets.stop()
        await group.stopped()
    }

    /// Sessions are told to go elsewhere, and their streams end; then connections close as soon as their last request is done.
    private func drainAndStop() {
        logger.notice("draining", metadata: ["within": "\(drainTimeout)"])
        Task {
            await withTaskGroup(of: Void.self) { group in
                for part in parts { group.addTask { [self] in await drain(part) } }
            }
            for part in parts { await endStreams(part) }
            await server.stop(within: Self.stopGrace)
        }
    }

    private func drain(_ part: Part) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isRunning = part.loop.execute { [self] in
                guard let service = part.service else { return continuation.resume() }
                service.drain(within: drainTimeout) { continuation.resume() }
            }
            if !isRunning { continuation.resume() }
        }
    }

    private func stopNow() {
        for part in parts { part.loop.execute { part.service?.endDraining() } }
        Task { await server.stop(within: .zero) }
    }

    /// Streams that draining has left would never end by themselves. Returns when their ends are sent: some clients hear
    /// nothing of a stream after GOAWAY.
    private func endStreams(_ part: Part) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isRunning = part.loop.execute {
                part.service?.endStreams()
                // What this iteration has written goes out at its end; this is the next one.
                if !part.loop.execute({ continuation.resume() }) { continuation.resume() }
            }
            if !isRunning { continuation.resume() }
        }
    }

    /// For people who ask the service manager.
    private var status: String { "listening at " + server.addresses.map(\.description).joined(separator: ", ") }

    private func reload() async {
        manager.reloading()
        defer { manager.ready(status) }
        let loaded = reloader?.reload()
        if let loaded { await replace(loaded) }
        do {
            let security = try loaded?.server(logger).security
            for listener in [server, admin].compactMap(\.self) {
                if let security {
                    try listener.reloadCertificates(from: security)
                } else {
                    try listener.reloadCertificates()
                }
            }
        } catch {
            logger.error("the certificate could not be read again, the old one stays", metadata: ["error": "\(error)"])
        }
    }

    private func replace(_ loaded: ServiceConfiguration) async {
        for part in parts {
            part.loop.execute {
                part.service?.adminToken = loaded.admin.token
                if let secret = loaded.webhooks.secret { part.service?.webhooks?.secret = secret }
            }
        }
        do {
            let limits = loaded.limits
            var access = try await loaded.access.configuration(limits: limits)
            access.remoteKeys = try await keySets.replace(by: access.keySource)
            let granted = access
            for part in parts {
                part.loop.execute {
                    part.service?.replaceLimits(limits)
                    part.service?.replaceAccess(granted)
                }
            }
        } catch {
            logger.error("a key is faulty, the old ones stay", metadata: ["error": "\(error)"])
        }
    }
}
