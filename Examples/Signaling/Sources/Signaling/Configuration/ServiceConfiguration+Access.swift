import ArgumentParser
import SignalingAuth
import SignalingCore

extension ServiceConfiguration {
    /// Who may come in.
    struct Access: Sendable {
        /// Of HS256 tokens.
        var secret: Secret?
        /// The one before, whose tokens are still good.
        var previousSecret: Secret?
        /// In development mode for other machines: of this run alone.
        var runSecret: Secret?
        var keyFiles: [String] = []
        /// The path of a file, or a URL.
        var keySet: String?
        /// The bounds of one that comes from a URL.
        var keySetBounds = KeySetSource(url: "")
        var audiences = ["signaling"]
        var issuers = ["signaling"]
        /// How far the clocks of issuers may be apart from ours.
        var leeway = Duration.seconds(30)
        /// Whether clients may send them in URLs.
        var tokensInURLs = false
        /// Of pages that may use the service beside its own.
        var origins: [String] = []
        /// Relays of regions; the first is for clients that name none.
        var turn: [TurnSetting] = []
    }
}

extension ServiceConfiguration.Access {
    /// Whether the operator has given any.
    var hasKeys: Bool { secret != nil || !keyFiles.isEmpty || keySet != nil }

    /// Where keys come from that do not stand in files.
    var keySource: KeySetSource? {
        guard let keySet, KeySetSource.isURL(keySet) else { return nil }
        let bounds = keySetBounds
        return KeySetSource(
            url: keySet, interval: bounds.interval, maxAge: bounds.maxAge, timeout: bounds.timeout,
            maxPause: bounds.maxPause, size: bounds.size, keys: bounds.keys)
    }

    /// Reads keys and secrets.
    func configuration(limits: ServiceLimits) async throws -> AccessConfiguration {
        var access = AccessConfiguration(origins: Set(origins.map { $0.lowercased() }))
        let keys = try await keys()
        access.keySource = keySource
        if !keys.isEmpty || keySource != nil { access.verifier = verifier(keys, limits) }
        access.takesTokensInURLs = tokensInURLs
        access.regions = turn.map(\.region)
        return access
    }

    func verifier(_ keys: [TokenKey], _ limits: ServiceLimits) -> TokenVerifier {
        let (seconds, attoseconds) = leeway.components
        return TokenVerifier(
            keys: keys, issuers: issuers, audiences: audiences, leeway: Double(seconds) + Double(attoseconds) / 1e18,
            limits: limits)
    }

    func keys() async throws -> [TokenKey] {
        var keys: [TokenKey] = []
        for secret in [secret, previousSecret, runSecret].compactMap(\.self) {
            keys.append(
                try await Self.naming(secret.path) { () throws(TokenKey.Failure) in try await .secret(secret.bytes) })
        }
        for path in keyFiles {
            let text = String(decoding: try KeyFile.read(path), as: UTF8.self)
            keys.append(try await Self.naming(path) { () throws(TokenKey.Failure) in try await .pem(text) })
        }
        if let keySet, !KeySetSource.isURL(keySet) {
            let json = try KeyFile.read(keySet)
            keys += try await Self.naming(keySet) { () throws(TokenKey.Failure) in try await TokenKey.set(json) }
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
}

/// A file with keys.
enum KeyFile {
    /// At most 1 MiB.
    static func read(_ path: String) throws -> [UInt8] {
        do throws(FileError) {
            return try FileReader.read(path, maxSize: 1 << 20)
        } catch {
            throw ValidationError("\(path) cannot be read: \(error.reason)")
        }
    }

    /// Without the newline at its end.
    static func secret(_ path: String) throws -> [UInt8] {
        var bytes = try read(path)
        while let last = bytes.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") { bytes.removeLast() }
        return bytes
    }
}
