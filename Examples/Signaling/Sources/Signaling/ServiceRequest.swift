import Heliograph
import SignalingCore

/// One request to the service, from its head to its answer.
final class ServiceRequest: Handler {
    enum Action {
        case hello
        case bye(_ sid: String)
        case events(_ sid: String)
        case messages(_ sid: String)
    }

    private let service: LoopService
    private let action: Action
    private let id: RequestKey
    private var body: [UInt8] = []
    /// The node has it, or it was refused: what is left of its body does not matter.
    private var isTaken = false

    init(_ service: LoopService, _ action: Action) {
        self.service = service
        self.action = action
        id = service.node.nextRequest()
    }

    private var maxBody: Int {
        switch action {
        case .hello: service.limits.helloSize
        case .messages: service.limits.messageSize
        case .bye, .events: 0
        }
    }

    // MARK: Events

    func request(_ exchange: Exchange) {
        service.outlet.exchanges[id] = exchange
        switch action {
        case .events(let sid): openStream(exchange, sid)
        case .messages(let sid) where !exchange.headers.isJSON:
            let wrong = Problem.unsupportedMediaType.reply("messages are application/json")
            refuse(exchange, sid, wrong)
        case .messages, .hello, .bye: break
        }
    }

    func body(_ exchange: Exchange, _ chunk: RawSpan) {
        guard !isTaken else { return }
        guard body.count + chunk.byteCount <= maxBody else { return tooLarge(exchange) }
        unsafe chunk.withUnsafeBytes { unsafe body.append(contentsOf: $0) }
    }

    func end(_ exchange: Exchange) {
        guard !isTaken else { return }
        isTaken = true
        switch action {
        case .hello: hello()
        case .bye(let sid):
            service.node.deleteSession(id, session: sid, token: exchange.headers.bearerToken, now: service.now)
        case .messages(let sid):
            service.node.postMessages(
                id, session: sid, token: exchange.headers.bearerToken, body: body, now: service.now)
        case .events: break
        }
    }

    func drained(_ exchange: Exchange) { service.node.streamDrained(id, now: service.now) }

    func closed(_ exchange: Exchange, _ reason: CloseReason) {
        service.outlet.exchanges[id] = nil
        if case .events = action { service.node.streamClosed(id, now: service.now) }
    }

    // MARK: What they come to

    private func hello() {
        if let exchange = service.outlet.exchanges[id], let refusal = service.refusal(of: exchange) {
            return service.outlet.reply(id, refusal)
        }
        do throws(Hello.Refusal) {
            switch try Hello.body(body, limits: service.limits) {
            case .hello: greet()
            case .resume(let ticket, let last):
                service.node.resumeSession(id, ticket, after: last, from: address, now: service.now)
            }
        } catch {
            service.outlet.reply(id, error.problem.reply(error.detail))
        }
    }

    private var address: ClientAddress? { service.outlet.exchanges[id]?.clientAddress }

    private func greet() {
        service.identify(id, service.outlet.exchanges[id]?.headers.bearerToken) { [self] identity in
            service.node.createSession(id, identity, from: address, now: service.now)
        }
    }

    private func openStream(_ exchange: Exchange, _ sid: String) {
        guard let transport = exchange.headers.acceptedTransport else {
            let offer = "events come as text/event-stream, application/x-ndjson or application/json"
            refuse(exchange, sid, Problem.notAcceptable.reply(offer))
            return
        }
        isTaken = true
        let token: [UInt8]?
        switch service.credential(of: exchange, beside: exchange.headers.bearerToken) {
        case .failure(let refusal): return exchange.respond(refusal.reply)
        case .success(let found): token = found
        }
        let query = EventsQuery(exchange.query ?? "")
        let last = query.since ?? exchange.headers["last-event-id"].flatMap { EventID($0) }
        if transport == .poll {
            service.node.poll(id, session: sid, token: token, since: last, wait: query.wait, now: service.now)
        } else {
            service.node.openStream(id, session: sid, token: token, transport, after: last, now: service.now)
        }
    }

    private func tooLarge(_ exchange: Exchange) {
        let wrong = Problem.tooLarge.reply("the body is over \(maxBody) bytes")
        switch action {
        case .hello:
            isTaken = true
            exchange.respond(wrong)
        case .bye(let sid), .events(let sid), .messages(let sid): refuse(exchange, sid, wrong)
        }
    }

    private func refuse(_ exchange: Exchange, _ sid: String, _ reply: Reply) {
        isTaken = true
        body = []
        service.node.refuse(
            id, session: sid, token: exchange.headers.bearerToken, with: reply, now: service.now)
    }
}

extension HeaderBlock {
    /// The credential of `Authorization: Bearer` (RFC 6750 section 2.1); nil when there is none.
    var bearerToken: [UInt8]? {
        guard let text = self["authorization"] else { return nil }
        let parts = text.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return Array(parts[1].utf8)
    }

    var isJSON: Bool { mediaType == "application/json" }

    /// Of the content; in lower case, without parameters.
    var mediaType: String? {
        self["content-type"]?.prefix { $0 != ";" }.lowercased().filter { $0 != " " && $0 != "\t" }
    }

    /// What carries the events that the client takes most gladly; nil when it takes them as nothing that there is. Without a
    /// field, anything is accepted (RFC 9110 section 12.5.1).
    var acceptedTransport: Transport? {
        guard let accept = Accept(self) else { return .sse }
        let types: [(MediaType, Transport)] = [
            (.eventStream, .sse), (MediaType("application", "x-ndjson"), .ndjson), (.json, .poll),
        ]
        let best = accept.best(of: types.map(\.0))
        return types.first { $0.0 == best }?.1
    }
}
