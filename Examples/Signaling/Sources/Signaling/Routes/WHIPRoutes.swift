import Heliograph
import SignalingCore

extension LoopService {
    /// WHIP (RFC 9725) and WHEP: an offer by HTTP, which a peer of the room answers.
    func whipRoutes(_ routes: Routes) {
        for (path, isEgress) in [("/whip", false), ("/whep", true)] {
            routes.group(path) { routes in
                take(routes, .options, "/{room}") { _ in .options(acceptsPost: true) }
                take(routes, .options, "/{room}/{resource}") { _ in .options(acceptsPost: false) }
                take(routes, .post, "/{room}") { _ in .offer(isEgress: isEgress) }
                take(routes, .patch, "/{room}/{resource}") { exchange in
                    .patch(exchange.parameter("resource") ?? "")
                }
                take(routes, .delete, "/{room}/{resource}") { exchange in
                    .delete(exchange.parameter("resource") ?? "")
                }
            }
        }
    }

    private func take(
        _ routes: Routes, _ method: Method, _ pattern: String,
        _ action: @escaping (Exchange) -> WHIPRequest.Action
    ) {
        routes.on(method, pattern) { [self] exchange in exchange.hand(to: WHIPRequest(self, action(exchange))) }
    }
}
