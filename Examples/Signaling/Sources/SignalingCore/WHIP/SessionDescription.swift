/// A description whose lines can be looked at and changed (RFC 8866).
struct SessionDescription: Hashable {
    private var lines: [[UInt8]]
    /// Of the first line with one: all sections of a bundle share it.
    let credentials: ICECredentials

    /// Nil unless it is SDP within the bounds of the policy and has ICE credentials.
    init?(_ text: [UInt8], policy: SDPPolicy = SDPPolicy()) {
        guard text.count <= policy.maxSize else { return nil }
        let lines = SDPText.lines(text)
        var review = SDPReview(policy, pinned: nil)
        do throws(SDPRule) {
            for line in lines { _ = try review.take(line) }
            try review.finish()
        } catch {
            return nil
        }
        guard let credentials = ICECredentials(in: lines), lines.contains(where: SDPText.isMedia) else { return nil }
        self.lines = lines
        self.credentials = credentials
    }

    /// Ended by CR LF, as SDP is.
    var text: [UInt8] { lines.flatMap { $0 + [0x0D, 0x0A] } }

    var hasAllCandidates: Bool { lines.contains(Array("a=end-of-candidates".utf8)) }

    /// Whether the offerer wants the other side to begin the DTLS handshake (RFC 8842), or must.
    var isPassive: Bool { lines.contains(Array("a=setup:passive".utf8)) }

    /// The `mid` of each section, nil for one without.
    private var mids: [[UInt8]?] {
        sections.map { section in
            lines[section].lazy.compactMap { SDPText.value($0, "a=mid:") }.first
        }
    }

    /// Each from its `m=` line.
    private var sections: [Range<Int>] {
        let starts = lines.indices.filter { SDPText.isMedia(lines[$0]) }
        return zip(starts, starts.dropFirst() + [lines.count]).map { $0..<$1 }
    }

    /// With candidates in their sections; those of no section are left out.
    func adding(_ candidates: [TrickledCandidate], areAll: Bool) -> SessionDescription {
        var result = self
        let mids = mids
        for (index, section) in sections.enumerated().reversed() {
            let own = candidates.filter { $0.belongs(toSection: index, mid: mids[index]) }
            var added = own.map { Array("a=".utf8) + $0.line }.filter { !lines[section].contains($0) }
            if areAll, !hasAllCandidates { added.append(Array("a=end-of-candidates".utf8)) }
            result.lines.insert(contentsOf: added, at: section.upperBound)
        }
        return result
    }

    /// As an offer that restarts ICE (RFC 8839 section 4.4.1.1.1): the same but for credentials and candidates.
    ///
    /// - Parameter version: what tells it from the earlier ones, as the last but three words of `o=`.
    func restarted(_ credentials: ICECredentials, version: UInt64) -> SessionDescription? {
        let changed: [[UInt8]] = lines.compactMap { line in
            if SDPText.value(line, "a=candidate:") != nil || line == Array("a=end-of-candidates".utf8) { return nil }
            if SDPText.value(line, "a=ice-ufrag:") != nil { return Array("a=ice-ufrag:".utf8) + credentials.ufrag }
            if SDPText.value(line, "a=ice-pwd:") != nil { return Array("a=ice-pwd:".utf8) + credentials.password }
            guard SDPText.value(line, "o=") != nil else { return line }
            var words = line.split(separator: 0x20, omittingEmptySubsequences: false).map(Array.init)
            if words.count == 6 { words[2] = Array("\(version)".utf8) }
            return Array(words.joined(separator: [0x20]))
        }
        return SessionDescription(Array(changed.joined(separator: [0x0A])))
    }

    /// What the other side needs to know of it after an ICE restart (RFC 8840 section 9).
    var fragment: [UInt8] {
        var result = credentials.lines
        for section in sections {
            let content = lines[section].filter {
                $0 == lines[section.lowerBound] || SDPText.value($0, "a=mid:") != nil
                    || SDPText.value($0, "a=candidate:") != nil || $0 == Array("a=end-of-candidates".utf8)
            }
            if content.count > 2 || section == sections.first { result += content }
        }
        return result.flatMap { $0 + [0x0D, 0x0A] }
    }
}

/// What SDP and fragments of it are made of.
enum SDPText {
    /// They end by LF or CR LF.
    static func lines(_ text: [UInt8]) -> [[UInt8]] {
        var lines = text.split(separator: 0x0A, omittingEmptySubsequences: false).map { line in
            Array(line.last == 0x0D ? line.dropLast() : line)
        }
        if lines.last == [] { lines.removeLast() }
        return lines
    }

    static func isMedia(_ line: [UInt8]) -> Bool { line.starts(with: [0x6D, 0x3D]) }

    /// What follows the prefix, nil when it is not there.
    static func value(_ line: [UInt8], _ prefix: StaticString) -> [UInt8]? {
        let prefix = Array("\(prefix)".utf8)
        return line.starts(with: prefix) ? Array(line.dropFirst(prefix.count)) : nil
    }
}

/// By which the two sides of an ICE session know each other (RFC 8839 section 5.4).
struct ICECredentials: Hashable {
    let ufrag: [UInt8]
    let password: [UInt8]

    /// The first ones among the lines; nil when there are none, or no right ones.
    init?(in lines: [[UInt8]]) {
        guard let ufrag = lines.lazy.compactMap({ SDPText.value($0, "a=ice-ufrag:") }).first,
            let password = lines.lazy.compactMap({ SDPText.value($0, "a=ice-pwd:") }).first,
            (4...256).contains(ufrag.count), (22...256).contains(password.count),
            (ufrag + password).allSatisfy({ isAlphanumeric($0) || $0 == 0x2B || $0 == 0x2F })
        else { return nil }
        self.ufrag = ufrag
        self.password = password
    }

    var lines: [[UInt8]] { [Array("a=ice-ufrag:".utf8) + ufrag, Array("a=ice-pwd:".utf8) + password] }
}

/// A candidate that comes apart from its description.
struct TrickledCandidate: Hashable {
    /// `candidate:…`
    let line: [UInt8]
    let mid: [UInt8]?
    let section: Int?

    func belongs(toSection index: Int, mid: [UInt8]?) -> Bool {
        if let own = self.mid, let mid { return own == mid }
        return section ?? 0 == index
    }
}
