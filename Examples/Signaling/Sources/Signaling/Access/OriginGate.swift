import Heliograph
import SignalingCore

/// Keeps pages of other origins out, whatever transport they take: browsers ask nobody before they open a WebSocket.
///
/// Who sends no `origin` is no page of another origin. The service's own is the one that the request was sent to.
final class OriginGate: Handler {
    /// Those that are allowed may change while it runs.
    private let service: LoopService
    private let next: any Handler

    init(of service: LoopService, wrapping router: any Handler) {
        self.service = service
        next = CORS(
            .matching { service.access.origins.contains($0.lowercased()) },
            headers: ["authorization", "content-type", "if-match", "last-event-id"],
            exposed: ["accept-patch", "etag", "link", "location", "retry-after", "signal-resumed"],
            maxAge: .seconds(600), wrapping: router)
    }

    func request(_ exchange: Exchange) {
        let allowed = service.access.origins
        guard let origin = exchange.headers["origin"]?.lowercased(), !allowed.contains(origin),
            !Self.isOwn(origin, exchange.authority.lowercased())
        else { return exchange.hand(to: next) }
        exchange.addHeader("vary", "origin")
        exchange.respond(Problem.originNotAllowed.reply("pages of this origin may not use the service"))
    }

    /// Whatever the scheme is: a proxy in front may have ended TLS.
    static func isOwn(_ origin: String, _ authority: String) -> Bool {
        let schemes = [("https://", ":443"), ("http://", ":80")]
        return schemes.contains { scheme, port in
            origin.hasPrefix(scheme)
                && [authority, authority + port].contains { name in
                    origin.dropFirst(scheme.count) == name || origin.dropFirst(scheme.count) + port == name
                }
        }
    }
}
