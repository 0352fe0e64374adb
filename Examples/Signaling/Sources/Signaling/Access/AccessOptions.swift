import ArgumentParser
import Glibc
import SignalingAuth
import SignalingCore

/// The flags that say who may come in.
struct AccessOptions: ParsableArguments {
    @Option(help: "A file with the secret of HS256 tokens, of at least 32 bytes.") var tokenSecretFile: String?
    @Option(help: "A file with the secret before that, whose tokens are still good.")
    var tokenPreviousSecretFile: String?
    @Option(help: "A PEM file with a public key of tokens: RSA, P-256 or Ed25519. May be repeated.")
    var tokenKeyFile: [String] = []
    @Option(help: "A file with public keys of tokens, as a JSON Web Key Set.") var tokenJwksFile: String?
    @Option(help: "Whom tokens are for: their aud. May be repeated. [default: signaling]")
    var tokenAudience: [String] = []
    @Option(help: "Who makes tokens: their iss. May be repeated. [default: signaling]") var tokenIssuer: [String] = []
    @Option(help: ArgumentHelp("How far the clocks of issuers may be apart from ours.", valueName: "seconds"))
    var tokenLeeway = 30.0
    @Option(
        help: """
            An origin whose pages may use the service, such as https://app.example. May be repeated. Its own may always.
            """
    )
    var allowOrigin: [String] = []
    @Option(
        help: ArgumentHelp(
            "Relays of a region: 'NAME SECRET-FILE SECONDS URL…', separated by spaces. May be repeated; the first is the default.",
            valueName: "region"))
    var turn: [String] = []

    func validate() throws {
        guard (0...3600).contains(tokenLeeway) else {
            throw ValidationError("--token-leeway is from 0 to 3600 seconds")
        }
        for origin in allowOrigin {
            let parts = origin.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 3, ["https:", "http:"].contains(parts[0]), parts[1].isEmpty, !parts[2].isEmpty else {
                throw ValidationError(
                    "--allow-origin \(origin) is no origin: https://host, and the port if it is not 443")
            }
        }
        guard tokenSecretFile != nil || tokenPreviousSecretFile == nil else {
            throw ValidationError("--token-previous-secret-file is of use beside --token-secret-file only")
        }
    }

    func configuration(limits: ServiceLimits) async throws -> AccessConfiguration {
        var access = AccessConfiguration(origins: Set(allowOrigin.map { $0.lowercased() }))
        let keys = try await keys()
        if !keys.isEmpty { access.verifier = verifier(keys, limits) }
        access.regions = try turn.map(Self.region)
        return access
    }

    func verifier(_ keys: [TokenKey], _ limits: ServiceLimits) -> TokenVerifier {
        TokenVerifier(
            keys: keys, issuers: tokenIssuer.isEmpty ? ["signaling"] : tokenIssuer,
            audiences: tokenAudience.isEmpty ? ["signaling"] : tokenAudience, leeway: tokenLeeway, limits: limits)
    }

    func keys() async throws -> [TokenKey] {
        var keys: [TokenKey] = []
        for path in [tokenSecretFile, tokenPreviousSecretFile].compactMap(\.self) {
            let bytes = try Self.read(path)
            keys.append(try await Self.naming(path) { () throws(TokenKey.Failure) in try await .secret(bytes) })
        }
        for path in tokenKeyFile {
            let text = String(decoding: try Self.read(path), as: UTF8.self)
            keys.append(try await Self.naming(path) { () throws(TokenKey.Failure) in try await .pem(text) })
        }
        if let tokenJwksFile {
            let json = try Self.read(tokenJwksFile)
            keys += try await Self.naming(tokenJwksFile) { () throws(TokenKey.Failure) in try await TokenKey.set(json) }
        }
        return keys
    }

    private static func naming<Value: Sendable>(
        _ path: String, _ make: () async throws(TokenKey.Failure) -> Value
    ) async throws -> Value {
        do {
            return try await make()
        } catch {
            throw ValidationError("\(path): \(error)")
        }
    }

    private static func region(_ text: String) throws -> TurnRegion {
        let parts = text.split(separator: " ").map(String.init)
        guard parts.count >= 4, let lifetime = Int(parts[2]), (60...604_800).contains(lifetime),
            parts[3...].allSatisfy({ $0.hasPrefix("turn:") || $0.hasPrefix("turns:") })
        else {
            throw ValidationError(
                "--turn '\(text)' is not 'NAME SECRET-FILE SECONDS URL…' with 60 to 604800 seconds and turn: or turns: URLs"
            )
        }
        let secret = try Secret.read(parts[1], for: "secret of TURN", atLeast: 1)
        return TurnRegion(name: parts[0], urls: Array(parts[3...]), secret: secret.bytes, lifetime: lifetime)
    }

    /// At most 1 MiB.
    static func read(_ path: String) throws -> [UInt8] {
        guard let file = unsafe fopen(path, "re") else { throw unreadable(path) }
        defer { unsafe fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = unsafe fread(&bytes, 1, bytes.count, file)
        guard unsafe ferror(file) == 0 else { throw unreadable(path) }
        return Array(bytes[..<count])
    }

    private static func unreadable(_ path: String) -> ValidationError {
        ValidationError(unsafe "\(path) cannot be read: \(String(cString: strerror(errno)))")
    }
}
