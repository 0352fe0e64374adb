import Testing

@testable import SignalingCore

extension Peer {
    func join(_ room: String, password: String) throws -> [String] {
        try send("{\"t\":\"join\",\"room\":\"\(room)\",\"password\":\"\(password)\"}")
    }

    func kick(_ other: Peer, from room: String = "r") throws -> [String] {
        try send("{\"t\":\"kick\",\"room\":\"\(room)\",\"to\":{\"peer\":\"\(other.sid)\"}}")
    }

    func lock(_ room: String = "r", _ password: String?) throws -> [String] {
        let field = password.map { ",\"password\":\"\($0)\"" } ?? ""
        return try send("{\"t\":\"room_password\",\"room\":\"\(room)\"\(field)}")
    }

    /// Whose events say last that they moderate the room.
    func moderators(of room: String = "r") throws -> Set<String> {
        var result: Set<String> = []
        for event in try events() where event["room"] as? String == room {
            let peer = event["peer"] as? String ?? ""
            switch event["t"] as? String {
            case "joined":
                let members = event["members"] as? [JSONFields] ?? []
                result = Set((members + [event]).filter { $0["moderator"] != nil }.compactMap { $0["peer"] as? String })
            case "peer_joined", "peer_updated":
                result.remove(peer)
                if event["moderator"] as? Bool == true { result.insert(peer) }
            case "peer_left": result.remove(peer)
            default: break
            }
        }
        return result
    }
}

extension Identity {
    /// A token for all rooms.
    static func named(_ subject: String, _ grants: Grants = .usual) -> Identity {
        Identity(subject: Identifier(Array(subject.utf8), maxSize: 128), rooms: [.any], grants: grants)
    }
}
