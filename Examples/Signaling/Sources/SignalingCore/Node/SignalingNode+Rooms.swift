// On the loop of a room. What its members do comes here first, so that all see one order.
extension SignalingNode {
    func join(
        _ name: RoomName, _ sender: Sender, _ operation: UInt64, _ meta: [UInt8], _ password: RoomPassword?
    ) {
        let session = sender.session
        let member = Room.Member(session: session, subject: sender.subject, meta: meta, standing: sender.standing)
        let known = rooms[name]
        let room = known ?? Room(limits: limits, password: password)
        if known != nil, !room.contains(session), let refusal = refusal(of: sender, by: name, password) {
            return post(.outcome(session, operation: operation, refusal), to: session.loop)
        }
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
        let changed = room.elect()
        rooms[name] = room
        if known == nil { observeOpening(of: name) }
        if joining == .new {
            observeJoining(session, of: name)
            let newcomer = room.member(session) ?? member
            tellOthers(of: room, name, than: session, .joined, ServerEvent.peer(.peerJoined, name, newcomer))
        }
        let members = room.isCrowded ? [] : room.members.filter { $0.session != session }
        let tail = ServerEvent.joined(name, session, room, members: members)
        post(.joined(name, session, operation: operation, tail: tail), to: session.loop)
        tellOfModerators(changed.filter { $0.session != session }, of: room, name)
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
            let changed = room.elect()
            drop(room.calls.leave(session), .expired)
            tellOthers(of: room, name, than: session, .left, ServerEvent.peerLeft(name, session, reason))
            tellOfModerators(changed, of: room, name)
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

    /// Tells all members, themselves included, that these moderate now, or do so no more; in a large room only themselves.
    private func tellOfModerators(_ members: [Room.Member], of room: Room, _ name: RoomName) {
        for member in members {
            let tail = ServerEvent.peer(.peerUpdated, name, member)
            let audience = room.isCrowded ? [member.session.loop: [member.session]] : room.byLoop
            for (loop, sessions) in audience.sorted(by: { $0.key < $1.key }) {
                post(.roster(sessions, name, member.session, .updated, tail: tail), to: loop)
            }
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
