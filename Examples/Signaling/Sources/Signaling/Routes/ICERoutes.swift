import Heliograph
import SignalingAuth
import SignalingCore

extension LoopService {
    /// `GET /v1/ice?region=eu`: relays, and credentials for them, for who has a token.
    func iceRoutes(_ routes: Routes) {
        routes.get("/v1/ice") { [self] exchange in
            if let refusal = refusalOfURL(exchange) { return exchange.respond(refusal) }
            let region = exchange.queryFields.first { $0.name == "region" && $0.value != nil }?.value
            identify(exchange.headers.bearerToken) { [self] result in
                switch result {
                case .failure(let refusal): exchange.respond(refusal.reply)
                case .success(let identity): exchange.respond(ice(identity, region: region))
                }
            }
        }
    }

    private func ice(_ identity: Identity, region name: String?) -> Reply {
        let region = name == nil ? access.regions.first : access.regions.first { $0.name == name }
        guard region != nil || name == nil else { return Problem.noSuchRegion.reply("there is no such region") }
        return Reply.json(200, headers: [.init("cache-control", "no-store")]) { writer in
            if let region {
                writer.field("region", region.name)
                writer.field("ttl", region.lifetime)
            }
            writer.key("ice_servers")
            writer.raw(servers(of: region, for: identity))
        }
    }

    /// Those of the first region.
    func relays(for identity: Identity) -> [UInt8] { servers(of: access.regions.first, for: identity) }

    /// As ``relays(for:)``, as values of `Link`.
    func relayLinks(for identity: Identity) -> [String] {
        let server = access.regions.first?.credentials(for: identity.subject, unixSeconds: now.unixMilliseconds / 1000)
        return server?.links ?? []
    }

    private func servers(of region: TurnRegion?, for identity: Identity) -> [UInt8] {
        let server = region?.credentials(for: identity.subject, unixSeconds: now.unixMilliseconds / 1000)
        var writer = JSONWriter()
        writer.array { writer in
            guard let server else { return }
            writer.object { writer in
                writer.key("urls")
                writer.array { writer in for url in server.urls { writer.string(url) } }
                writer.field("username", server.username)
                writer.field("credential", server.credential)
            }
        }
        return writer.bytes
    }
}
