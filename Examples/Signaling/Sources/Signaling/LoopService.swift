import Heliograph
import Logging
import SignalingCore
import SocketIO

/// The service on one loop: it brings requests to the node.
final class LoopService {
    let node: SignalingNode
    let outlet: LoopOutlet
    private(set) var limits: ServiceLimits
    let loop: EventLoop
    /// Socket.IO on this loop, when it is served.
    var sockets: SocketHub?
    private var ticker: LoopTimer?
    let monitor: LoopMonitor
    let webhooks: WebhookSender?
    private(set) var access: AccessConfiguration
    private let observer: LoopObserver
    /// The server of the service, once it runs: for its counters.
    var server: Server?
    private(set) lazy var drainTimer = LoopTimer(on: loop) { [unowned self] in drainStep() }
    /// What operators have to bring.
    var adminToken: Secret?
    /// Of the keys that the process fetches, on the loop that tells of them.
    var keySetMeasures: (() -> KeySetMeasures?)?
    /// Who waits for the end of draining.
    var drained: [() -> Void] = []

    init(
        loop: EventLoop, of loops: Int, mailboxes: Mailboxes<LoopMessage>, limits: ServiceLimits,
        keys: TicketKeys, rates: SharedRates, access: AccessConfiguration, webhooks: WebhookSender?, logger: Logger
    ) {
        self.loop = loop
        self.limits = limits
        self.access = access
        outlet = LoopOutlet(loop: loop, mailboxes: mailboxes, logger: logger)
        node = SignalingNode(
            loop: loop.index, of: loops, limits: limits, random: SystemRandomNumberGenerator(), signer: keys,
            rates: rates, epoch: UInt32(clamping: loop.moment.unixMilliseconds / 1000), now: loop.moment, outlet: outlet
        )
        monitor = LoopMonitor(on: loop)
        self.webhooks = webhooks
        observer = LoopObserver(webhooks: webhooks, logger: logger)
        node.observer = observer
        node.requiresToken = access.verifier != nil
        outlet.loopMeasures = { [unowned self] in measures() }
        outlet.relays = { [unowned self] identity in relays(for: identity) }
        outlet.relayLinks = { [unowned self] identity in relayLinks(for: identity) }
        outlet.verifyToken = { [unowned self] check in verify(check) }
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

    /// Names the connection of an exchange in the log.
    func name(of exchange: Exchange) -> String? { exchange.name(on: loop) }

    func replaceLimits(_ limits: ServiceLimits) {
        self.limits = limits
        node.replaceLimits(limits)
    }

    /// Who may come in from now on. Sessions that are there stay.
    func replaceAccess(_ access: AccessConfiguration) {
        self.access = access
        node.requiresToken = access.verifier != nil
    }

    /// Lets the client of a duplex stream in, if its credential is good. What it sends meanwhile waits.
    ///
    /// - Parameters:
    ///   - address: where it is.
    ///   - admitted: gets to know who it is, before it comes in.
    func greet(
        _ stream: StreamID, credential: [UInt8]?, from address: ClientAddress,
        admitted: @escaping (Identity) -> Void = { _ in }
    ) {
        node.hold(stream, now: now)
        identify(credential) { [unowned self] result in
            switch result {
            case .failure(let refusal): node.refuse(stream: stream, refusal.problem, refusal.detail, now: now)
            case .success(let identity):
                admitted(identity)
                node.greet(stream, identity, from: address, now: now)
            }
        }
    }

    func endStreams() {
        node.endStreams(now: now)
        sockets?.close()
    }

    /// What takes this loop's requests. Each topic has its routes in a file of its own.
    func makeRouter(logger: Logger) -> some Handler {
        let router = Router(on: loop, logger: logger) { routes in
            pageRoutes(routes)
            sessionRoutes(routes)
            iceRoutes(routes)
            whipRoutes(routes)
            streamRoutes(routes)
            socketIORoutes(routes)
            routes.answerTheRest()
        }
        return OriginGate(of: self, wrapping: router)
    }
}
