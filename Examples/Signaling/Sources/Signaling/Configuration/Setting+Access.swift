import SignalingAuth
import SignalingCore

extension Setting {
    static let access: [Setting] = [
        Setting(
            "token-secret-file", \.access.secret, optional: .secret(atLeast: 32),
            "A file with the secret of HS256 tokens, of at least 32 bytes.", .whileRunning),
        Setting(
            "token-previous-secret-file", \.access.previousSecret, optional: .secret(atLeast: 32),
            "A file with the secret before that, whose tokens are still good.", .whileRunning),
        Setting(
            "token-key-file", \.access.keyFiles, list: .path,
            "PEM files with public keys of tokens: RSA, P-256 or Ed25519.", .whileRunning),
        Setting(
            "token-jwks", \.access.keySet, optional: .keySet,
            "Public keys of tokens, as a JSON Web Key Set: a file, or the https URL at which an issuer has them.",
            .whileRunning),
        Setting(
            "token-jwks-interval", \.access.keySetBounds.interval, .time(.milliseconds(100)...hour),
            "The least time between two fetches of keys from a URL.", .whileRunning, audience: .tuning),
        Setting(
            "token-jwks-age", \.access.keySetBounds.maxAge, .time(.milliseconds(100)...day * 30),
            "How long keys from a URL are fresh at most, and when its Cache-Control does not say.", .whileRunning,
            audience: .tuning),
        Setting(
            "token-jwks-timeout", \.access.keySetBounds.timeout, .time(.milliseconds(100)...hour),
            "How long a fetch of keys may take.", .whileRunning, audience: .tuning),
        Setting(
            "token-audience", \.access.audiences, list: .text, "Whom tokens are for: their aud.", .whileRunning),
        Setting("token-issuer", \.access.issuers, list: .text, "Who makes tokens: their iss.", .whileRunning),
        Setting(
            "token-leeway", \.access.leeway, .time(.zero...hour),
            "How far the clocks of issuers may be apart from ours.", .whileRunning),
        Setting(
            "tokens-in-urls", \.access.tokensInURLs, .onOff,
            "Takes ?access_token= of events and WebSockets too, for clients that cannot set fields. Proxies and histories see it.",
            .whileRunning),
        Setting(
            "token-warning", \.limits.tokenWarning, .time(.zero...hour),
            "How long before its token expires a session is told.", .whileRunning, audience: .tuning),
        Setting(
            "duplicate-identity", \.limits.duplicateIdentity, .duplicates,
            "How many sessions a token's subject may have; replace ends the one before for the next.", .whileRunning),
        Setting(
            "denied-sessions", \.limits.deniedSessions, .integer(1...10_000_000),
            "Sessions of one event loop that were ended, and whose tickets are refused.", .atStart, audience: .tuning),
        Setting(
            "allow-origin", \.access.origins, list: .origin, unset: "the service's own",
            "Origins whose pages may use the service beside its own.", .whileRunning),
        Setting(
            "turn", \.access.turn, list: .relays,
            "Relays of a region: 'NAME SECRET-FILE SECONDS URL…'; the first region is the default.", .whileRunning),
        Setting(
            "sdp-policy", \.limits.sdpPolicies, .policies,
            "What descriptions and candidates may say in rooms; the first rule whose rooms match counts.",
            .whileRunning),
    ]
}

extension SettingFormat where Value == String {
    /// A file with keys, or where to fetch them.
    static let keySet = SettingFormat(
        "the path of a file, an https URL, or an http URL on loopback",
        read: { text throws(BadValue) in
            guard !text.isEmpty, !KeySetSource.isURL(text) || KeySetSource.isGoodURL(text) else { throw BadValue() }
            return text
        }, write: { $0 })

    /// As a browser writes it.
    static let origin = SettingFormat(
        "an origin such as https://app.example, with its port if that is not 443",
        read: { text throws(BadValue) in
            let parts = text.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 3, ["https:", "http:"].contains(parts[0]), parts[1].isEmpty, !parts[2].isEmpty else {
                throw BadValue()
            }
            return text
        }, write: { $0 })

}

extension SettingFormat where Value == DuplicateIdentity {
    static let duplicates = SettingFormat(
        "allow, allow(N) with up to 1000000, reject, which is allow(1), or replace",
        read: { text throws(BadValue) in
            guard let value = DuplicateIdentity(text) else { throw BadValue() }
            return value
        }, write: { "\($0)" })
}

extension SettingFormat where Value == SDPPolicies {
    /// Rules for the rooms of patterns.
    static let policies = SettingFormat(
        allowed: "any number of: a rule such as 'private-*: relay-only, media=4'; see Documentation/Policy.md",
        shape: .list, unset: "none",
        read: { texts throws(BadValue) in
            do throws(SDPPolicies.InvalidRule) {
                return try SDPPolicies(texts)
            } catch {
                throw BadValue(reason: error.description)
            }
        }, write: { $0.rules })
}

/// Relays of a region, as they are set. Their secret is read when the configuration is.
struct TurnSetting: Sendable {
    let text: String
    let region: TurnRegion
}

extension SettingFormat where Value == TurnSetting {
    static let relays = SettingFormat(
        "'NAME SECRET-FILE SECONDS URL…' with 60 to 604800 seconds and turn: or turns: URLs",
        read: { text throws(BadValue) in
            let parts = text.split(separator: " ").map(String.init)
            guard parts.count >= 4, let lifetime = Int(parts[2]), (60...604_800).contains(lifetime),
                parts[3...].allSatisfy({ $0.hasPrefix("turn:") || $0.hasPrefix("turns:") })
            else { throw BadValue() }
            let secret = try SettingFormat<Secret>.secret().read([parts[1]])
            let region = TurnRegion(
                name: parts[0], urls: Array(parts[3...]), secret: secret.bytes, lifetime: lifetime)
            return TurnSetting(text: text, region: region)
        }, write: { $0.text })
}
