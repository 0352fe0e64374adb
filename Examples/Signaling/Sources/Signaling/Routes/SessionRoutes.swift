import Heliograph

extension LoopService {
    /// Sessions: their beginning and end, their events, their messages.
    func sessionRoutes(_ routes: Routes) {
        routes.group("/v1/sessions") { routes in
            take(routes, .post, "") { _ in .hello }
            take(routes, .delete, "/{sid}") { sid in .bye(sid) }
            take(routes, .get, "/{sid}/events") { sid in .events(sid) }
            take(routes, .post, "/{sid}/messages") { sid in .messages(sid) }
        }
    }

    private func take(
        _ routes: Routes, _ method: Method, _ pattern: String, _ action: @escaping (String) -> ServiceRequest.Action
    ) {
        routes.on(method, pattern) { [self] exchange in
            exchange.hand(to: ServiceRequest(self, action(exchange.parameter("sid") ?? "")))
        }
    }
}
