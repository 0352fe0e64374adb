/// Offers and answers between two peers in one call: which offer is open, and which candidates belong to what each has said.
///
/// It lives on the loop of the room, where the messages of both directions pass in one order: so it alone decides which of two
/// offers that cross has to give way, no lock is needed, and both ends hear the same. What waits for a target waits in the log of
/// its session, on that session's loop.
struct Negotiation {
    /// An offer that has no answer yet.
    private struct Open {
        let relay: Relay
        let until: UInt64
    }

    /// What one peer has said of itself.
    private struct Side {
        var hasDescription = false
        var neg: UInt64?
        var ufrags: Set<[UInt8]>?
        /// Of descriptions that are replaced.
        var past: Set<[UInt8]> = []
        /// Candidates that came before their description.
        var held: [Relay] = []
    }

    enum Verdict {
        /// To be delivered, and after it what has waited for it.
        case deliver(then: [Relay])
        case hold
        case refuse(MessageError)
        /// An offer that gives way to one of the target.
        case giveWay
        /// An offer to be delivered, to which this one of the target gives way.
        case overrule(Relay, then: [Relay])
    }

    /// Who began it, to count it for.
    let initiator: SessionID
    private var open: Open?
    private var sides: [SessionID: Side] = [:]

    init(initiator: SessionID) { self.initiator = initiator }

    var isHolding: Bool { sides.values.contains { !$0.held.isEmpty } }

    /// Candidates that wait here.
    var held: [Relay] { sides.values.flatMap(\.held) }

    mutating func admit(_ relay: Relay, for target: SessionID, now: UInt64, _ limits: ServiceLimits) -> Verdict {
        switch relay.content {
        case .description(let ufrags):
            return relay.note.type == .offer
                ? offer(relay, for: target, ufrags, now, limits) : answer(relay, for: target, ufrags, limits)
        case .candidates(let list): return candidates(relay, list.ufrag, limits)
        case .plain, .invite, .select: return .deliver(then: [])
        }
    }

    /// Takes out what has waited too long.
    mutating func dropLapsed(now: UInt64) -> [Relay] {
        var lapsed: [Relay] = []
        for sender in sides.keys {
            lapsed += sides[sender]?.held.filter { $0.deadline.map { $0 <= now } ?? false } ?? []
            sides[sender]?.held.removeAll { $0.deadline.map { $0 <= now } ?? false }
        }
        return lapsed
    }

    /// The polite one of two peers has the smaller party id, compared byte by byte.
    static func isPolite(_ one: SessionID, to other: SessionID) -> Bool {
        one.precedes(other)
    }
}

// MARK: - Descriptions

extension Negotiation {
    private mutating func offer(
        _ relay: Relay, for target: SessionID, _ ufrags: Set<[UInt8]>?, _ now: UInt64, _ limits: ServiceLimits
    ) -> Verdict {
        if isOld(relay) { return .refuse(Self.stale) }
        let crossing = open.flatMap { $0.relay.sender == target && $0.until > now ? $0.relay : nil }
        if crossing != nil, Self.isPolite(relay.sender, to: target) {
            retire(ufrags, of: relay.sender, limits)
            return .giveWay
        }
        let until = min(relay.deadline ?? .max, now + limits.logAge.nanoseconds)
        open = Open(relay: relay, until: until)
        if crossing != nil { forgetDescription(of: target, limits) }
        let released = describe(relay, ufrags, limits)
        return crossing.map { .overrule($0, then: released) } ?? .deliver(then: released)
    }

    /// The open offer was not delivered: no other has to give way to it, and its candidates wait for the next.
    mutating func retract(_ relay: Relay, _ limits: ServiceLimits) {
        guard let open, open.relay.sender == relay.sender, open.relay.note == relay.note else { return }
        self.open = nil
        forgetDescription(of: relay.sender, limits)
    }

