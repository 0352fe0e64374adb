import SignalingCore
import SocketIO

// Channels and users of the whole service, in the words of the vocabulary: rooms and sessions as the operators' API lists them.
extension LoopService {
    /// Answers later, on this loop.
    ///
    /// - Parameter asker: on whose behalf.
    func answer(
        _ enquiry: VocabularyEnquiry, for asker: AdminAsker,
        _ done: @escaping (Result<SocketValue, VocabularyRefusal>) -> Void
    ) {
        let (limit, cursor) = (enquiry.limit, enquiry.cursor)
        switch enquiry.subject {
        case .channels:
            list(enquiry, asker, .rooms(cursor: cursor, limit: limit), done) { page in
                ["response": "all", "channelinfo": Self.names(page["rooms"], "room")]
            }
        case .users:
            list(enquiry, asker, .sessions(cursor: cursor, limit: limit), done) { page in
                ["response": "users", "users": Self.names(page["sessions"], "sid")]
            }
        case .clients(nil):
            list(enquiry, asker, .sessions(cursor: cursor, limit: limit), done) { page in
                ["response": "users", "clients": Self.names(page["sessions"], "sid")]
            }
        case .clients(let channel?):
            find(enquiry, asker, .room(Array(channel.utf8)), done) { room in
                ["response": "users", "clients": room.map { $0["peers"] } ?? []]
            }
        case .channel(let name):
            find(enquiry, asker, .room(Array(name.utf8)), done) { room in
                ["response": "channel", "channelinfo": room.map(Self.channel) ?? .null]
            }
        case .user(let sid):
            find(enquiry, asker, .session(sid), done) { ["response": "users", "users": $0 ?? "notfound"] }
        }
    }

    private func list(
        _ enquiry: VocabularyEnquiry, _ asker: AdminAsker, _ request: AdminRequest,
        _ done: @escaping (Result<SocketValue, VocabularyRefusal>) -> Void,
        _ answer: @escaping (SocketValue) -> SocketObject
    ) {
        node.serve(request, for: asker, now: now) { reply in
            guard reply.status == 200 else { return done(.failure(VocabularyRefusal(reply: reply))) }
            let page = SocketJSON(valid: reply.body).value
            var object = answer(page)
            object["format"] = enquiry.format.map { .string($0) }
            if let cursor = page["cursor"].string { object["cursor"] = .string(cursor) }
            done(.success(.object(object)))
        }
    }

    /// - Parameter answer: gets nil when there is no such room or session.
    private func find(
        _ enquiry: VocabularyEnquiry, _ asker: AdminAsker, _ request: AdminRequest,
        _ done: @escaping (Result<SocketValue, VocabularyRefusal>) -> Void,
        _ answer: @escaping (SocketValue?) -> SocketObject
    ) {
        node.serve(request, for: asker, now: now) { reply in
            guard reply.status == 200 || reply.status == 404 else {
                return done(.failure(VocabularyRefusal(reply: reply)))
            }
            // Written out: nil would be the value null.
            let found: SocketValue? = reply.status == 200 ? .some(SocketJSON(valid: reply.body).value) : .none
            var object = answer(found)
            object["format"] = enquiry.format.map { .string($0) }
            done(.success(.object(object)))
        }
    }

    private static func names(_ entries: SocketValue, _ field: String) -> SocketValue {
        .array((entries.array ?? []).map { $0[field] })
    }

    private static func channel(_ room: SocketValue) -> SocketValue {
        let count = room["members"].integer ?? 0
        return [
            "channel": room["room"], "users": room["peers"], "endtimestamp": 0,
            "status": count == 1 ? "waiting" : "\(count) active members",
        ]
    }
}

/// Why an enquiry has no answer: what an operator is answered instead.
struct VocabularyRefusal: Error {
    let reply: Reply
}
