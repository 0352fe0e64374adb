import Heliograph
import SignalingCore
import SocketIO

extension LoopService {
    /// Channels and users as the vocabulary's own servers list them, for operators: read only.
    func vocabularyRoutes(_ routes: Routes) {
        routes.get("/webrtc/details") { exchange in
            let version = exchange.queryFields.first { $0.name == "version" }?.value
            exchange.respond(data: version.map { .string($0) } ?? .null)
        }
        list(routes, "/session/all-sessions", .channels)
        list(routes, "/user/all-users", .users)
        list(routes, "/session/clients", .clients(nil))
        routes.get("/session/clients/{channelid}") { [self] exchange in
            answer(exchange, VocabularyEnquiry(.clients(exchange.parameter("channelid") ?? "")))
        }
        routes.get("/session/getsession/{channelid}") { [self] exchange in
            answer(exchange, VocabularyEnquiry(.channel(exchange.parameter("channelid") ?? "")))
        }
        routes.get("/user/getuser/{userid}") { [self] exchange in
            answer(exchange, VocabularyEnquiry(.user(exchange.parameter("userid") ?? "")))
        }
    }

    private func list(_ routes: Routes, _ path: String, _ subject: VocabularyEnquiry.Subject) {
        routes.get(path) { [self] exchange in
            guard let page = exchange.page else { return exchange.refusePage() }
            answer(exchange, VocabularyEnquiry(subject, cursor: page.cursor, limit: page.limit))
        }
    }

    private func answer(_ exchange: Exchange, _ enquiry: VocabularyEnquiry) {
        answer(enquiry, for: .operators) { result in
            switch result {
            case .success(let data): exchange.respond(data: data)
            case .failure(let refusal): exchange.respond(refusal.reply)
            }
        }
    }
}

extension Exchange {
    fileprivate func respond(data: SocketValue) {
        addHeader("cache-control", "no-store")
        let text = SocketJSON(["type": true, "data": data])?.bytes ?? []
        respond(.ok, contentType: "application/json", bytes: text)
    }
}
