internal import JWTKit
package import SignalingCore

/// What a token says, as it stands there.
package struct TokenClaims: Codable, Sendable {
    package var iss: String?
    package var aud: Audience?
    package var sub: String?
    /// In seconds since 1970, as the others.
    package var exp: Double?
    package var nbf: Double?
    package var iat: Double?
    package var name: String?
    package var rooms: [String]?
    package var grants: [String]?
    package var maxPeers: Int?
    package var fingerprints: [String]?

    package init() {}

    enum CodingKeys: String, CodingKey {
        case iss, aud, sub, exp, nbf, iat, name, rooms, grants, fingerprints
        case maxPeers = "max_peers"
    }

    /// One text or several (RFC 7519 section 4.1.3).
    package struct Audience: Codable, Sendable {
        package let values: [String]

        package init(_ values: [String]) { self.values = values }

        package init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                values = [text]
            } else {
                values = try container.decode([String].self)
            }
        }

        package func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            if values.count == 1 { try container.encode(values[0]) } else { try container.encode(values) }
        }
    }
}

/// Claims as the library wants them.
struct TokenPayload: JWTPayload {
    let claims: TokenClaims

    init(_ claims: TokenClaims) { self.claims = claims }

    init(from decoder: any Decoder) throws { claims = try TokenClaims(from: decoder) }

    func encode(to encoder: any Encoder) throws { try claims.encode(to: encoder) }

    /// ``TokenVerifier`` looks at the claims: it knows what time it is.
    func verify(using algorithm: some JWTAlgorithm) {}
}

extension TokenClaims {
    /// What the claims give, within bounds.
    package func identity(limits: ServiceLimits) throws(TokenRefusal) -> Identity {
        guard let sub, let subject = Identifier(Array(sub.utf8), maxSize: limits.identifierSize) else {
            throw TokenRefusal(.tokenClaims, "sub is missing, or is not of 1 to \(limits.identifierSize) bytes")
        }
        var identity = Identity(subject: subject, rooms: try patterns(limits), grants: try allGrants())
        if let name {
            guard let text = Identifier(Array(name.utf8), maxSize: limits.identifierSize) else {
                throw TokenRefusal(.tokenClaims, "name is not of 1 to \(limits.identifierSize) bytes")
            }
            identity.name = text.utf8
        }
        if let maxPeers {
            guard maxPeers > 0 else { throw TokenRefusal(.tokenClaims, "max_peers is not above 0") }
            identity.maxPeers = maxPeers
        }
        identity.expires = exp.flatMap(Self.milliseconds)
        identity.fingerprints = try checkedFingerprints(limits)
        return identity
    }

    private func patterns(_ limits: ServiceLimits) throws(TokenRefusal) -> [RoomPattern] {
        let rooms = self.rooms ?? []
        guard rooms.count <= limits.tokenRooms else {
            throw TokenRefusal(.tokenClaims, "rooms has over \(limits.tokenRooms) patterns")
        }
        var patterns: [RoomPattern] = []
        for room in rooms {
            guard let pattern = RoomPattern(Array(room.utf8), maxSize: limits.identifierSize) else {
                throw TokenRefusal(.tokenClaims, "a pattern of rooms is not of 1 to \(limits.identifierSize) bytes")
            }
            patterns.append(pattern)
        }
        return patterns
    }

    private func allGrants() throws(TokenRefusal) -> Grants {
        guard let grants else { return .usual }
        var all: Grants = []
        for name in grants {
            guard let grant = Grants(name: name) else {
                throw TokenRefusal(.tokenClaims, "grants has one that is not join, call, publish, list or admin")
            }
            all.insert(grant)
        }
        return all
    }

    private func checkedFingerprints(_ limits: ServiceLimits) throws(TokenRefusal) -> [String] {
        let fingerprints = self.fingerprints ?? []
        guard fingerprints.count <= limits.tokenFingerprints,
            fingerprints.allSatisfy({ (1...limits.identifierSize * 2).contains($0.utf8.count) })
        else { throw TokenRefusal(.tokenClaims, "fingerprints has too many, or one that is too long") }
        return fingerprints
    }

    static func milliseconds(_ seconds: Double) -> Int64? {
        Int64(exactly: (seconds * 1000).rounded(.down))
    }
}
