/// The calls of a room's members, on the room's loop; see ``Negotiation`` for why there.
struct CallTable {
    private struct Key: Hashable {
        let call: Identifier
        let one: SessionID
        let other: SessionID

        init(_ call: Identifier, _ a: SessionID, _ b: SessionID) {
            self.call = call
            (one, other) = Negotiation.isPolite(a, to: b) ? (a, b) : (b, a)
        }
    }

    /// A call that rings, from the view of its caller.
    private struct RingKey: Hashable {
        let call: Identifier
        let caller: SessionID
    }

    private struct Ring {
        /// When nobody may take it any more; nil once someone did.
        var until: UInt64?
        /// The device whose answer was taken.
        var selected: SessionID?
        let ordinal: UInt64
    }

    private var negotiations: [Key: Negotiation] = [:]
    private var rings: [RingKey: Ring] = [:]
    /// The negotiations that each member began, in order.
    private var begun: [SessionID: [Key]] = [:]
    private var lastOrdinal: UInt64 = 0
    private let limits: ServiceLimits

    init(limits: ServiceLimits) { self.limits = limits }

    var isHolding: Bool { negotiations.values.contains { $0.isHolding } }
    var count: Int { negotiations.count + rings.count }

    /// - Returns: what to do, and candidates that are dropped because their call ends or is forgotten.
    mutating func admit(
        _ relay: Relay, for target: SessionID, now: UInt64
    ) -> (verdict: Negotiation.Verdict, dropped: [Relay]) {
        guard let call = relay.note.call else { return (.deliver(then: []), []) }
        if let error = ring(relay, call, target, now) { return (.refuse(error), []) }
        let key = Key(call, relay.sender, target)
        switch relay.note.type {
        case .hangup, .reject: return (.deliver(then: []), remove(key))
        case .offer, .answer, .pranswer, .candidates: break
        case .invite, .select, .restartICE, .msg: return (.deliver(then: []), [])
        }
        let dropped = negotiations[key] == nil ? begin(key, relay.sender) : []
        var relay = relay
        if relay.note.type == .candidates, relay.deadline == nil {
            relay.deadline = now + limits.candidateWait.nanoseconds
        }
        let verdict = negotiations[key]?.admit(relay, for: target, now: now, limits)
        return (verdict ?? .deliver(then: []), dropped)
    }

    /// An offer was not delivered, and its sender knows.
    mutating func retract(_ relay: Relay, for target: SessionID) {
        guard let call = relay.note.call else { return }
        negotiations[Key(call, relay.sender, target)]?.retract(relay, limits)
    }

    mutating func leave(_ peer: SessionID) -> [Relay] {
        for key in rings.keys where key.caller == peer { rings[key] = nil }
        return negotiations.keys.filter { $0.one == peer || $0.other == peer }.flatMap { remove($0) }
    }

    mutating func dropLapsed(now: UInt64) -> [Relay] {
        negotiations.keys.flatMap { negotiations[$0]?.dropLapsed(now: now) ?? [] }
    }

    private mutating func remove(_ key: Key) -> [Relay] {
        guard let negotiation = negotiations.removeValue(forKey: key) else { return [] }
        if var own = begun.removeValue(forKey: negotiation.initiator) {
            if let index = own.firstIndex(of: key) { own.remove(at: index) }
            if !own.isEmpty { begun[negotiation.initiator] = own }
        }
        return negotiation.held
    }

    /// Over the limit, a member's oldest call is forgotten: what comes of it later is passed on as it is.
    private mutating func begin(_ key: Key, _ initiator: SessionID) -> [Relay] {
        var dropped: [Relay] = []
        if let own = begun[initiator], own.count >= limits.callsPerMember, let oldest = own.first {
            dropped = remove(oldest)
        }
        begun[initiator, default: []].append(key)
        negotiations[key] = Negotiation(initiator: initiator)
        return dropped
    }

    // MARK: Invites

    private mutating func ring(
        _ relay: Relay, _ call: Identifier, _ target: SessionID, _ now: UInt64
    ) -> MessageError? {
        let own = RingKey(call: call, caller: relay.sender)
        switch (relay.note.type, relay.content) {
        case (.invite, .invite(let lifetime?)): keep(own) { $0.until = Relay.deadline(now, lifetime) }
        case (.select, .select(let party)): keep(own) { $0.selected = party }
        default: break
        }
        let theirs = RingKey(call: call, caller: target)
        guard let ring = rings[theirs] else { return nil }
        if let selected = ring.selected, selected != relay.sender, relay.note.type != .msg {
            return MessageError(.notSelected, "the call was taken by another party")
        }
        switch relay.note.type {
        case .offer, .answer, .pranswer, .reject:
            if let until = ring.until, until <= now { return MessageError(.callEnded, "the invite has run out") }
            rings[theirs]?.until = nil
        default: break
        }
        return nil
    }

    private mutating func keep(_ key: RingKey, _ change: (inout Ring) -> Void) {
        lastOrdinal += 1
        if rings[key] == nil {
            let own = rings.filter { $0.key.caller == key.caller }
            if own.count >= limits.callsPerMember, let oldest = own.min(by: { $0.value.ordinal < $1.value.ordinal }) {
                rings[oldest.key] = nil
            }
        }
        var ring = rings[key] ?? Ring(ordinal: lastOrdinal)
        change(&ring)
        rings[key] = ring
    }
}
