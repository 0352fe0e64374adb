// On the loop of a room: messages between its members.
extension SignalingNode {
    func pass(_ relay: Relay) {
        guard let room = rooms[relay.room], room.contains(relay.sender) else { return settle(relay, Self.notInRoom) }
        if let refusal = overRate(of: relay.room) { return settle(relay, refusal) }
        switch relay.to {
        case .peer(let target): pass(relay, to: target, of: room)
        case .user(let subject):
            let sessions = room.sessions(of: subject, butNot: relay.sender)
            guard !sessions.isEmpty else { return settle(relay, MessageError(.noSuchPeer, "no such user in the room")) }
            guard !sessions.contains(where: { isCongested($0.loop) }) else { return refuseFull(relay) }
            passToEach(relay, of: sessions, in: room)
        case .everyone: fanOut(relay, room.others(than: relay.sender))
        }
    }

    private func pass(_ relay: Relay, to target: SessionID, of room: Room) {
        guard room.contains(target) else {
            if !offer(.misaddressed(relay), to: target.loop) { refuseFull(relay) }
            return
        }
        guard !isCongested(target.loop) else { return refuseFull(relay) }
        switch admit(relay, for: target, in: room) {
        case .deliver(let followers):
            post(.inbound(relay), to: target.loop)
            follow(followers, to: target)
        case .overrule(let other, let followers):
            post(.withdraw(relay.sender, other), to: relay.sender.loop)
            tellOfGlare(other, for: relay.sender)
            post(.inbound(relay), to: target.loop)
            follow(followers, to: target)
        case .giveWay:
            settle(relay, nil)
            tellOfGlare(relay, for: target)
        case .hold:
            holding.insert(relay.room)
            settle(relay, nil)
        case .refuse(let error): settle(relay, error)
        }
    }

    /// To the sessions of a user: each is in a negotiation of its own. Its sender is answered once, and hears by events of
    /// those that do not get it.
    private func passToEach(_ relay: Relay, of sessions: [SessionID], in room: Room) {
        var targets: [Int: [SessionID]] = [:]
        var followers: [(relays: [Relay], target: SessionID)] = []
        for target in sessions {
            switch admit(relay, for: target, in: room) {
            case .deliver(let relays):
                targets[target.loop, default: []].append(target)
                followers.append((relays, target))
            case .overrule(let other, let relays):
                post(.withdraw(relay.sender, other), to: relay.sender.loop)
                tellOfGlare(other, for: relay.sender)
                targets[target.loop, default: []].append(target)
                followers.append((relays, target))
            case .giveWay: tellOfGlare(relay, for: target)
            case .hold: holding.insert(relay.room)
            case .refuse(let error):
                let tail = ServerEvent.fate(.error, of: relay.note, in: relay.room, for: target, error: error)
                post(.fate(relay.sender, tail: tail), to: relay.sender.loop)
            }
        }
        fanOut(relay, targets)
        for (relays, target) in followers { follow(relays, to: target) }
    }

    private func admit(_ relay: Relay, for target: SessionID, in room: Room) -> Negotiation.Verdict {
        var copy = relay
        copy.to = .peer(target)
        let (verdict, dropped) = room.calls.admit(copy, for: target, now: now.nanoseconds)
        drop(dropped, .expired)
        return verdict
    }

    /// Candidates that have waited for the description before them. They were answered when they came.
    private func follow(_ relays: [Relay], to target: SessionID) {
        for var relay in relays {
            relay.operation = nil
            post(.inbound(relay), to: target.loop)
        }
    }

    /// To all or to none: when it has gone, its sender is answered, and hears of single targets by events.
    private func fanOut(_ relay: Relay, _ sessions: [Int: [SessionID]]) {
        guard !sessions.keys.contains(where: isCongested) else { return refuseFull(relay) }
        var copy = relay
        copy.operation = nil
        for (loop, sessions) in sessions.sorted(by: { $0.key < $1.key }) { post(.fanOut(sessions, copy), to: loop) }
        settle(relay, nil)
    }

    private func tellOfGlare(_ relay: Relay, for peer: SessionID) {
        let tail = ServerEvent.fate(.glare, of: relay.note, in: relay.room, for: peer)
        post(.fate(relay.sender, tail: tail), to: relay.sender.loop)
    }

    /// Candidates that go nowhere any more.
    func drop(_ relays: [Relay], _ type: MessageType) {
        for relay in relays {
            guard case .peer(let target) = relay.to else { continue }
            let tail = ServerEvent.fate(type, of: relay.note, in: relay.room, for: target)
            post(.fate(relay.sender, tail: tail), to: relay.sender.loop)
        }
    }

    /// Drops what has waited for too long, in logs and before descriptions.
    func dropLapsed() {
        for id in expiring {
            guard let session = sessions[id] else {
                expiring.remove(id)
                continue
            }
            session.log.dropLapsed(now: now.nanoseconds)
            report(session)
            if !session.log.hasDeadlines { expiring.remove(id) }
        }
        for name in holding {
            drop(rooms[name]?.calls.dropLapsed(now: now.nanoseconds) ?? [], .expired)
            if rooms[name]?.calls.isHolding != true { holding.remove(name) }
        }
    }

    private func refuseFull(_ relay: Relay) {
        statistics.trip(.mailbox)
        settle(relay, Self.queueFull)
    }

    private func settle(_ relay: Relay, _ error: MessageError?) {
        guard let operation = relay.operation else { return }
        post(.outcome(relay.sender, operation: operation, error), to: relay.sender.loop)
    }
}
