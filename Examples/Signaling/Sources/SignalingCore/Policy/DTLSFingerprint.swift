/// The fingerprint of a DTLS certificate (RFC 8122 section 5), by which a peer is known.
package struct DTLSFingerprint: Hashable, Sendable {
    /// The name of the hash in lower case, a space, the digits in upper case.
    private let text: String

    /// - Parameter text: as it stands in SDP after `fingerprint:`, such as `sha-256 4A:AD:…`. Nil when it is none.
    package init?(_ text: String) {
        let parts = text.utf8.split(separator: 0x20, omittingEmptySubsequences: false)
        guard parts.count == 2, (1...16).contains(parts[0].count),
            parts[0].allSatisfy({ isAlphanumeric($0) || $0 == 0x2D })
        else { return nil }
        let pairs = parts[1].split(separator: 0x3A, omittingEmptySubsequences: false)
        guard (16...64).contains(pairs.count),
            pairs.allSatisfy({ $0.count == 2 && $0.allSatisfy { hexadecimal($0) != nil } }),
            let name = String(parts[0]), let digits = String(parts[1])
        else { return nil }
        self.text = "\(name.lowercased()) \(digits.uppercased())"
    }
}
