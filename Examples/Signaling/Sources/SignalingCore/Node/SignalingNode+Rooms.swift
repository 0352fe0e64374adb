// On the loop of a room. What its members do comes here first, so that all see one order.
extension SignalingNode {
    func join(_ name: RoomName, _ sender: Sender, _ operation: UInt64, _ meta: [UInt8]) {
        let session = sender.session
        let member = Room.Member(session: session, subject: sender.subject, meta: meta)
        let known = rooms[name]
        var room = known ?? Room(capacity: limits.roomCapacity)
        let joining = room.join(member)
        guard joining != .full else {
            statistics.trip(.roomCapacity)
            let error = MessageError(.roomFull, "the room has \(limits.roomCapacity) members")
            post(.outcome(session, operation: operation, error), to: session.loop)
            return
        }
        rooms[name] = room
        if known == nil { observeOpening(of: name) }
        if joining == .new {
            observeJoining(session, of: name)
            tellOthers(of: room, than: session, ServerEvent.peer(.peerJoined, name, member))
        }
        let members = room.members.lazy.filter { $0.session != session }
        let tail = ServerEvent.joined(name, session, members: members)
        post(.joined(name, session, operation: operation, tail: tail), to: session.loop)
    }

    func update(_ name: RoomName, _ session: SessionID, _ operation: UInt64, _ meta: [UInt8]) {
        guard let member = rooms[name]?.update(session, meta: meta), let room = rooms[name] else {
            return post(.outcome(session, operation: operation, Self.notInRoom), to: session.loop)
        }
        tellOthers(of: room, than: session, ServerEvent.peer(.peerUpdated, name, member))
        post(.outcome(session, operation: operation, nil), to: session.loop)
    }

    func leave(_ name: RoomName, _ session: SessionID, _ operation: UInt64?, _ reason: LeaveReason) {
        let wasMember = rooms[name]?.leave(session) ?? false
        if let room = rooms[name], wasMember {
            tellOthers(of: room, than: session, ServerEvent.peerLeft(name, session, reason))
            observeLeaving(session, of: name, reason)
            if room.isEmpty {
                rooms[name] = nil
                observeClosing(of: name)
            }
        }
        guard let operation else { return }
        post(.outcome(session, operation: operation, wasMember ? nil : Self.notInRoom), to: session.loop)
    }

    func pass(_ relay: Relay) {
        guard let room = rooms[relay.room], room.contains(relay.sender) else { return settle(relay, Self.notInRoom) }
        switch relay.to {
        case .peer(let target):
            let message: LoopMessage = room.contains(target) ? .inbound(relay) : .misaddressed(relay)
            if !offer(message, to: target.loop) { refuseFull(relay) }
        case .user(let subject):
            let sessions = room.sessions(of: subject, butNot: relay.sender)
            guard !sessions.isEmpty else { return settle(relay, MessageError(.noSuchPeer, "no such user in the room")) }
            fanOut(relay, Dictionary(grouping: sessions, by: \.loop))
        case .everyone: fanOut(relay, room.others(than: relay.sender))
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

    private func refuseFull(_ relay: Relay) {
        statistics.trip(.mailbox)
        settle(relay, Self.queueFull)
    }

    private func settle(_ relay: Relay, _ error: MessageError?) {
        guard let operation = relay.operation else { return }
        post(.outcome(relay.sender, operation: operation, error), to: relay.sender.loop)
    }

    /// One message to each loop, whatever the number of members there; all share one body.
    private func tellOthers(of room: Room, than session: SessionID, _ tail: [UInt8]) {
        for (loop, sessions) in room.others(than: session).sorted(by: { $0.key < $1.key }) {
            post(.presence(sessions, tail: tail), to: loop)
        }
    }

    static let notInRoom = MessageError(.notInRoom, "you are not in the room")
}
