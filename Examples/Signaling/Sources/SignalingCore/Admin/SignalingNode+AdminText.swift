// Sessions and rooms as operators see them: no tokens, no addresses, nothing of what the peers say.
extension SignalingNode {
    func summary(_ session: Session) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { fields(of: session, &$0) }
        return writer.bytes
    }

    func detail(_ session: Session) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            fields(of: session, &writer)
            writer.key("joined")
            writer.array { writer in
                for room in session.rooms { writer.string(utf8: room.utf8) }
            }
            writer.key("log")
            writer.object { writer in
                writer.field("events", session.log.count)
                writer.field("bytes", session.log.keptBytes)
                writer.field("last_seq", session.log.lastSeq)
            }
            writer.field("in_flight", session.inFlight)
            writer.field("pending_requests", session.requests.count)
        }
        return writer.bytes
    }

    private func fields(of session: Session, _ writer: inout JSONWriter) {
        writer.field("sid", session.id.description)
        writer.field("loop", loop)
        writer.field("started", session.startedAt)
        writer.key("connected")
        writer.bool(session.stream != nil)
        if session.stream != nil, let transport = session.transport { writer.field("transport", transport.rawValue) }
        writer.field("rooms", session.rooms.count)
    }

    func flight(_ session: Session) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("sid", session.id.description)
            writer.field("started", session.startedAt)
            writer.field("recorded", session.flight.count)
            writer.key("events")
            writer.array { writer in
                for (milliseconds, event) in session.flight.events {
                    writer.object { writer in
                        writer.field("at", milliseconds)
                        writer.field("event", event.name)
                        for (name, value) in event.fields { writer.field(name, value) }
                        if let size = event.size { writer.field("size", size) }
                    }
                }
            }
        }
        return writer.bytes
    }

    func summary(_ name: RoomName) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { fields(of: name, rooms[name], &$0) }
        return writer.bytes
    }

    func detail(_ name: RoomName, _ room: Room) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            fields(of: name, room, &writer)
            writer.key("peers")
            writer.array { writer in
                for member in room.members { writer.string(member.session.description) }
            }
        }
        return writer.bytes
    }

    /// What a client may know of a room before it comes in.
    func entrance(_ room: Room) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("members", room.count)
            writer.key("locked")
            writer.bool(room.password != nil)
            guard let first = room.first else { return }
            writer.field("first", first.session.description)
            writer.key("meta")
            writer.raw(first.meta)
        }
        return writer.bytes
    }

    private func fields(of name: RoomName, _ room: Room?, _ writer: inout JSONWriter) {
        writer.key("room")
        writer.string(utf8: name.utf8)
        writer.field("loop", loop)
        writer.field("members", room?.count ?? 0)
    }
}
