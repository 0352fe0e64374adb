import Heliograph
import Logging
import SignalingCore
import SocketIO

/// The service on all loops: a node on each, mailboxes between them, and the server that brings the requests.
final class Service: Sendable {
    private let group: EventLoopGroup
    private let parts: [Part]
    private let server: Server
    private let logger: Logger

    /// What lives on one loop, and is touched by its thread only.
    private final class Part: @unchecked Sendable {
        let loop: EventLoop
        var service: LoopService?

        init(_ loop: EventLoop) { self.loop = loop }
    }

    /// Bytes of messages that wait in one mailbox.
    private static let mailboxCapacity = 4 * 1024 * 1024
    /// How long requests have to end when the service stops.
    private static let stopGrace = Duration.seconds(10)

    init(_ configuration: ServerConfiguration, limits: ServiceLimits) throws {
        let group = try EventLoopGroup(threads: configuration.threads)
        let mailboxes = Mailboxes<LoopMessage>(loops: group.loops, capacity: Self.mailboxCapacity)
        let parts = group.loops.map(Part.init)
        // Before any loop has a connection, and so something to tell another, all are ready to listen to each other.
        for part in parts {
            part.loop.execute {
                part.service = LoopService(loop: part.loop, of: parts.count, mailboxes: mailboxes, limits: limits)
            }
        }
        let sockets = SocketIOServer(loops: group.loops, options: SocketSignaling.options) { io in
            SocketSignaling.setUp(io)
        }
        for part in parts { part.loop.execute { part.service?.sockets = sockets.hub(on: part.loop) } }
        self.group = group
        self.parts = parts
        logger = configuration.logger
        server = Server(configuration) { loop in
            guard let service = parts[loop.index].service else {
                preconditionFailure("the loop runs what it was handed in order")
            }
            return service.makeRouter(logger: configuration.logger)
        }
    }

    /// Listens. Throws a ``ServerError``; then nothing is left behind.
    func start() throws {
        do {
            try server.start(on: group)
        } catch {
            group.stop()
            throw error
        }
    }

    /// Where it listens; 0 before the start.
    var port: UInt16 { server.port ?? 0 }

    /// Lets signals end the service or renew its certificate. Returns when they do.
    func watchSignals() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            group[0].execute { [self] in
                watchSignals(on: group[0])
                continuation.resume()
            }
        }
    }

    private func watchSignals(on loop: EventLoop) {
        var stops = 0
        let signals = [Signals.interrupt, Signals.terminate, Signals.hangUp]
        let watcher = try? Signals(signals, on: loop) { [self] signal in
            guard signal != Signals.hangUp else { return reload() }
            stops += 1
            stop(within: stops == 1 ? Self.stopGrace : .zero)
        }
        if watcher == nil { logger.error("signals cannot be watched: too many open files") }
    }

    /// Returns when the service has ended.
    func stopped() async {
        await server.stopped()
        await group.stopped()
    }

    /// Event streams would never end by themselves; without them connections close as soon as their last request is done.
    private func stop(within grace: Duration) {
        Task {
            for part in parts { await endStreams(part) }
            await server.stop(within: grace)
        }
    }

    /// Returns when the ends of the streams are sent: some clients hear nothing of a stream after GOAWAY.
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

    private func reload() {
        do {
            try server.reloadCertificates()
        } catch {
            logger.error("the certificate could not be read again, the old one stays", metadata: ["error": "\(error)"])
        }
    }
}
