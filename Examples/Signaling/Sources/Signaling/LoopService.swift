import Glibc
import Heliograph
import SignalingCore

/// The service on one loop: it brings requests to the node.
final class LoopService: Handler {
    let node: SignalingNode
    let outlet: LoopOutlet
    let limits: ServiceLimits
    private let loop: EventLoop
    private var ticker: LoopTimer?

    init(loop: EventLoop, of loops: Int, mailboxes: Mailboxes<LoopMessage>, limits: ServiceLimits) {
        self.loop = loop
        self.limits = limits
        outlet = LoopOutlet(loop: loop, mailboxes: mailboxes)
        node = SignalingNode(
            loop: loop.index, of: loops, limits: limits, random: SystemRandomNumberGenerator(), now: loop.moment,
            outlet: outlet)
        mailboxes.receive(on: loop) { [self] message in node.receive(message, now: now) }
        let interval = min(Duration.seconds(1), limits.sessionGrace / 4)
        ticker = LoopTimer(on: loop) { [self] in
            ticker?.schedule(after: interval)
            node.tick(now: now)
        }
        ticker?.schedule(after: interval)
    }

    var now: Moment { loop.moment }

    func endStreams() { node.endStreams(now: now) }

    // MARK: Requests

    func request(_ exchange: Exchange) {
        guard let route = Route(exchange.path) else {
            exchange.respond(Problem.notFound.reply("nothing is here"))
            return
        }
        guard route.methods.contains(exchange.method) else {
            let allowed = route.methods.map(\.rawValue).joined(separator: ", ")
            let header = Reply.Header("allow", allowed)
            exchange.respond(Problem.methodNotAllowed.reply("allowed here: \(allowed)", headers: [header]))
            return
        }
        switch route {
        case .file(let file): exchange.respond(file)
        case .sessions: exchange.hand(to: ServiceRequest(self, .hello))
        case .session(let sid): exchange.hand(to: ServiceRequest(self, .bye(sid)))
        case .events(let sid): exchange.hand(to: ServiceRequest(self, .events(sid)))
        case .messages(let sid): exchange.hand(to: ServiceRequest(self, .messages(sid)))
        }
    }
}

/// What the node does with this loop's requests and the other loops.
final class LoopOutlet: NodeOutlet {
    /// Requests that are not answered, and streams that are open.
    var exchanges: [RequestKey: Exchange] = [:]
    private let loop: EventLoop
    private let mailboxes: Mailboxes<LoopMessage>

    init(loop: EventLoop, mailboxes: Mailboxes<LoopMessage>) {
        self.loop = loop
        self.mailboxes = mailboxes
    }

    func post(_ message: LoopMessage, to index: Int) -> Bool {
        mailboxes.post(message, size: message.size, from: loop, to: index)
    }

    func reply(_ request: RequestKey, _ reply: Reply) { exchanges[request]?.respond(reply) }

    func startStream(_ stream: StreamID, _ resumption: Resumption) {
        guard let exchange = exchanges[stream] else { return }
        exchange.addHeader("cache-control", "no-store")
        exchange.addHeader("signal-resumed", resumption.rawValue)
        exchange.start(.ok, contentType: "text/event-stream")
    }

    func write(_ stream: StreamID, _ bytes: [UInt8]) -> Bool { exchanges[stream]?.write(bytes) ?? false }

    func endStream(_ stream: StreamID) { exchanges[stream]?.finish() }
}

extension EventLoop {
    /// Now, by this loop's clock and by the calendar.
    var moment: Moment {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Moment(
            nanoseconds: now, unixMilliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }
}

extension Exchange {
    func respond(_ reply: Reply) {
        guard !isClosed, let status = Status(reply.status) else { return }
        for header in reply.headers { addHeader(header.name, header.value) }
        guard let contentType = reply.contentType else {
            respond(status)
            return
        }
        respond(status, contentType: contentType, bytes: reply.body)
    }
}
