/// The body of `application/trickle-ice-sdpfrag` (RFC 8840 section 9): candidates, and the credentials of their ICE session.
package struct ICEFragment: Hashable, Sendable {
    let ufrag: [UInt8]?
    /// Both, when the fragment has both.
    let credentials: ICECredentials?
    let candidates: [TrickledCandidate]
    /// No more will follow.
    let isEnd: Bool

    /// Nil unless it is one. Attributes that it does not know are passed over, candidates too that are none: a WHIP session
    /// discards what it cannot use (RFC 9725 section 4.3.2).
    package init?(_ text: [UInt8], maxCandidates: Int) {
        let lines = SDPText.lines(text)
        var candidates: [TrickledCandidate] = []
        var section = -1
        var mid: [UInt8]?
        for line in lines {
            guard line.count >= 2, line[1] == UInt8(ascii: "="), line.allSatisfy({ $0 >= 0x20 || $0 == 0x09 }),
                line[0] == UInt8(ascii: "a") || SDPText.isMedia(line)
            else { return nil }
            if SDPText.isMedia(line) {
                section += 1
                mid = nil
            } else if let value = SDPText.value(line, "a=mid:") {
                mid = value
            } else if SDPText.value(line, "a=candidate:") != nil, ICECandidate(line.dropFirst(2)) != nil {
                guard candidates.count < maxCandidates else { return nil }
                candidates.append(
                    TrickledCandidate(line: Array(line.dropFirst(2)), mid: mid, section: max(section, 0)))
            }
        }
        ufrag = lines.lazy.compactMap { SDPText.value($0, "a=ice-ufrag:") }.first
        credentials = ICECredentials(in: lines)
        isEnd = lines.contains(Array("a=end-of-candidates".utf8))
        self.candidates = candidates
        guard ufrag != nil || !candidates.isEmpty || isEnd else { return nil }
    }
}
