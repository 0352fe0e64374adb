extension NodeEvent {
    /// The body of a webhook.
    package static func delivery(_ id: String, _ events: [NodeEvent]) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("id", id)
            writer.key("events")
            writer.array { writer in
                for event in events { writer.object { event.write(&$0) } }
            }
        }
        return writer.bytes
    }

    private func write(_ writer: inout JSONWriter) {
        writer.field("type", kind.rawValue)
        writer.field("at", timestamp)
        if let session { writer.field("sid", session.description) }
        if let room {
            writer.key("room")
            writer.string(utf8: room.utf8)
        }
        if let reason { writer.field("reason", reason.rawValue) }
    }
}
