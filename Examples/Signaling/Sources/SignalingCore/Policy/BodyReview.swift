/// A part of a text that is passed on as something else.
struct Edit: Hashable {
    let range: Range<Int>
    let replacement: [UInt8]
}

/// Holds the body of a message against a policy. What passes stays as it is, byte for byte; what is cut or blanked becomes an
/// ``Edit`` of the message's text.
struct BodyReview {
    let policy: SDPPolicy
    let pinned: Set<DTLSFingerprint>?

    private var hasDescription = false
    private var edits: [Edit] = []

    init(_ policy: SDPPolicy, pinned: Set<DTLSFingerprint>?) {
        self.policy = policy
        self.pinned = pinned
    }

    /// - Parameters:
    ///   - text: JSON that has been checked.
    ///   - body: where the body lies in it; nil when there is none.
    ///   - needsDescription: whether the message is one that carries a description.
    mutating func edits(
        _ text: [UInt8], body: Range<Int>?, needsDescription: Bool
    ) throws(SDPRule) -> [Edit] {
        if let body, text[body.lowerBound] == UInt8(ascii: "{") {
            var scanner = JSONScanner(text, maxDepth: Self.maxDepth, from: body.lowerBound)
            var refusal: SDPRule?
            do throws(JSONError) {
                try scanner.object(maxMembers: .max) { scanner, key, _ throws(JSONError) in
                    do throws(SDPRule) {
                        try member(scanner.name(key), &scanner)
                    } catch {
                        refusal = error
                        throw JSONError(reason: .unexpected, offset: scanner.position)
                    }
                }
            } catch {
                throw refusal ?? .malformed
            }
        }
        guard hasDescription || !needsDescription else { throw .malformed }
        return edits
    }

    /// Deeper than any message may be.
    private static let maxDepth = 64

    private mutating func member(_ name: String, _ scanner: inout JSONScanner) throws(SDPRule) {
        switch name {
        case "sdp":
            guard !hasDescription else { throw .malformed }
            hasDescription = true
            try description(try string(&scanner, else: .malformed), scanner)
        case "candidates": try candidates(&scanner)
        case "candidate": try candidate(&scanner).map { edits += $0 }
        default: try json(.malformed) { () throws(JSONError) in _ = try scanner.skipValue(depth: 0) }
        }
    }

    // MARK: Descriptions

    private mutating func description(_ text: JSONScanner.Text, _ scanner: JSONScanner) throws(SDPRule) {
        // An escape is never shorter than what it stands for.
        guard text.range.count <= policy.maxSize || scanner.decoded(text).utf8.count <= policy.maxSize else {
            throw .size
        }
        var review = SDPReview(policy, pinned: pinned)
        for line in scanner.lines(text) {
            switch try review.take(scanner.decoded(line.text).utf8) {
            case .keep: break
            case .cut: edits.append(Edit(range: line.withEnd, replacement: []))
            case .replace(let other): edits.append(Edit(range: line.text.range, replacement: JSONWriter.escaped(other)))
            }
        }
        try review.finish()
    }

    // MARK: Candidates

    /// Cuts elements of the array; it is written anew only when one is cut or blanked.
    private mutating func candidates(_ scanner: inout JSONScanner) throws(SDPRule) {
        var elements: [(range: Range<Int>, edits: [Edit]?)] = []
        var refusal: SDPRule?
        do throws(JSONError) {
            try scanner.array { scanner throws(JSONError) in
                _ = try scanner.peek()
                let start = scanner.position
                do throws(SDPRule) {
                    guard elements.count < policy.maxCandidates else { throw .candidates }
                    let edits = try candidate(&scanner)
                    elements.append((start..<scanner.position, edits))
                } catch {
                    refusal = error
                    throw JSONError(reason: .unexpected, offset: start)
                }
            }
        } catch {
            throw refusal ?? .candidate
        }
        guard let first = elements.first, let last = elements.last, elements.contains(where: { $0.edits != [] }) else {
            return
        }
        let kept = elements.compactMap { element in
            element.edits.map { scanner.bytes.applying($0, to: element.range) }
        }
        let range = first.range.lowerBound..<last.range.upperBound
        edits.append(Edit(range: range, replacement: Array(kept.joined(separator: [UInt8(ascii: ",")]))))
    }

    /// One candidate, as `RTCIceCandidate` gives it or its line alone. An empty line says that there are no more.
    ///
    /// - Returns: nil when it is cut.
    private func candidate(_ scanner: inout JSONScanner) throws(SDPRule) -> [Edit]? {
        let first = try json(.candidate) { () throws(JSONError) in try scanner.peek() }
        guard first == UInt8(ascii: "{") else { return try line(try string(&scanner, else: .candidate), scanner) }
        var found: JSONScanner.Text?
        try json(.candidate) { () throws(JSONError) in
            try scanner.object(maxMembers: 16) { scanner, key, _ throws(JSONError) in
                let name = scanner.name(key)
                if name == "candidate" {
                    found = try scanner.string()
                } else {
                    // These name addresses too, in what `RTCIceCandidate` is in full.
                    guard !["address", "ip", "relatedAddress"].contains(name) || !policy.isFiltering else {
                        throw JSONError(reason: .unexpected, offset: scanner.position)
                    }
                    try scanner.skipValue(depth: 1)
                }
            }
        }
        guard let found else { throw .candidate }
        return try line(found, scanner)
    }

    private func line(_ text: JSONScanner.Text, _ scanner: JSONScanner) throws(SDPRule) -> [Edit]? {
        let decoded = scanner.decoded(text).utf8
        if decoded.isEmpty { return [] }
        // Some clients send the line as it stands in SDP.
        let prefix = decoded.starts(with: Array("a=".utf8)) ? 2 : 0
        switch try SDPReview.review(decoded.dropFirst(prefix), policy) {
        case .keep: return []
        case .cut: return nil
        case .replace(let other):
            return [Edit(range: text.range, replacement: JSONWriter.escaped(decoded.prefix(prefix) + other))]
        }
    }

    // MARK: Reading

    private func string(_ scanner: inout JSONScanner, else rule: SDPRule) throws(SDPRule) -> JSONScanner.Text {
        try json(rule) { () throws(JSONError) in try scanner.string() }
    }

    private func json<Result>(
        _ rule: SDPRule, _ read: () throws(JSONError) -> Result
    ) throws(SDPRule) -> Result {
        do throws(JSONError) { return try read() } catch { throw rule }
    }
}

extension [UInt8] {
    /// - Parameter edits: in order, and within the range.
    func applying(_ edits: [Edit], to range: Range<Int>) -> [UInt8] {
        var result: [UInt8] = []
        var position = range.lowerBound
        for edit in edits {
            result += self[position..<edit.range.lowerBound] + edit.replacement
            position = edit.range.upperBound
        }
        return result + self[position..<range.upperBound]
    }
}
