/// Walks through the lines of one description (RFC 8866) and says of each what becomes of it.
///
///     v= o= s= (i= u= e= p= c= b=)* (t= r=)+ … a=*  then for each m=: i= c=* b=* k= a=*
///
/// The order is checked as far as the sections go that WebRTC uses.
package struct SDPReview {
    package enum Verdict: Hashable {
        case keep
        case cut
        case replace([UInt8])
    }

    private let policy: SDPPolicy
    private let pinned: Set<DTLSFingerprint>?
    private var state = State.version
    private var media = 0
    private var candidates = 0
    private var hasFingerprint = false

    private enum State { case version, origin, subject, session, timed, media }

    /// - Parameter pinned: what the sender's token allows; nil when it says nothing of it.
    package init(_ policy: SDPPolicy, pinned: Set<DTLSFingerprint>?) {
        self.policy = policy
        self.pinned = pinned
    }

    /// - Parameter line: without its end.
    package mutating func take(_ line: some BidirectionalCollection<UInt8>) throws(SDPRule) -> Verdict {
        let line = Array(line)
        guard line.count <= policy.maxLine else { throw .line }
        guard line.count >= 2, line[1] == UInt8(ascii: "="), line.allSatisfy({ $0 >= 0x20 || $0 == 0x09 }) else {
            throw .malformed
        }
        switch (state, line[0]) {
        case (.version, UInt8(ascii: "v")) where line == Array("v=0".utf8): state = .origin
        case (.origin, UInt8(ascii: "o")): state = .subject
        case (.subject, UInt8(ascii: "s")): state = .session
        case (.session, UInt8(ascii: "t")): state = .timed
        case (.timed, UInt8(ascii: "m")), (.media, UInt8(ascii: "m")): return try mediaLine(line)
        case (.timed, UInt8(ascii: "a")), (.media, UInt8(ascii: "a")): return try attribute(line)
        case (.session, UInt8(ascii: "c")), (.media, UInt8(ascii: "c")): return connection(line)
        case (.session, let type) where "iuepb".utf8.contains(type): break
        case (.timed, let type) where "trzk".utf8.contains(type): break
        case (.media, let type) where "ibk".utf8.contains(type): break
        default: throw .malformed
        }
        return .keep
    }

    /// There are no more lines.
    package func finish() throws(SDPRule) {
        guard state == .timed || state == .media else { throw .malformed }
        guard hasFingerprint || pinned == nil && !policy.requiresFingerprint else { throw .fingerprint }
    }

    private mutating func mediaLine(_ line: [UInt8]) throws(SDPRule) -> Verdict {
        state = .media
        media += 1
        guard media <= policy.maxMedia else { throw .media }
        var words = line.split(separator: 0x20, omittingEmptySubsequences: false).map(Array.init)
        guard words.count >= 4, words.allSatisfy({ !$0.isEmpty }) else { throw .malformed }
        // Port 0 says that the section is not used; another one is that of a candidate.
        guard policy.isFiltering, words[1] != [0x30] else { return .keep }
        words[1] = [0x39]
        return .replace(Array(words.joined(separator: [0x20])))
    }

    /// An address in it is that of a candidate, maybe of one that is cut.
    private func connection(_ line: [UInt8]) -> Verdict {
        policy.isFiltering ? .replace(Array((isIPv6(line) ? "c=IN IP6 ::" : "c=IN IP4 0.0.0.0").utf8)) : .keep
    }

    private func isIPv6(_ line: [UInt8]) -> Bool {
        line.split(separator: 0x20).dropFirst().first.map(Array.init) == Array("IP6".utf8)
    }

    private mutating func attribute(_ line: [UInt8]) throws(SDPRule) -> Verdict {
        let value = line.dropFirst(2)
        let name = value.prefix { $0 != UInt8(ascii: ":") }
        switch String(decoding: name, as: UTF8.self).lowercased() {
        case "candidate":
            candidates += 1
            guard candidates <= policy.maxCandidates else { throw .candidates }
            switch try Self.review(value, policy) {
            case .keep: return .keep
            case .cut: return .cut
            case .replace(let other): return .replace(line.prefix(2) + other)
            }
        case "fingerprint":
            hasFingerprint = true
            let fingerprint = DTLSFingerprint(String(decoding: value.dropFirst(name.count + 1), as: UTF8.self))
            guard let pinned else {
                guard !policy.requiresFingerprint else { throw .fingerprint }
                return .keep
            }
            guard let fingerprint, pinned.contains(fingerprint) else { throw .fingerprint }
            return .keep
        // Both hold addresses of candidates.
        case "rtcp" where policy.isFiltering: return .replace(Array("a=rtcp:9 IN IP4 0.0.0.0".utf8))
        case "remote-candidates" where policy.isFiltering: return .cut
        default: return .keep
        }
    }

    /// One candidate, in a description or in a message of its own.
    static func review(_ line: some Collection<UInt8>, _ policy: SDPPolicy) throws(SDPRule) -> Verdict {
        guard let candidate = ICECandidate(line) else { throw .candidate }
        guard policy.isFiltering else { return .keep }
        guard policy.admits(candidate) else { return .cut }
        let hidden = candidate.withoutRelatedAddress
        return hidden.elementsEqual(line) ? .keep : .replace(hidden)
    }
}
