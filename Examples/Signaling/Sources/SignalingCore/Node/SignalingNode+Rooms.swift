// On the loop of a room. What its members do comes here first, so that all see one order.
extension SignalingNode {
    func join(_ name: RoomName, _ sender: Sender, _ operation: UInt64, _ meta: [UInt8]) {
        let session = sender.session
        let member = Room.Member(session: session, subject: sender.subject, meta: meta)
        let known = rooms[name]
        let room = known ?? Room(limits: limits)
        if let most = sender.maxPeers, room.count >= most, !room.contains(session) {
            let error = MessageError(.roomFull, "the token lets in up to \(most) members")
            return post(.outcome(session, operation: operation, error), to: session.loop)
        }
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
            tellOthers(of: room, name, than: session, .joined, ServerEvent.peer(.peerJoined, name, member))
        }
        let members = room.isCrowded ? [] : room.members.filter { $0.session != session }
        let count = room.isCrowded ? room.count : nil
        let tail = ServerEvent.joined(name, session, count: count, members: members)
        post(.joined(name, session, operation: operation, tail: tail), to: session.loop)
    }

    func update(_ name: RoomName, _ session: SessionID, _ operation: UInt64, _ meta: [UInt8]) {
        guard let room = rooms[name], let member = room.update(session, meta: meta) else {
            return post(.outcome(session, operation: operation, Self.notInRoom), to: session.loop)
        }
        tellOthers(of: room, name, than: session, .updated, ServerEvent.peer(.peerUpdated, name, member))
        post(.outcome(session, operation: operation, nil), to: session.loop)
    }

    func leave(_ name: RoomName, _ session: SessionID, _ operation: UInt64?, _ reason: LeaveReason) {
        let room = rooms[name]
        let wasMember = room?.leave(session) ?? false
        if let room, wasMember {
            drop(room.calls.leave(session), .expired)
            tellOthers(of: room, name, than: session, .left, ServerEvent.peerLeft(name, session, reason))
            observeLeaving(session, of: name, reason)
            if room.isEmpty {
                rooms[name] = nil
                observeClosing(of: name)
            }
        }
        guard let operation else { return }
        post(.outcome(session, operation: operation, wasMember ? nil : Self.notInRoom), to: session.loop)
    }

    /// One message to each loop, whatever the number of members there; all share one body.
    private func tellOthers(
        of room: Room, _ name: RoomName, than session: SessionID, _ change: PresenceChange, _ tail: [UInt8]
    ) {
        if room.isCrowded {
            if change != .updated { recounted.insert(name) }
            return
        }
        for (loop, sessions) in room.others(than: session).sorted(by: { $0.key < $1.key }) {
            post(.roster(sessions, name, session, change, tail: tail), to: loop)
        }
    }

    /// Tells the members of large rooms how many they are, or again who they are.
    func tellOccupancy() {
        for name in recounted {
            guard let room = rooms[name] else { continue }
            let hasRoster = room.thinOut()
            let tail = ServerEvent.occupancy(name, room.count, members: hasRoster ? room.members : nil)
            for (loop, sessions) in room.byLoop.sorted(by: { $0.key < $1.key }) {
                post(.occupancy(sessions, name, tail: tail), to: loop)
            }
        }
        recounted.removeAll()
    }

    static let notInRoom = MessageError(.notInRoom, "you are not in the room")
}
