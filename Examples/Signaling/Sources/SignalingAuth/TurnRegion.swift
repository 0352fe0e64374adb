internal import Crypto
package import SignalingCore

/// Relays of one region that share a secret with the service, as coturn's `use-auth-secret` has it.
package struct TurnRegion: Sendable {
    package let name: String
    package let urls: [String]
    /// How long credentials are good, in seconds.
    package let lifetime: Int
    private let secret: [UInt8]

    package init(name: String, urls: [String], secret: [UInt8], lifetime: Int) {
        self.name = name
        self.urls = urls
        self.secret = secret
        self.lifetime = lifetime
    }

    /// The user name is when it expires and whom it is for; the password is the base64 of its HMAC-SHA1.
    package func credentials(for subject: Identifier?, unixSeconds: Int64) -> TurnCredentials {
        let (sum, overflow) = unixSeconds.addingReportingOverflow(Int64(lifetime))
        let subject = subject.map { ":" + String(decoding: $0.utf8, as: UTF8.self) } ?? ""
        let username = "\(overflow ? unixSeconds : sum)\(subject)"
        let code = HMAC<Insecure.SHA1>.authenticationCode(for: Array(username.utf8), using: SymmetricKey(data: secret))
        return TurnCredentials(urls: urls, username: username, credential: Self.base64(Array(code)))
    }

    /// With padding (RFC 4648 section 4).
    private static func base64(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = (0..<3).reduce(0) { $0 << 8 | ($1 < group.count ? Int(group[start + $1]) : 0) }
            for place in 0..<4 {
                text.append(place <= group.count ? alphabet[bits >> (18 - 6 * place) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// What one entry of an `RTCPeerConnection`'s `iceServers` holds.
package struct TurnCredentials: Sendable, Hashable {
    package let urls: [String]
    package let username: String
    package let credential: String

    /// Values of `Link`, one for each URL (RFC 9725 section 4.6).
    package var links: [String] {
        let parameters =
            "rel=\"ice-server\"; username=\(Self.quoted(username)); credential=\(Self.quoted(credential)); "
            + "credential-type=\"password\""
        return urls.map { "<\($0)>; \(parameters)" }
    }

    /// A quoted-string (RFC 9110 section 5.6.4). Subjects have no control characters.
    private static func quoted(_ text: String) -> String {
        "\"" + text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined() + "\""
    }
}
