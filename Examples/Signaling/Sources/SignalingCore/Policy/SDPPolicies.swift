/// The policy of each room: the first whose pattern its name matches.
package struct SDPPolicies: Sendable {
    private var entries: [(rooms: RoomPattern, policy: SDPPolicy)] = []
    /// The rules that it was made of.
    package let rules: [String]

    /// - Parameter rules: as ``parse(_:)`` takes them, in order.
    package init(_ rules: [String]) throws(InvalidRule) {
        self.rules = rules
        for rule in rules { entries.append(try Self.parse(rule)) }
    }

    package init() { rules = [] }

    package mutating func append(_ policy: SDPPolicy, for rooms: RoomPattern) { entries.append((rooms, policy)) }

    /// Nil when nothing of what is said in the room is read.
    package func policy(of room: RoomName) -> SDPPolicy? { entries.first { $0.rooms.matches(room) }?.policy }
}

extension SDPPolicies {
    /// A rule that cannot be read.
    package struct InvalidRule: Error, Hashable, CustomStringConvertible {
        package let description: String
    }

    /// Reads `ROOMS: SETTING, SETTING…`, such as `private-*: relay-only, media=4, deny=10.0.0.0/8 fc00::/7`.
    static func parse(_ rule: String) throws(InvalidRule) -> (rooms: RoomPattern, policy: SDPPolicy) {
        // The last ": " is the separator, as names of rooms may have colons.
        let bytes = Array(rule.utf8)
        let places = bytes.indices.filter { bytes[$0] == UInt8(ascii: ":") && bytes[($0 + 1)...].first ?? 0x20 == 0x20 }
        guard let colon = places.last, colon > 0 else {
            throw InvalidRule(description: "'\(rule)' is not ROOMS: SETTING, SETTING…")
        }
        var policy = SDPPolicy()
        let settings = bytes[(colon + 1)...].split(separator: UInt8(ascii: ","), omittingEmptySubsequences: true)
        for setting in settings {
            let words = setting.split { $0 == 0x20 || $0 == 0x3D }.map { String(decoding: $0, as: UTF8.self) }
            guard let name = words.first, apply(name, Array(words.dropFirst()), to: &policy) else {
                throw InvalidRule(
                    description: "'\(String(decoding: setting, as: UTF8.self))' is no setting of '\(rule)'")
            }
        }
        guard let rooms = RoomPattern(Array(bytes[..<colon]), maxSize: maxPattern) else {
            throw InvalidRule(description: "'\(rule)' has a pattern of rooms over \(maxPattern) bytes")
        }
        return (rooms, policy)
    }

    private static let maxPattern = 1024

    private static func apply(_ name: String, _ values: [String], to policy: inout SDPPolicy) -> Bool {
        switch name {
        case "relay-only":
            policy.types = [.relay]
            return values.isEmpty
        case "no-names":
            policy.allowsNames = false
            return values.isEmpty
        case "fingerprint":
            policy.requiresFingerprint = true
            return values.isEmpty
        case "size": return bound(&policy.maxSize)
        case "line": return bound(&policy.maxLine)
        case "media": return bound(&policy.maxMedia)
        case "candidates": return bound(&policy.maxCandidates)
        case "types":
            let types = values.compactMap(ICECandidate.Kind.init(rawValue:))
            policy.types = Set(types)
            return !types.isEmpty && types.count == values.count
        case "allow": return blocks(&policy.allowed)
        case "deny": return blocks(&policy.denied)
        default: return false
        }

        func bound(_ target: inout Int) -> Bool {
            guard values.count == 1, let value = decimal(values[0].utf8) else { return false }
            target = value
            return true
        }

        func blocks(_ target: inout [CIDR]) -> Bool {
            target = values.compactMap(CIDR.init)
            return !target.isEmpty && target.count == values.count
        }
    }
}
