internal import JWTKit

extension TokenKey {
    /// A token of these claims. Throws when this is only the public half of a key.
    package func sign(_ claims: TokenClaims) async throws(Failure) -> String {
        do {
            var header = JWTHeader()
            if let id { header.kid = id }
            return try await collection.sign(TokenPayload(claims), header: header)
        } catch {
            throw Failure(description: "the key cannot sign: it takes the private one, or the secret")
        }
    }
}
