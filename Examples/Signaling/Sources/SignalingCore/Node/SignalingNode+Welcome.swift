/// How a session is told of itself by a duplex stream.
enum Greeting: String {
    case welcome, resumed
}

// What a client needs to know of its session.
extension SignalingNode {
    func welcome(_ session: Session) -> Reply {
        .json(201, headers: headers(session)) { writer in describe(session, &writer) }
    }

    func resumed(_ session: Session, _ resumption: Resumption, isNew: Bool) -> Reply {
        let headers = headers(session) + [Reply.Header("signal-resumed", resumption.rawValue)]
        return .json(isNew ? 201 : 200, headers: headers) { writer in
            writer.field("resumed", resumption.rawValue)
            describe(session, &writer)
        }
    }

    /// The same as a line of a stream.
    func line(_ greeting: Greeting, _ session: Session, _ resumption: Resumption) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("t", greeting.rawValue)
            if greeting == .resumed { writer.field("resumed", resumption.rawValue) }
            describe(session, &writer)
        }
        return writer.bytes + [UInt8(ascii: "\n")]
    }

    private func headers(_ session: Session) -> [Reply.Header] {
        [Reply.Header("location", "/v1/sessions/\(session.id)"), Reply.Header("cache-control", "no-store")]
    }

    private func describe(_ session: Session, _ writer: inout JSONWriter) {
        writer.field("sid", session.id.description)
        writer.field("token", session.token.text)
        writer.field("epoch", session.log.epoch)
        writer.field("resume", ticket(of: session))
        writer.key("ice_servers")
        writer.raw(outlet.iceServers(for: session.identity))
        writer.key("limits")
        writer.object { writer in
            writer.field("message", limits.messageSize)
            writer.field("batch", limits.batch)
            writer.field("candidates", limits.candidates)
        }
        writer.field("ping", limits.pingInterval.nanoseconds / 1_000_000)
        writer.key("transports")
        writer.array { writer in
            for transport in [Transport.websocket, .stream, .sse, .ndjson, .poll] { writer.string(transport.rawValue) }
        }
    }
}
