import SignalingCore
import SocketIO

// What the session hears, in the words of the vocabulary. What they have no word for is not told.
extension VocabularyClient {
    func hear(_ event: String, _ text: SocketJSON) {
        let value = text.value
        let room = value["room"].string ?? ""
        switch event {
        case "joined": joined(room, value["members"], text)
        case "occupancy": occupied(room, value["members"], text)
        case "peer_joined": peerJoined(room, member(value["peer"].string ?? "", text))
        case "peer_updated": peerUpdated(room, member(value["peer"].string ?? "", text))
        case "peer_left": peerLeft(room, value["peer"].string ?? "")
        case "room_closed": closed(room)
        case "offer", "answer", "pranswer", "candidates", "msg", "hangup", "reject":
            guard let peer = value["from"]["peer"].string else { return }
            heard(event, room, from: peer, text.member("body"), custom: value["event"].string)
        default: break
        }
    }

    // MARK: Rosters

    private func roster(_ members: SocketValue, _ text: SocketJSON) -> VocabularyRoster {
        var roster = VocabularyRoster()
        for (member, own) in zip(members.array ?? [], text.member("members")?.elements ?? []) {
            guard let peer = member["peer"].string, peer != sid else { continue }
            roster.set(self.member(peer, own))
        }
        return roster
    }

    /// As the service tells of it.
    private func member(_ peer: String, _ text: SocketJSON) -> VocabularyMember {
        let meta = text.member("meta") ?? .emptyObject
        var member = VocabularyMember(peer: peer, meta: meta, maxSize: host.limits.identifierSize)
        member.moderates = text.member("moderator")?.value.bool == true
        return member
    }

    private func joined(_ room: String, _ members: SocketValue, _ text: SocketJSON) {
        guard var place = places[room] else { return }
        place.roster = roster(members, text)
        place.roster.set(myself(in: place))
        let done = place.whenJoined
        place.whenJoined = nil
        places[room] = place
        seeToName()
        for user in place.roster.names { connect(user) }
        done?(nil)
    }

    /// The room has a roster again.
    private func occupied(_ room: String, _ members: SocketValue, _ text: SocketJSON) {
        guard members.array != nil, let old = places[room] else { return }
        var place = old
        place.roster = roster(members, text)
        place.roster.set(myself(in: place))
        places[room] = place
        forget(old)
        for user in place.roster.names { connect(user) }
    }

    private func peerJoined(_ room: String, _ member: VocabularyMember) {
        guard places[room] != nil else { return }
        places[room]?.roster.set(member)
        if let user = places[room]?.roster.name(of: member.peer) { connect(user) }
    }

    private func peerUpdated(_ room: String, _ member: VocabularyMember) {
        guard let old = places[room] else { return }
        let peer = member.peer
        // Of itself it hears when it begins to moderate.
        guard peer != sid else {
            if member.moderates { host.emit("set-isInitiator-true", [.string(room)]) }
            return
        }
        places[room]?.roster.set(member)
        let (before, after) = (old.roster.name(of: peer), places[room]?.roster.name(of: peer) ?? peer)
        if let before, before != after, find(before) == nil { disconnect(before) }
        connect(after)
        guard after != name, old.roster.member(peer)?.extra != member.extra else { return }
        host.emit("extra-data-updated", [.string(after), .json(member.extra)])
    }

    private func peerLeft(_ room: String, _ peer: String) {
        guard peer != sid else { return removed(room) }
        guard let user = places[room]?.roster.name(of: peer) else { return }
        places[room]?.roster.remove(peer)
        if find(user) == nil { disconnect(user) }
    }

    /// The client was put out.
    private func removed(_ room: String) {
        guard let place = places.removeValue(forKey: room) else { return }
        if current == room { current = nil }
        forget(place)
    }

    private func closed(_ room: String) {
        guard let place = places[room] else { return }
        let owner = place.roster.members.first?.extra ?? .emptyObject
        removed(room)
        // Whoever closes it hears so by its acknowledgement.
        guard closing.remove(room) == nil else { return }
        host.emit("closed-entire-session", [.string(room), .json(owner)])
    }

    // MARK: Messages

    private func heard(_ type: String, _ room: String, from peer: String, _ body: SocketJSON?, custom: String?) {
        let user = places[room]?.roster.name(of: peer) ?? peer
        if let custom {
            if hears(custom), let body { host.emit(custom, [.json(body)]) }
            return
        }
        guard type != "hangup", type != "reject" else { return disconnect(user) }
        let extra = places[room]?.roster.member(peer)?.extra ?? .emptyObject
        for message in Self.messages(type, body ?? SocketJSON(valid: Array("null".utf8))) {
            connect(user)
            host.emit(query.messageEvent, [.json(envelope(message, from: user, extra))])
        }
    }

    /// One for each candidate; of a description with its type.
    private static func messages(_ type: String, _ body: SocketJSON) -> [SocketJSON] {
        switch type {
        case "candidates": return body.member("candidates")?.elements ?? []
        case "offer", "answer", "pranswer":
            guard body.member("type") == nil else { return [body] }
            return [body.adding("type", .string(type)) ?? body]
        default: return [body]
        }
    }

    private func envelope(_ message: SocketJSON, from user: String, _ extra: SocketJSON) -> SocketJSON {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("remoteUserId", name)
            writer.key("message")
            writer.raw(message.bytes)
            writer.field("sender", user)
            writer.key("extra")
            writer.raw(extra.bytes)
        }
        return SocketJSON(valid: writer.bytes)
    }
}
