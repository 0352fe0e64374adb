/// What a session's client has not been sent, because its stream is slow or gone: here presence is conflated, candidates are
/// merged, offers give way to newer ones, and what is of no more use is dropped. Whatever a sender has to hear of it is in
/// ``fates``.
struct PendingEvents {
    private(set) var events: [PendingEvent] = []
    private(set) var size = 0
    var fates: [MessageFate] = []
    private let maxCandidates: Int

    init(limits: ServiceLimits) { maxCandidates = limits.candidates }

    var isEmpty: Bool { events.isEmpty }
    var hasDeadlines: Bool { events.contains { $0.stub?.deadline != nil } }

    /// - Returns: whether the event is taken care of, and needs no place of its own.
    mutating func absorb(_ event: PendingEvent) -> Bool {
        guard !events.isEmpty else { return false }
        switch event.subject {
        case .plain, .roster: return false
        case .occupancy(let room):
            let older = events.lastIndex { if case .occupancy(room) = $0.subject { true } else { false } }
            if let older { remove(at: older) }
            return false
        case .presence(let room, let peer, let change): return conflate(room, peer, change)
        case .message(let stub):
            if stub.notes.first?.type == .candidates { return merge(event, stub) }
            return false
        }
    }

    /// Appends the event; before that, an offer takes the place of the older one.
    mutating func append(_ event: PendingEvent) {
        var followers: [PendingEvent] = []
        if let stub = event.stub, stub.notes.first?.type == .offer { followers = supersede(stub) }
        for event in [event] + followers {
            events.append(event)
            size += event.size
        }
    }

    mutating func popFirst() -> PendingEvent? {
        guard !events.isEmpty else { return nil }
        return remove(at: 0)
    }

    /// Removes what `isGone` says; the senders of messages among it hear of their fate.
    ///
    /// - Returns: whether anything else was among it.
    @discardableResult
    mutating func remove(_ type: MessageType, where isGone: (PendingEvent) -> Bool) -> Bool {
        var lost = false
        var gone: [MessageFate] = []
        for index in events.indices.reversed() where isGone(events[index]) {
            let event = remove(at: index)
            if let stub = event.stub { gone.append(MessageFate(type: type, stub: stub)) } else { lost = true }
        }
        fates += gone.reversed()
        return lost
    }

    /// Takes back an offer that has to give way, and the candidates that came with it. Its sender is told otherwise.
    mutating func withdraw(_ call: Identifier, of sender: SessionID, in room: RoomName) {
        for index in events.indices.reversed() {
            guard let stub = events[index].stub, stub.sender == sender, stub.room == room,
                let note = stub.notes.first, note.call == call, note.type == .offer || note.type == .candidates
            else { continue }
            remove(at: index)
        }
    }

    @discardableResult
    private mutating func remove(at index: Int) -> PendingEvent {
        let event = events.remove(at: index)
        size -= event.size
        return event
    }

    // MARK: Presence

    /// Only the last state matters; who came and went unseen never was there.
    private mutating func conflate(_ room: RoomName, _ peer: SessionID, _ change: PresenceChange) -> Bool {
        if change != .joined, let index = events.lastIndex(where: { $0.isPresence(of: peer, in: room, .updated) }) {
            remove(at: index)
        }
        guard change == .left, let coming = events.lastIndex(where: { $0.isPresence(of: peer, in: room, .joined) })
        else { return false }
        // What it said meanwhile must not come from one who was never there, and a roster may have it.
        let isSeen = events[coming...].contains { event in
            switch event.subject {
            case .roster(room), .occupancy(room): return true
            default: break
            }
            return event.stub?.sender == peer
        }
        if !isSeen { remove(at: coming) }
        return !isSeen
    }

    // MARK: Descriptions and candidates

    /// - Returns: candidates that the newer offer still needs, which are to follow it.
    private mutating func supersede(_ offer: MessageStub) -> [PendingEvent] {
        let older = events.firstIndex { event in
            event.stub.map { $0.isSameCall(offer) && $0.notes.first?.type == .offer } ?? false
        }
        guard offer.notes.first?.call != nil, let older else { return [] }
        var kept: [PendingEvent] = []
        for index in events.indices.reversed() where index >= older {
            guard let stub = events[index].stub, stub.isSameCall(offer) else { continue }
            switch (stub.notes.first?.type, stub.content, offer.content) {
            case (.offer?, _, _): break
            case (.candidates?, .candidates(let list), .description(let ufrags)):
                if let ufrag = list.ufrag, ufrags?.contains(ufrag) == true, !stub.isOlder(than: offer) {
                    kept.insert(remove(at: index), at: 0)
                    continue
                }
            default: continue
            }
            remove(at: index)
            fates.append(MessageFate(type: .superseded, stub: stub))
        }
        return kept
    }

    /// Puts candidates into the message before, if that has some of the same description and sender.
    private mutating func merge(_ event: PendingEvent, _ stub: MessageStub) -> Bool {
        let last = events.lastIndex { earlier in
            if case .presence(_, stub.sender, _) = earlier.subject { return true }
            return earlier.stub?.sender == stub.sender
        }
        guard let last, var earlier = events[last].stub, earlier.isSameCall(stub),
            case .candidates(let new) = stub.content, case .candidates(let old) = earlier.content,
            new.isPlain, old.isPlain, new.ufrag == old.ufrag, !old.isEnd, old.count + new.count <= maxCandidates,
            earlier.notes.first?.neg == stub.notes.first?.neg, !earlier.wantsReceipt, !stub.wantsReceipt,
            (earlier.deadline == nil) == (stub.deadline == nil), let list = old.list, let added = new.list
        else { return false }
        let comma: [UInt8] = old.count > 0 && new.count > 0 ? [UInt8(ascii: ",")] : []
        let inserted = comma + event.tail[added]
        let end = new.isEnd ? Array(",\"end\":true".utf8) : []
        var tail = Array(events[last].tail[..<list.upperBound])
        tail += inserted
        tail += events[last].tail[list.upperBound..<old.bodyEnd]
        tail += end
        tail += events[last].tail[old.bodyEnd...]
        earlier.content = .candidates(
            CandidateList(
                ufrag: old.ufrag, list: list.lowerBound..<list.upperBound + inserted.count,
                count: old.count + new.count, isEnd: new.isEnd, bodyEnd: old.bodyEnd + inserted.count + end.count,
                isPlain: true))
        earlier.notes += stub.notes
        if let one = earlier.deadline, let other = stub.deadline { earlier.deadline = max(one, other) }
        size += tail.count - events[last].tail.count
        events[last].tail = tail
        events[last].subject = .message(earlier)
        return true
    }
}
