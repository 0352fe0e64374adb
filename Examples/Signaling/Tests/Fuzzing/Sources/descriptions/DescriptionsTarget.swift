import FuzzSupport

@testable import SignalingCore

/// Descriptions and fragments: what passes a policy passes it again unchanged, in plain text and within JSON alike, and what
/// is made of a description can be read again.
enum DescriptionsTarget {
    private static let policies: [SDPPolicy] = {
        var relayOnly = SDPPolicy()
        relayOnly.types = [.relay]
        var small = SDPPolicy()
        (small.maxMedia, small.maxCandidates, small.maxLine) = (2, 3, 200)
        return [SDPPolicy(), relayOnly, small]
    }()

    static func run(_ input: [UInt8]) {
        for policy in policies { review(input, policy) }
        rewrite(input)
        if let fragment = ICEFragment(input, maxCandidates: 16) {
            check(fragment.candidates.count <= 16, "too many candidates")
        }
    }

    private static func review(_ input: [UInt8], _ policy: SDPPolicy) {
        guard String(validating: input, as: UTF8.self) != nil, input.count <= policy.maxSize else { return }
        let passed = plain(input, policy)
        check(passed == quoted(input, policy), "JSON makes a difference")
        guard let passed else { return }
        check(plain(passed, policy) == passed, "what has passed does not pass again as it is")
    }

    /// Nil when it is refused.
    private static func plain(_ input: [UInt8], _ policy: SDPPolicy) -> [UInt8]? {
        var review = SDPReview(policy, pinned: nil)
        var result: [UInt8] = []
        do throws(SDPRule) {
            for part in parts(input) {
                switch try review.take(part.line) {
                case .keep: result += part.line + part.end
                case .cut: break
                case .replace(let other): result += other + part.end
                }
            }
            try review.finish()
        } catch {
            return nil
        }
        return result
    }

    private static func parts(_ input: [UInt8]) -> [(line: [UInt8], end: [UInt8])] {
        let lines = input.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
        return lines.enumerated().compactMap { index, line in
            guard index < lines.count - 1 else { return line.isEmpty ? nil : (line, []) }
            return line.last == 0x0D ? (Array(line.dropLast()), [0x0D, 0x0A]) : (line, [0x0A])
        }
    }

    private static func quoted(_ input: [UInt8], _ policy: SDPPolicy) -> [UInt8]? {
        let text = Array("{\"sdp\":\"".utf8) + JSONWriter.escaped(input) + Array("\"}".utf8)
        var review = BodyReview(policy, pinned: nil)
        guard let edits = try? review.edits(text, body: 0..<text.count, needsDescription: true) else { return nil }
        let edited = text.applying(edits, to: 0..<text.count)
        let body = try? JSONValue(parsing: edited)
        check(body != nil, "the body is no JSON any more")
        return body?["sdp"]?.utf8
    }

    private static func rewrite(_ input: [UInt8]) {
        guard let description = SessionDescription(input) else { return }
        check(SessionDescription(description.text)?.text == description.text, "it is read as another")
        guard
            let candidate = ICEFragment(Array("a=candidate:1 1 udp 1 10.1.2.3 9 typ host\r\n".utf8), maxCandidates: 1),
            let other = ICECredentials(in: [
                Array("a=ice-ufrag:abcd".utf8), Array("a=ice-pwd:0123456789012345678901".utf8),
            ])
        else { fatalError("broken: its own fragment is none") }
        _ = description.adding(candidate.candidates, areAll: true).text
        if let restarted = description.restarted(other, version: 2) {
            check(restarted.credentials == other, "the restart has other credentials")
        }
        check(ICEFragment(description.fragment, maxCandidates: 64) != nil, "its fragment is none")
    }

    static var seeds: [(name: String, bytes: [UInt8])] {
        let head = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
        let credentials = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"
        let media = "m=audio 54400 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 192.0.2.7\r\na=mid:0\r\n"
        let candidates =
            "a=candidate:2 1 udp 1 203.0.113.9 1 typ srflx raddr 192.0.2.7 rport 1\r\na=end-of-candidates\r\n"
        return [head + credentials + media + candidates, head + media, credentials + media + candidates].enumerated()
            .map { (name: "description-\($0)", bytes: Array($1.utf8)) }
    }
}
