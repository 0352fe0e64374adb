internal import FoundationEssentials
internal import JWTKit
package import SignalingCore

/// Finds out who a token was made for, and whether it is good now.
package struct TokenVerifier: Sendable {
    private var keys: [TokenKey]
    private let issuers: Set<String>
    private let audiences: Set<String>
    /// How far clocks may be apart, in seconds.
    private let leeway: Double
    private let limits: ServiceLimits

    /// - Parameters:
    ///   - keys: those of now and those of before; a token of any of them is good.
    ///   - issuers: who may have made the token: `iss`.
    ///   - audiences: whom it is for: one of them is in `aud`.
    package init(
        keys: [TokenKey], issuers: [String], audiences: [String], leeway: Double = 30, limits: ServiceLimits
    ) {
        self.keys = keys
        self.issuers = Set(issuers)
        self.audiences = Set(audiences)
        self.leeway = leeway
        self.limits = limits
    }

    /// The same with more keys.
    package func adding(_ more: [TokenKey]) -> TokenVerifier {
        var verifier = self
        verifier.keys += more
        return verifier
    }

    package func identity(_ token: [UInt8], unixMilliseconds: Int64) async -> Result<Identity, TokenRefusal> {
        do throws(TokenRefusal) {
            return .success(try await claims(token, unixMilliseconds: unixMilliseconds).identity(limits: limits))
        } catch {
            return .failure(error)
        }
    }

    /// The claims of a token that is good.
    package func claims(_ token: [UInt8], unixMilliseconds: Int64) async throws(TokenRefusal) -> TokenClaims {
        let (algorithm, id) = try header(token)
        let candidates = keys.filter {
            $0.algorithm == algorithm && ($0.id == nil || id == nil || $0.id == id)
        }
        guard !candidates.isEmpty else {
            throw TokenRefusal(.tokenKey, "there is no key for its alg and kid")
        }
        for key in candidates {
            guard let claims = try await verified(token, key) else { continue }
            try check(claims, now: Double(unixMilliseconds) / 1000)
            return claims
        }
        throw TokenRefusal(.tokenSignature, "its signature is of no key that is known")
    }

    /// Nil when the signature is not of the key.
    private func verified(_ token: [UInt8], _ key: TokenKey) async throws(TokenRefusal) -> TokenClaims? {
        do {
            return try await key.collection.verify(token, as: TokenPayload.self).claims
        } catch let error as JWTError where error.errorType == .malformedToken {
            throw TokenRefusal(.tokenClaims, "its claims are not of the types that they must be")
        } catch {
            return nil
        }
    }

    /// The header (RFC 7515 section 4), which decides about keys before anything is believed.
    private func header(_ token: [UInt8]) throws(TokenRefusal) -> (algorithm: String, id: String?) {
        guard token.count <= limits.tokenSize else {
            throw TokenRefusal(.tokenMalformed, "it has over \(limits.tokenSize) bytes")
        }
        let parts = token.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let bytes = Self.decode(parts[0]),
            let fields = try? JSONDecoder().decode(Header.self, from: bytes)
        else { throw TokenRefusal(.tokenMalformed, "it is not three parts in base64url with a header before them") }
        // RFC 7515 section 4.1.11: what must be understood and is not refuses the token.
        guard fields.crit == nil else { throw TokenRefusal(.tokenMalformed, "its header has crit") }
        return (fields.alg, fields.kid)
    }

    private struct Header: Decodable {
        let alg: String
        let kid: String?
        let crit: [String]?
    }

    private static func decode(_ text: ArraySlice<UInt8>) -> Data? {
        var base64 = text.map { letter in
            switch letter {
            case UInt8(ascii: "-"): UInt8(ascii: "+")
            case UInt8(ascii: "_"): UInt8(ascii: "/")
            default: letter
            }
        }
        while base64.count % 4 != 0 { base64.append(UInt8(ascii: "=")) }
        return Data(base64Encoded: Data(base64))
    }

    private func check(_ claims: TokenClaims, now: Double) throws(TokenRefusal) {
        guard let expires = claims.exp, TokenClaims.milliseconds(expires) != nil else {
            throw TokenRefusal(.tokenClaims, "exp is missing, or no time")
        }
        guard expires + leeway > now else { throw TokenRefusal(.tokenExpired, "it has expired") }
        if let start = claims.nbf, start - leeway > now {
            throw TokenRefusal(.tokenNotYetValid, "it is not good yet: see nbf")
        }
        guard let issuer = claims.iss, issuers.contains(issuer) else {
            throw TokenRefusal(.tokenIssuer, "iss is missing, or is nobody whom the service knows")
        }
        guard let audience = claims.aud, !audiences.isDisjoint(with: audience.values) else {
            throw TokenRefusal(.tokenAudience, "aud is missing, or does not name the service")
        }
    }
}
