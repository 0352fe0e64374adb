internal import JWTKit

/// A key that signs tokens, or the public half of one that does.
package struct TokenKey: Sendable {
    /// The only algorithm that it is used for, so that no token chooses another.
    package let algorithm: String
    /// Which tokens name it; without one, all of its algorithm may be of it.
    package let id: String?
    let collection: JWTKeyCollection

    /// Why a key is of no use.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// Shorter secrets can be guessed. In bytes.
    package static let shortestSecret = 32

    /// For HS256: the bytes, without white space at the end.
    package static func secret(_ bytes: [UInt8], id: String? = nil) async throws(Failure) -> TokenKey {
        var bytes = bytes
        while let last = bytes.last, [0x20, 0x09, 0x0A, 0x0D].contains(last) { bytes.removeLast() }
        guard bytes.count >= shortestSecret else {
            throw Failure(description: "the secret has fewer than \(shortestSecret) bytes")
        }
        let collection = JWTKeyCollection()
        await collection.add(hmac: HMACKey(from: bytes), digestAlgorithm: .sha256)
        return TokenKey(algorithm: "HS256", id: id, collection: collection)
    }

    /// A key in PEM, public or private: RSA for RS256, P-256 for ES256, Ed25519 for EdDSA.
    package static func pem(_ text: String, id: String? = nil) async throws(Failure) -> TokenKey {
        let collection = JWTKeyCollection()
        let isPrivate = text.contains("PRIVATE KEY-----")
        if let key: any EdDSAKey = isPrivate ? try? EdDSA.PrivateKey(pem: text) : try? EdDSA.PublicKey(pem: text) {
            await add(eddsa: key, to: collection)
            return TokenKey(algorithm: "EdDSA", id: id, collection: collection)
        }
        if let key: any ECDSAKey = isPrivate ? try? ES256PrivateKey(pem: text) : try? ES256PublicKey(pem: text) {
            await add(ecdsa: key, to: collection)
            return TokenKey(algorithm: "ES256", id: id, collection: collection)
        }
        if let key: any RSAKey = isPrivate
            ? try? Insecure.RSA.PrivateKey(pem: text) : try? Insecure.RSA.PublicKey(pem: text)
        {
            await add(rsa: key, to: collection)
            return TokenKey(algorithm: "RS256", id: id, collection: collection)
        }
        throw Failure(description: "it is no PEM of an RSA key of 2048 bits or more, a P-256 key or an Ed25519 key")
    }

    private static func add(eddsa key: some EdDSAKey, to keys: JWTKeyCollection) async { await keys.add(eddsa: key) }

    private static func add(ecdsa key: some ECDSAKey, to keys: JWTKeyCollection) async { await keys.add(ecdsa: key) }

    private static func add(rsa key: some RSAKey, to keys: JWTKeyCollection) async {
        await keys.add(rsa: key, digestAlgorithm: .sha256)
    }
}
