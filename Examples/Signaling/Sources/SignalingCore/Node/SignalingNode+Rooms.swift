// On the loop of a room. What its members do comes here first, so that all see one order.
extension SignalingNode {
    func join(_ name: RoomName, _ session: SessionID, _ operation: UInt64, _ meta: [UInt8]) {
        let known = rooms[name]
        var room = known ?? Room(capacity: limits.roomCapacity)
        let joining = room.join(session, meta: meta)
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
            tellOthers(of: room, than: session, ServerEvent.peerJoined(name, session, meta: meta))
        }
        let members = room.members.lazy.filter { $0.session != session }.map { ($0.session, $0.meta) }
        let tail = ServerEvent.joined(name, session, members: members)
        post(.joined(name, session, operation: operation, tail: tail), to: session.loop)
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
        guard let room = rooms[relay.room], room.contains(relay.sender) else {
            post(.outcome(relay.sender, operation: relay.operation, Self.notInRoom), to: relay.sender.loop)
            return
        }
        let message: LoopMessage = room.contains(relay.target) ? .inbound(relay) : .misaddressed(relay)
        if !offer(message, to: relay.target.loop) {
            statistics.trip(.mailbox)
            post(.outcome(relay.sender, operation: relay.operation, Self.queueFull), to: relay.sender.loop)
        }
    }

    /// One message to each loop, whatever the number of members there; all share one body.
    private func tellOthers(of room: Room, than session: SessionID, _ tail: [UInt8]) {
        for (loop, sessions) in room.others(than: session).sorted(by: { $0.key < $1.key }) {
            post(.presence(sessions, tail: tail), to: loop)
        }
    }

    private static let notInRoom = MessageError(.notInRoom, "you are not in the room")
}
