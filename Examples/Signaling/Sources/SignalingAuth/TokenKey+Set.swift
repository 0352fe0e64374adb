internal import FoundationEssentials
internal import JWTKit

extension TokenKey {
    /// The keys of a JSON Web Key Set (RFC 7517 section 5) that are of use: others are left out, as RFC 7517 wants.
    package static func set(_ json: [UInt8]) async throws(Failure) -> [TokenKey] {
        let set: Candidates
        do {
            set = try JSONDecoder().decode(Candidates.self, from: Data(json))
        } catch {
            throw Failure(description: "it is no JSON Web Key Set")
        }
        var keys: [TokenKey] = []
        for jwk in set.keys.compactMap(\.key) {
            if let key = await key(jwk) { keys.append(key) }
        }
        guard !keys.isEmpty else { throw Failure(description: "it has no key for RS256, ES256 or EdDSA") }
        return keys
    }

    private static func key(_ jwk: JWK) async -> TokenKey? {
        let algorithm: JWK.Algorithm
        switch jwk.keyType {
        case .rsa: algorithm = .rs256
        case .ecdsa where jwk.curve?.rawValue == "P-256": algorithm = .es256
        case .octetKeyPair where jwk.curve?.rawValue == "Ed25519": algorithm = .eddsa
        default: return nil
        }
        guard jwk.algorithm == nil || jwk.algorithm == algorithm else { return nil }
        var key = jwk
        key.algorithm = algorithm
        let id = key.keyIdentifier?.string
        if id == nil { key.keyIdentifier = JWKIdentifier(string: "") }
        let collection = JWTKeyCollection()
        guard (try? await collection.add(jwk: key)) != nil else { return nil }
        return TokenKey(algorithm: algorithm.rawValue, id: id, collection: collection)
    }

    /// A set of which some keys may be of kinds that nobody here knows.
    private struct Candidates: Decodable {
        let keys: [Candidate]
    }

    private struct Candidate: Decodable {
        let key: JWK?

        init(from decoder: any Decoder) { key = try? JWK(from: decoder) }
    }
}
