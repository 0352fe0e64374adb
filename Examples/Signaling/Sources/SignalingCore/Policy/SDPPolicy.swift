/// What descriptions and candidates may say. Off by default: then they pass unread.
package struct SDPPolicy: Sendable, Hashable {
    /// Bytes of one description.
    package var maxSize = 32 * 1024
    /// Bytes of one line.
    package var maxLine = 4096
    /// `m=` lines of one description.
    package var maxMedia = 32
    /// Candidates of one description, and of one message of candidates.
    package var maxCandidates = 64
    /// The types of candidates that pass; the others are cut out.
    package var types = Set(ICECandidate.Kind.allCases)
    /// Whether candidates with a name in place of an address pass.
    package var allowsNames = true
    /// When not empty, only candidates with addresses of these blocks pass.
    package var allowed: [CIDR] = []
    /// Candidates with addresses of these blocks do not pass.
    package var denied: [CIDR] = []
    /// Whether the sender's token must name the fingerprint of its DTLS certificate. When it names one, it counts anyway.
    package var requiresFingerprint = false

    package init() {}

    /// Whether some candidates do not pass; then other places that tell addresses are blanked.
    var isFiltering: Bool {
        types.count < ICECandidate.Kind.allCases.count || !allowsNames || !allowed.isEmpty || !denied.isEmpty
    }

    func admits(_ candidate: ICECandidate) -> Bool {
        guard types.contains(candidate.kind) else { return false }
        switch candidate.address {
        case .name(let isMDNS): return allowsNames && (isMDNS || allowed.isEmpty)
        case .ip(let ip):
            return (allowed.isEmpty || allowed.contains { $0.contains(ip) }) && !denied.contains { $0.contains(ip) }
        }
    }
}

/// Why a description or a candidate was refused. The names are stable: they are the `rule` of the error `sdp_policy`.
package enum SDPRule: String, Error, Sendable, CaseIterable {
    /// Over ``SDPPolicy/maxSize``.
    case size
    /// Over ``SDPPolicy/maxLine``.
    case line
    /// Not SDP.
    case malformed
    /// Over ``SDPPolicy/maxMedia``.
    case media
    /// Over ``SDPPolicy/maxCandidates``.
    case candidates
    /// Not a candidate.
    case candidate
    /// Not the fingerprint of the sender's token, or none where one is due.
    case fingerprint

    var detail: String {
        switch self {
        case .size: "the description is too large for this room"
        case .line: "a line of the description is too long"
        case .malformed: "the body has no description that is SDP (RFC 8866)"
        case .media: "the description has too many m= lines for this room"
        case .candidates: "too many candidates for this room"
        case .candidate: "a candidate is not what RFC 8839 section 5.1 calls one"
        case .fingerprint: "the description's DTLS fingerprint is not that of the sender's token"
        }
    }

    var error: MessageError { MessageError(.sdpPolicy, detail, rule: rawValue) }
}
