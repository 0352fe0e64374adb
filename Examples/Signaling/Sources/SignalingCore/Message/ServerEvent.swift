/// The events that the service sends. An event for many is encoded once: its `tail` is all of it but the beginning,
/// `{"seq":…,"ts":…,`, which differs from session to session.
package struct ServerEvent: Sendable, Hashable {
    package let epoch: UInt32
    package let seq: UInt64
    /// In milliseconds since 1970.
    package let timestamp: Int64
    package let tail: [UInt8]

    /// Appends it as JSON.
    func append(to bytes: inout [UInt8]) {
        bytes.append(contentsOf: "{\"seq\":".utf8)
        appendDecimal(seq, to: &bytes)
        bytes.append(contentsOf: ",\"ts\":".utf8)
        if timestamp < 0 { bytes.append(UInt8(ascii: "-")) }
        appendDecimal(timestamp.magnitude, to: &bytes)
        bytes.append(UInt8(ascii: ","))
        bytes.append(contentsOf: tail)
    }

    /// What it counts for, against the limits of logs and streams; at least what it takes in any of them. In bytes.
    var size: Int { Self.size(ofTail: tail) }

    static func size(ofTail tail: [UInt8]) -> Int { tail.count + 80 }
}

/// The identifier of an event in an event stream: `epoch.seq`.
package struct EventID: Sendable, Hashable, CustomStringConvertible {
    package let epoch: UInt32
    package let seq: UInt64

    package init(epoch: UInt32, seq: UInt64) {
        self.epoch = epoch
        self.seq = seq
    }

    package var description: String { "\(epoch).\(seq)" }

    package init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 2, parts.joined().allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let epoch = UInt32(String(parts[0]) ?? ""), let seq = UInt64(String(parts[1]) ?? "")
        else { return nil }
        self.epoch = epoch
        self.seq = seq
    }
}

/// Why a peer is not in a room any more.
package enum LeaveReason: String, Sendable {
    case left, bye, timeout, kicked
    /// Its token has expired.
    case expired
    /// A newer session of its subject has taken its place.
    case replaced
    /// It did not take what was sent to it, and more came than is kept.
    case slow
}

// MARK: - Tails

extension ServerEvent {
    static func pong(_ id: Identifier?) -> [UInt8] {
        tail("pong") { writer in
            guard let id else { return }
            writer.key("id")
            writer.string(utf8: id.utf8)
        }
    }

    /// - Parameter members: none when the room is too large for a roster; then it has a count.
    static func joined(
        _ name: RoomName, _ peer: SessionID, _ room: Room, members: some Sequence<Room.Member>
    ) -> [UInt8] {
        tail("joined") { writer in
            place(name, peer, &writer)
            moderator(room.member(peer), &writer)
            if room.password != nil {
                writer.key("locked")
                writer.bool(true)
            }
            if room.isCrowded { writer.field("count", room.count) }
            writer.key("members")
            writer.array { writer in
                for member in members { writer.object { about(member, &$0) } }
            }
        }
    }

    /// - Parameter members: given when the room is small enough again for a roster.
    static func occupancy(_ room: RoomName, _ count: Int, members: [Room.Member]?) -> [UInt8] {
        tail("occupancy") { writer in
            writer.key("room")
            writer.string(utf8: room.utf8)
            writer.field("count", count)
            guard let members else { return }
            writer.key("members")
            writer.array { writer in
                for member in members { writer.object { about(member, &$0) } }
            }
        }
    }

    /// - Parameter change: `peer_joined` or `peer_updated`.
    static func peer(_ change: MessageType, _ room: RoomName, _ member: Room.Member) -> [UInt8] {
        tail(change.rawValue) { writer in
            writer.key("room")
            writer.string(utf8: room.utf8)
            about(member, &writer)
        }
    }

    private static func about(_ member: Room.Member, _ writer: inout JSONWriter) {
        writer.field("peer", member.session)
        user(member.subject, &writer)
        moderator(member, &writer)
        writer.key("meta")
        writer.raw(member.meta)
    }

    private static func moderator(_ member: Room.Member?, _ writer: inout JSONWriter) {
        guard member?.isModerator == true else { return }
        writer.key("moderator")
        writer.bool(true)
    }

    /// What became of a message that was accepted: to its sender.
    static func fate(
        _ type: MessageType, of note: MessageNote, in room: RoomName, for peer: SessionID, error: MessageError? = nil
    ) -> [UInt8] {
        tail(type.rawValue) { writer in
            if let id = note.id {
                writer.key("id")
                writer.string(utf8: id.utf8)
            }
            writer.field("of", note.type.rawValue)
            writer.key("room")
            writer.string(utf8: room.utf8)
            writer.key("to")
            writer.object { $0.field("peer", peer) }
            if let call = note.call {
                writer.key("call")
                writer.string(utf8: call.utf8)
            }
            if let neg = note.neg { writer.field("neg", neg) }
            guard let error else { return }
            writer.field("code", error.code.rawValue)
            writer.field("detail", error.detail)
        }
    }

    static func peerLeft(_ room: RoomName, _ peer: SessionID, _ reason: LeaveReason) -> [UInt8] {
        tail("peer_left") { writer in
            place(room, peer, &writer)
            writer.field("reason", reason.rawValue)
        }
    }

    /// The beginning of a tail that passes on a peer's message.
    static func from(_ sender: Sender) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.key("from")
            writer.object { writer in
                writer.field("peer", sender.session)
                user(sender.subject, &writer)
            }
        }
        return Array(writer.bytes.dropFirst().dropLast())
    }

    private static func user(_ subject: Identifier?, _ writer: inout JSONWriter) {
        guard let subject else { return }
        writer.key("user")
        writer.string(utf8: subject.utf8)
    }

    /// The answer to a message that came by a stream, as a line of its own. It has no number.
    static func answer(
        _ error: (code: String, detail: String)?, rule: String? = nil, to id: Identifier?,
        of type: MessageType = .other
    ) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("t", error != nil ? "error" : type == .ping ? "pong" : "ack")
            if let id {
                writer.key("id")
                writer.string(utf8: id.utf8)
            }
            guard let error else { return }
            writer.field("code", error.code)
            writer.field("detail", error.detail)
            if let rule { writer.field("rule", rule) }
        }
        return writer.bytes + [UInt8(ascii: "\n")]
    }

    private static func place(_ room: RoomName, _ peer: SessionID, _ writer: inout JSONWriter) {
        writer.key("room")
        writer.string(utf8: room.utf8)
        writer.field("peer", peer)
    }

    static func tail(_ type: String, _ fields: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("t", type)
            fields(&writer)
        }
        return Array(writer.bytes.dropFirst())
    }
}