    private mutating func forgetDescription(of peer: SessionID, _ limits: ServiceLimits) {
        retire(sides[peer]?.ufrags, of: peer, limits)
        sides[peer]?.hasDescription = false
        sides[peer]?.ufrags = nil
        sides[peer]?.neg = nil
    }

    private mutating func answer(
        _ relay: Relay, for target: SessionID, _ ufrags: Set<[UInt8]>?, _ limits: ServiceLimits
    ) -> Verdict {
        if isOld(relay) || open?.relay.sender == relay.sender { return .refuse(Self.stale) }
        if let open, open.relay.sender == target {
            if let of = open.relay.note.neg, let neg = relay.note.neg, neg < of { return .refuse(Self.stale) }
            if relay.note.type == .answer { self.open = nil }
        }
        return .deliver(then: describe(relay, ufrags, limits))
    }

    private func isOld(_ relay: Relay) -> Bool {
        guard let neg = relay.note.neg, let last = sides[relay.sender]?.neg else { return false }
        return neg < last
    }

    /// - Returns: the candidates that have waited for this description.
    private mutating func describe(
        _ relay: Relay, _ ufrags: Set<[UInt8]>?, _ limits: ServiceLimits
    ) -> [Relay] {
        var side = sides[relay.sender] ?? Side()
        let replaced = (side.ufrags ?? []).subtracting(ufrags ?? [])
        side.ufrags = ufrags
        side.past.subtract(ufrags ?? [])
        side.neg = relay.note.neg ?? side.neg
        side.hasDescription = true
        let held = side.held
        side.held = []
        sides[relay.sender] = side
        retire(replaced, of: relay.sender, limits)
        var released: [Relay] = []
        for relay in held {
            guard case .candidates(let list) = relay.content else { continue }
            switch judge(relay, list.ufrag) {
            case .fits: released.append(relay)
            case .early, .old: sides[relay.sender]?.held.append(relay)
            }
        }
        return released
    }

    private mutating func retire(_ ufrags: Set<[UInt8]>?, of peer: SessionID, _ limits: ServiceLimits) {
        guard let ufrags, !ufrags.isEmpty else { return }
        var past = sides[peer]?.past ?? []
        // Forgetting them costs only that very late candidates wait and expire instead of being refused.
        if past.count + ufrags.count > limits.ufrags { past = [] }
        sides[peer, default: Side()].past = past.union(ufrags)
    }

    static let stale = MessageError(.stale, "a newer description has taken the place of what it belongs to")
}

// MARK: - Candidates

extension Negotiation {
    private enum Fit { case fits, early, old }

    private mutating func candidates(_ relay: Relay, _ ufrag: [UInt8]?, _ limits: ServiceLimits) -> Verdict {
        switch judge(relay, ufrag) {
        case .fits: return .deliver(then: [])
        case .old: return .refuse(Self.stale)
        case .early:
            guard sides[relay.sender]?.held.count ?? 0 < limits.heldCandidates else {
                return .refuse(MessageError(.queueFull, "too many candidates wait for their description"))
            }
            sides[relay.sender, default: Side()].held.append(relay)
            return .hold
        }
    }

    /// Candidates are old when their `neg` or their `ufrag` is: a newer description has those that were found before it, and
    /// what is found after it comes with its `neg`.
    private func judge(_ relay: Relay, _ ufrag: [UInt8]?) -> Fit {
        let neg = relay.note.neg
        guard let side = sides[relay.sender] else { return ufrag == nil && neg == nil ? .fits : .early }
        if let ufrag, side.past.contains(ufrag) { return .old }
        if let neg, let last = side.neg, neg < last { return .old }
        guard side.hasDescription else {
            return ufrag == nil && neg == nil ? .fits : .early
        }
        if let ufrag, let known = side.ufrags {
            if known.contains(ufrag) { return .fits }
            guard let neg, let last = side.neg, neg == last else { return .early }
            return .old
        }
        guard let neg, let last = side.neg, neg != last else { return .fits }
        return .early
    }
}
