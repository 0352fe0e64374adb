/// One candidate line (RFC 8839 section 5.1), of which what a policy looks at is read.
package struct ICECandidate: Hashable, Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        case host, srflx, prflx, relay
    }

    package enum Address: Hashable, Sendable {
        case ip(IPAddress)
        /// A name, such as those ending in `.local` by which browsers hide an address (mDNS).
        case name(isMDNS: Bool)
    }

    package let kind: Kind
    package let address: Address
    private let tokens: [[UInt8]]

    /// - Parameter line: `candidate:…`, without `a=`.
    package init?(_ line: some Collection<UInt8>) {
        guard line.starts(with: Self.prefix), line.count <= Self.maxSize else { return nil }
        let tokens = Array(line).split(separator: 0x20, omittingEmptySubsequences: false).map(Array.init)
        guard tokens.count >= 8, tokens.count % 2 == 0, tokens.allSatisfy({ !$0.isEmpty }),
            tokens.joined().allSatisfy({ (0x21...0x7E).contains($0) }),
            (1...32).contains(tokens[0].count - Self.prefix.count), tokens[0].dropFirst(10).allSatisfy(Self.isICE),
            tokens[1].count <= 3, let component = decimal(tokens[1]), (1...256).contains(component),
            (1...10).contains(tokens[3].count), tokens[3].allSatisfy({ (0x30...0x39).contains($0) }),
            tokens[5].count <= 5, let port = decimal(tokens[5]), port <= 65_535, tokens[6] == Array("typ".utf8),
            let kind = Kind(rawValue: String(decoding: tokens[7], as: UTF8.self)),
            let address = Self.address(tokens[4])
        else { return nil }
        self.kind = kind
        self.address = address
        self.tokens = tokens
    }

    /// The line with its related address, which only serves diagnostics, hidden as browsers hide it (RFC 8828 section 5.2).
    var withoutRelatedAddress: [UInt8] {
        var tokens = tokens
        for index in stride(from: 8, to: tokens.count - 1, by: 2) {
            switch String(decoding: tokens[index], as: UTF8.self) {
            case "raddr": tokens[index + 1] = Array((tokens[index + 1].contains(0x3A) ? "::" : "0.0.0.0").utf8)
            case "rport": tokens[index + 1] = [0x30]
            default: break
            }
        }
        return Array(tokens.joined(separator: [0x20]))
    }

    static let prefix = Array("candidate:".utf8)
    /// Of the longest line that is taken for one, in bytes.
    private static let maxSize = 1024

    private static func address(_ token: [UInt8]) -> Address? {
        if let ip = IPAddress(token) { return .ip(ip) }
        guard token.count <= 255, token.first != 0x2E,
            token.allSatisfy({ isAlphanumeric($0) || $0 == 0x2D || $0 == 0x2E }),
            token.contains(where: { !(0x30...0x39).contains($0) && $0 != 0x2E })
        else { return nil }
        return .name(isMDNS: String(decoding: token, as: UTF8.self).lowercased().hasSuffix(".local"))
    }

    private static func isICE(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || byte == 0x2B || byte == 0x2F }
}

func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    default: false
    }
}
