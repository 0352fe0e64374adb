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
            "token-jwks-file", \.access.keySetFile, optional: .path,
            "A file with public keys of tokens, as a JSON Web Key Set.", .whileRunning),
        Setting(
            "token-audience", \.access.audiences, list: .text, "Whom tokens are for: their aud.", .whileRunning),
        Setting("token-issuer", \.access.issuers, list: .text, "Who makes tokens: their iss.", .whileRunning),
        Setting(
            "token-leeway", \.access.leeway, .time(.zero...hour),
            "How far the clocks of issuers may be apart from ours.", .whileRunning),
        Setting(
            "allow-origin", \.access.origins, list: .origin, unset: "the service's own",
            "Origins whose pages may use the service beside its own.", .whileRunning),
        Setting(
            "turn", \.access.turn, list: .relays,
            "Relays of a region: 'NAME SECRET-FILE SECONDS URL…'; the first region is the default.", .whileRunning),
        Setting(
            "sdp-policy", \.sdpPolicies, list: .policy,
            "What descriptions and candidates may say in rooms; the first rule whose rooms match counts.",
            .whileRunning),
    ]
}

extension SettingFormat where Value == String {
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

    /// Of a region. Its secret is read when the service starts.
    static let relays = SettingFormat(
        "'NAME SECRET-FILE SECONDS URL…' with 60 to 604800 seconds and turn: or turns: URLs",
        read: { text throws(BadValue) in
            guard (try? TurnRegion(setting: text)) != nil else { throw BadValue() }
            return text
        }, write: { $0 })

    /// For the rooms of a pattern.
    static let policy = SettingFormat(
        "a rule such as 'private-*: relay-only, media=4'; see Documentation/Policy.md",
        read: { text throws(BadValue) in
            do throws(SDPPolicies.InvalidRule) {
                _ = try SDPPolicies([text])
                return text
            } catch {
                throw BadValue(reason: error.description)
            }
        }, write: { $0 })
}
