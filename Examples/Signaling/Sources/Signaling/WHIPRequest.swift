import Heliograph
import SignalingCore

/// One request of WHIP or WHEP, from its head to its answer.
final class WHIPRequest: Handler {
    enum Action {
        case options(acceptsPost: Bool)
        case offer(isEgress: Bool)
        case patch(_ resource: String)
        case delete(_ resource: String)
    }

    private let service: LoopService
    private let action: Action
    private let id: RequestKey
    private var room: RoomName?
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
        case .offer: service.limits.whipOffer
        case .patch: service.limits.whipFragment
        case .options, .delete: 0
        }
    }

    // MARK: Events

    func request(_ exchange: Exchange) {
        service.outlet.exchanges[id] = exchange
        room = exchange.parameter("room").flatMap { RoomName(Array($0.utf8), maxSize: service.limits.identifierSize) }
        guard room != nil else { return refuse(exchange, Problem.notFound.reply("this cannot be the name of a room")) }
        switch action {
        case .options(let acceptsPost): allow(exchange, acceptsPost)
        case .offer where !exchange.headers.isContent("application/sdp"):
            refuse(exchange, Self.wrongType("an offer is application/sdp", "accept-post", "application/sdp"))
        case .offer where !exchange.headers.accepts("application/sdp"):
            refuse(exchange, Problem.notAcceptable.reply("the answer is application/sdp"))
        case .patch where !exchange.headers.isContent(Self.fragment):
            refuse(exchange, Self.wrongType("a patch is \(Self.fragment)", "accept-patch", Self.fragment))
        case .offer, .patch, .delete: break
        }
    }

    func body(_ exchange: Exchange, _ chunk: RawSpan) {
        guard !isTaken else { return }
        guard body.count + chunk.byteCount <= maxBody else {
            return refuse(exchange, Problem.tooLarge.reply("the body is over \(maxBody) bytes"))
        }
        unsafe chunk.withUnsafeBytes { unsafe body.append(contentsOf: $0) }
    }

    func end(_ exchange: Exchange) {
        guard !isTaken, let room else { return }
        isTaken = true
        let token = exchange.headers.bearerToken
        switch action {
        case .options: break
        case .offer(let isEgress): offer(exchange, token, isEgress, room)
        case .patch(let resource):
            let ifMatch = exchange.headers["if-match"]
            service.node.callWHIP(
                id, resource: resource, room: room, token: token, .patch(ifMatch: ifMatch, fragment: body),
                now: service.now)
        case .delete(let resource):
            service.node.callWHIP(id, resource: resource, room: room, token: token, .delete, now: service.now)
        }
    }

    private func offer(_ exchange: Exchange, _ token: [UInt8]?, _ isEgress: Bool, _ room: RoomName) {
        if let refusal = service.refusal(of: exchange) { return exchange.respond(refusal) }
        service.identify(id, token) { [self] identity in
            service.node.openWHIP(
                id, identity, isEgress: isEgress, room: room, token: token, offer: body, now: service.now)
        }
    }

    func closed(_ exchange: Exchange, _ reason: CloseReason) {
        service.outlet.exchanges[id] = nil
        if case .offer = action, isTaken { service.node.whipClosed(id, now: service.now) }
    }

    // MARK: Answers

    private static let fragment = "application/trickle-ice-sdpfrag"

    private static func wrongType(_ detail: String, _ header: String, _ type: String) -> Reply {
        Problem.unsupportedMediaType.reply(detail, headers: [.init(header, type)])
    }

    /// Without a token it tells nothing of the room, nor of relays.
    private func allow(_ exchange: Exchange, _ acceptsPost: Bool) {
        isTaken = true
        service.identify(exchange.headers.bearerToken) { [self] result in
            guard !exchange.isClosed else { return }
            if acceptsPost, let room, case .success(let identity) = result, identity.mayEnter(room) {
                for link in service.relayLinks(for: identity) { exchange.addHeader("link", link) }
            }
            answer(exchange, acceptsPost)
        }
    }

    private func answer(_ exchange: Exchange, _ acceptsPost: Bool) {
        let methods = acceptsPost ? "POST, OPTIONS" : "PATCH, DELETE, OPTIONS"
        exchange.addHeader("allow", methods)
        exchange.addHeader(
            acceptsPost ? "accept-post" : "accept-patch", acceptsPost ? "application/sdp" : Self.fragment)
        exchange.respond(.ok)
    }

    private func refuse(_ exchange: Exchange, _ reply: Reply) {
        isTaken = true
        body = []
        guard let room, let resource else { return exchange.respond(reply) }
        // To those who may not know of the session, it says only that.
        let token = exchange.headers.bearerToken
        service.node.callWHIP(id, resource: resource, room: room, token: token, .refuse(reply), now: service.now)
    }

    private var resource: String? {
        switch action {
        case .patch(let resource), .delete(let resource): resource
        case .options, .offer: nil
        }
    }
}

extension HeaderBlock {
    fileprivate func isContent(_ type: String) -> Bool {
        guard let value = self["content-type"] else { return false }
        return (try? MediaType(parsing: value))?.essence == type
    }

    fileprivate func accepts(_ type: String) -> Bool {
        guard let value = self["accept"], let accept = try? Accept(parsing: value),
            let type = try? MediaType(parsing: type)
        else { return true }
        return accept.weight(of: type) > 0
    }
}
