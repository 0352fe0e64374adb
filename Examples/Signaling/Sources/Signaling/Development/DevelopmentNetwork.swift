import Heliograph
import SignalingAuth
import SignalingCore

/// Development mode for other machines of the network, such as a phone: asked for by name, and with a key that is this run's alone, so that
/// it lets in those who have its link and nobody else.
struct DevelopmentNetwork: Sendable {
    /// Signs the tokens of its links.
    let secret: Secret
    let room: String
    /// Where others reach this machine, without brackets.
    let addresses: [String]

    /// How long the token of a link is good, in seconds.
    static let lifetime = 3600

    /// - Parameter addresses: those of this machine.
    init(addresses: [String] = LocalAddresses.reachable) {
        self.addresses = addresses
        var random = SystemRandomNumberGenerator()
        secret = Secret(bytes: TicketKeys.makeKey().dropLast())
        room = "try-" + String(UInt32.random(in: .min ... .max, using: &random), radix: 36)
    }

    /// All addresses.
    var host: String { LocalAddresses.hasIPv6 ? "::" : "0.0.0.0" }

    /// A certificate for these addresses, which is kept between runs.
    var security: TransportSecurity {
        get throws(ServerError) {
            let paths = try DevelopmentCertificate.paths(in: nil, alsoFor: addresses)
            return .certificate(chain: paths.chain, key: paths.key)
        }
    }

    /// Links to the room, each with a token of its own: for this machine, and for each address.
    ///
    /// - Parameter seconds: now, since 1970.
    func links(port: UInt16, issuer: String, audience: String, seconds: Int64) async throws -> [String] {
        let key = try await TokenKey.secret(secret.bytes)
        var links: [String] = []
        for (index, address) in (["localhost"] + addresses).enumerated() {
            var claims = TokenClaims()
            claims.iss = issuer
            claims.aud = .init([audience])
            claims.sub = "guest-\(index)"
            claims.iat = Double(seconds)
            claims.exp = Double(seconds + Int64(Self.lifetime))
            claims.rooms = [room]
            let host = address.contains(":") ? "[\(address)]" : address
            links.append("https://\(host):\(port)/#\(room)?token=\(try await key.sign(claims))")
        }
        return links
    }
}
