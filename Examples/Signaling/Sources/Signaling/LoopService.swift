import Heliograph
import Logging
import SignalingCore
import SocketIO

/// The service on one loop: it brings requests to the node.
final class LoopService {
    let node: SignalingNode
    let outlet: LoopOutlet
    let limits: ServiceLimits
    let loop: EventLoop
    /// Socket.IO on this loop, when it is served.
    var sockets: SocketHub?
    private var ticker: LoopTimer?
    let monitor: LoopMonitor
    let webhooks: WebhookSender?
    private let observer: LoopObserver
    /// The server of the service, once it runs: for its counters.
    var server: Server?
    private(set) lazy var drainTimer = LoopTimer(on: loop) { [unowned self] in drainStep() }
    /// Who waits for the end of draining.
    var drained: [() -> Void] = []

    init(
        loop: EventLoop, of loops: Int, mailboxes: Mailboxes<LoopMessage>, limits: ServiceLimits,
        keys: TicketKeys, webhooks: WebhookSender?, logger: Logger
    ) {
        self.loop = loop
        self.limits = limits
        outlet = LoopOutlet(loop: loop, mailboxes: mailboxes)
        node = SignalingNode(
            loop: loop.index, of: loops, limits: limits, random: SystemRandomNumberGenerator(), signer: keys,
            epoch: UInt32(clamping: loop.moment.unixMilliseconds / 1000), now: loop.moment, outlet: outlet)
        monitor = LoopMonitor(on: loop)
        self.webhooks = webhooks
        observer = LoopObserver(webhooks: webhooks, logger: logger)
        node.observer = observer
        outlet.loopMeasures = { [unowned self] in measures() }
        mailboxes.receive(on: loop) { [self] message in
            node.receive(message, now: now)
            startDraining()
        }
        let interval = min(Duration.seconds(1), limits.sessionGrace / 4)
        ticker = LoopTimer(on: loop) { [self] in
            ticker?.schedule(after: interval)
            node.tick(now: now)
        }
        ticker?.schedule(after: interval)
    }

    var now: Moment { loop.moment }

    /// Lets the client of a duplex stream in: without keys to check credentials by, anyone.
    func greet(_ stream: StreamID, credential: [UInt8]?) { node.greet(stream, now: now) }

    func endStreams() {
        node.endStreams(now: now)
        sockets?.close()
    }

    /// What takes this loop's requests. Each topic has its routes in a file of its own.
    func makeRouter(logger: Logger) -> Router {
        Router(on: loop, logger: logger) { routes in
            pageRoutes(routes)
            sessionRoutes(routes)
            streamRoutes(routes)
            socketIORoutes(routes)
            routes.otherwise { exchange in exchange.respond(Problem.notFound.reply("nothing is here")) }
            routes.methodNotAllowed { exchange in
                let allowed = exchange.responseHeaders["allow"] ?? ""
                exchange.respond(Problem.methodNotAllowed.reply("allowed here: \(allowed)"))
            }
        }
    }
}
