import Heliograph
import Logging
import SignalingCore

extension LoopService {
    /// What takes the requests of operators on this loop.
    func makeAdminRouter(_ configuration: AdminConfiguration, drainWithin: Duration, logger: Logger) -> Router {
        adminToken = configuration.token
        return Router(on: loop, logger: logger) { routes in
            healthRoutes(routes)
            for (path, file) in WebFile.dashboard {
                routes.get(path) { exchange in
                    exchange.addHeader("referrer-policy", "no-referrer")
                    exchange.respond(file, images: "data:")
                }
            }
            let isLoopback = configuration.isLoopback
            routes.group(through: [{ [self] in AdminGate(of: self, isLoopback: isLoopback, wrapping: $0) }]) { routes in
                serve(routes, .get, "/metrics") { _, _ in .metrics }
                vocabularyRoutes(routes)
                routes.group("/v1") { routes in
                    serve(routes, .get, "/status") { _, _ in .status }
                    sessionAdminRoutes(routes)
                    roomAdminRoutes(routes)
                    drainRoutes(routes, within: drainWithin, logger: logger)
                    logRoutes(routes, logger: logger)
                }
            }
            routes.answerTheRest()
        }
    }

    /// For whoever restarts the process, or sends clients to it. They need no token and learn nothing else.
    private func healthRoutes(_ routes: Routes) {
        routes.get("/livez") { exchange in exchange.respondHealth(true, "ok") }
        routes.get("/startupz") { [self] exchange in
            exchange.respondHealth(access.isReady, access.isReady ? "ok" : Self.waitsForKeys)
        }
        routes.get("/readyz") { [self] exchange in
            let why = node.isDraining ? "draining" : Self.waitsForKeys
            let isReady = !node.isDraining && access.isReady
            exchange.respondHealth(isReady, isReady ? "ok" : why)
        }
    }

    private static let waitsForKeys = "waiting for the keys of tokens"

    private func sessionAdminRoutes(_ routes: Routes) {
        list(routes, "/sessions") { .sessions(cursor: $0, limit: $1) }
        serve(routes, .get, "/sessions/{sid}") { exchange, _ in .session(exchange.text("sid")) }
        serve(routes, .delete, "/sessions/{sid}") { exchange, _ in .endSession(exchange.text("sid")) }
        serve(routes, .get, "/sessions/{sid}/flight") { exchange, _ in .flight(exchange.text("sid")) }
        publish(routes, "/sessions/{sid}/messages") { .tellSession($0.text("sid"), body: $1) }
    }

    private func roomAdminRoutes(_ routes: Routes) {
        list(routes, "/rooms") { .rooms(cursor: $0, limit: $1) }
        serve(routes, .get, "/rooms/{room}") { exchange, _ in .room(exchange.bytes("room")) }
        serve(routes, .delete, "/rooms/{room}") { exchange, _ in .closeRoom(exchange.bytes("room")) }
        serve(routes, .delete, "/rooms/{room}/members/{sid}") { exchange, _ in
            .removeMember(room: exchange.bytes("room"), session: exchange.text("sid"))
        }
        publish(routes, "/rooms/{room}/messages") { .tellRoom($0.bytes("room"), body: $1) }
    }

    private func drainRoutes(_ routes: Routes, within: Duration, logger: Logger) {
        serve(routes, .get, "/drain") { _, _ in .drainState }
        serve(routes, .put, "/drain") { _, _ in
            logger.notice("an operator drains the node")
            return .drain(within: within)
        }
        serve(routes, .delete, "/drain") { _, _ in
            logger.notice("an operator lets the node take sessions again")
            return .undrain
        }
    }

    private func logRoutes(_ routes: Routes, logger: Logger) {
        routes.get("/log-level") { exchange in exchange.respondLogLevel() }
        routes.put("/log-level") { exchange in
            exchange.collectBody(upTo: 256) { exchange, body in
                let names = Logger.Level.allCases.map(\.rawValue)
                guard let field = JSONObject.string("level", in: body), let level = Logger.Level(rawValue: field) else {
                    exchange.respond(Problem.badRequest.reply("level is one of \(names.joined(separator: ", "))"))
                    return
                }
                logger.notice("an operator sets the level of the log", metadata: ["level": "\(level)"])
                LogThreshold.level = level
                exchange.respondLogLevel()
            }
        }
    }

    // MARK: How routes ask the node

    private func serve(
        _ routes: Routes, _ method: Method, _ pattern: String,
        _ request: @escaping (Exchange, LoopService) -> AdminRequest
    ) {
        routes.on(method, pattern) { [self] exchange in answer(exchange, request(exchange, self)) }
    }

    private func answer(_ exchange: Exchange, _ request: AdminRequest) {
        node.serve(request, now: now) { reply in exchange.respond(reply) }
        startDraining()
    }

    private func list(
        _ routes: Routes, _ pattern: String, _ request: @escaping (_ cursor: String?, _ limit: Int) -> AdminRequest
    ) {
        routes.get(pattern) { [self] exchange in
            guard let page = exchange.page else { return exchange.refusePage() }
            answer(exchange, request(page.cursor, page.limit))
        }
    }

    private func publish(
        _ routes: Routes, _ pattern: String, _ request: @escaping (Exchange, [UInt8]) -> AdminRequest
    ) {
        routes.post(pattern) { [self] exchange in
            guard exchange.headers.isJSON else {
                return exchange.respond(Problem.unsupportedMediaType.reply("a message is application/json"))
            }
            let length = exchange.headers["content-length"].flatMap { Int($0) } ?? 0
            guard length <= limits.messageSize else {
                return exchange.respond(Problem.tooLarge.reply("a message is at most \(limits.messageSize) bytes"))
            }
            exchange.collectBody(upTo: limits.messageSize) { [self] exchange, body in
                do throws(JSONError) {
                    try JSONObject.check(body, limits: limits)
                } catch {
                    return exchange.respond(Problem.badJSON.reply(error.description))
                }
                guard !body.isEmpty else { return exchange.respond(Problem.badJSON.reply("a message is an object")) }
                answer(exchange, request(exchange, body))
            }
        }
    }
}

extension Exchange {
    /// What of a list is asked for; nil when its limit is none.
    var page: (cursor: String?, limit: Int)? {
        let fields = Dictionary(queryFields.prefix(16).map { ($0, $1 ?? "") }) { _, last in last }
        let limit = fields["limit"].map { Int($0) ?? 0 } ?? AdminRequest.pageSize
        return (1...AdminRequest.maxPageSize).contains(limit) ? (fields["cursor"], limit) : nil
    }

    func refusePage() { respond(Problem.badRequest.reply("limit is from 1 to \(AdminRequest.maxPageSize)")) }

    fileprivate func text(_ name: String) -> String { parameter(name) ?? "" }

    fileprivate func bytes(_ name: String) -> [UInt8] { Array(text(name).utf8) }

    fileprivate func respondHealth(_ isWell: Bool, _ text: String) {
        addHeader("cache-control", "no-store")
        respond(isWell ? .ok : .serviceUnavailable, contentType: "text/plain", text + "\n")
    }

    fileprivate func respondLogLevel() {
        addHeader("cache-control", "no-store")
        respond(.ok, contentType: "application/json", "{\"level\":\"\(LogThreshold.level)\"}")
    }
}
