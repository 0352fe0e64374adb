import Heliograph
import SignalingCore

/// Lets operators in, and keeps the pages of other sites out: a browser on the operator's machine reaches its loopback too.
final class AdminGate: Handler {
    /// Its token may change while it runs.
    private let service: LoopService
    private let isLoopback: Bool
    private let next: any Handler

    init(of service: LoopService, isLoopback: Bool, wrapping next: any Handler) {
        self.service = service
        self.isLoopback = isLoopback
        self.next = next
    }

    func request(_ exchange: Exchange) {
        if let refusal = refusal(of: exchange) { return exchange.respond(refusal) }
        exchange.hand(to: next)
    }

    private func refusal(of exchange: Exchange) -> Reply? {
        if let origin = exchange.headers["origin"], !origin.hasSuffix("://" + exchange.authority) {
            return Problem.forbidden.reply("pages of other origins may not ask this")
        }
        if isLoopback, !Self.isLocal(exchange.authority) {
            return Problem.forbidden.reply("on loopback, ask by an address of loopback or as localhost")
        }
        guard let token = service.adminToken else { return nil }
        guard let given = exchange.headers.bearerToken, token.matches(given) else {
            return Problem.unauthorized.reply("Authorization: Bearer with the admin token is missing or wrong")
        }
        return nil
    }

    /// A name that another site controls may lead here as well (DNS rebinding).
    private static func isLocal(_ authority: String) -> Bool {
        let host =
            authority.first == "["
            ? String(authority.dropFirst().prefix { $0 != "]" }) : String(authority.prefix { $0 != ":" })
        if host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
