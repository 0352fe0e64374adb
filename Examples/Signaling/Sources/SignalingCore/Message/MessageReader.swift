/// Reads the body of `POST …/messages`: one message or an array of them. Each byte is looked at once.
package struct MessageReader {
    private let sender: Sender
    private let loops: Int
    private let limits: ServiceLimits
    private let pinned: Set<DTLSFingerprint>?

    /// - Parameters:
    ///   - loops: the loops of the service: a party id that names another one is of no peer.
    ///   - pinned: the fingerprints that the sender's descriptions may have; nil when its token says nothing of them.
    package init(sender: Sender, loops: Int, limits: ServiceLimits, pinned: Set<DTLSFingerprint>? = nil) {
        self.sender = sender
        self.loops = loops
        self.limits = limits
        self.pinned = pinned
    }

    /// Why a whole body was refused.
    package enum Refusal: Error, Sendable, Hashable {
        /// 400.
        case badJSON(String)
        /// 413.
        case tooLarge(String)
    }

    package func read(_ body: [UInt8]) throws(Refusal) -> [ReceivedMessage] {
        guard body.count <= limits.messageSize else { throw .tooLarge("over \(limits.messageSize) bytes") }
        let (messages, count): ([ReceivedMessage], Int)
        do throws(JSONError) { (messages, count) = try scan(body) } catch { throw .badJSON(error.description) }
        guard count <= limits.batch else { throw .tooLarge("over \(limits.batch) messages in one request") }
        return messages
    }

    /// - Returns: the first messages of the body, and how many there are.
    private func scan(_ body: [UInt8]) throws(JSONError) -> (messages: [ReceivedMessage], count: Int) {
        var scanner = JSONScanner(body, maxDepth: limits.depth)
        var messages: [ReceivedMessage] = []
        var count = 0
        switch try scanner.peek() {
        case UInt8(ascii: "{"):
            messages = [try message(&scanner, depth: 0)]
            count = 1
        case UInt8(ascii: "["):
            try scanner.array { scanner throws(JSONError) in
                count += 1
                if count <= limits.batch {
                    messages.append(try message(&scanner, depth: 1))
                } else {
                    try scanner.skipValue(depth: 1)
                }
            }
        default: throw JSONError(reason: .unexpected, offset: scanner.position)
        }
        try scanner.expectEnd()
        return (messages, count)
    }

    private func message(_ scanner: inout JSONScanner, depth: Int) throws(JSONError) -> ReceivedMessage {
        guard try scanner.peek() == UInt8(ascii: "{") else {
            try scanner.skipValue(depth: depth)
            let error = MessageError(.badMessage, "a message is an object")
            return ReceivedMessage(id: nil, type: .other, content: .failure(error))
        }
        let start = scanner.position
        var fields = MessageFields(limits: limits)
        try fields.scan(&scanner, depth: depth + 1)
        let type = fields.type.flatMap { MessageType(rawValue: $0) } ?? .other
        let edits: [Edit]
        do throws(MessageError) { edits = try review(fields, scanner) } catch {
            return ReceivedMessage(id: fields.id, type: type, content: .failure(error))
        }
        guard edits.isEmpty else {
            return try edited(scanner.bytes.applying(edits, to: start..<scanner.position), type, depth: depth)
        }
        return interpreted(fields, scanner, type)
    }

    /// A message of which a policy has taken something.
    private func edited(_ text: [UInt8], _ type: MessageType, depth: Int) throws(JSONError) -> ReceivedMessage {
        var scanner = JSONScanner(text, maxDepth: limits.depth)
        var fields = MessageFields(limits: limits)
        try fields.scan(&scanner, depth: depth + 1)
        return interpreted(fields, scanner, type)
    }

    private func interpreted(
        _ fields: MessageFields, _ scanner: JSONScanner, _ type: MessageType
    ) -> ReceivedMessage {
        do throws(MessageError) {
            return ReceivedMessage(id: fields.id, type: type, content: .success(try interpret(fields, scanner)))
        } catch {
            return ReceivedMessage(id: fields.id, type: type, content: .failure(error))
        }
    }
}

// MARK: - What it asks for

extension MessageReader {
    /// Holds what is relayed against the room's policy, if there is one: else its body is not looked into.
    private func review(_ fields: MessageFields, _ scanner: JSONScanner) throws(MessageError) -> [Edit] {
        guard fields.fault == nil, let type = fields.type.flatMap({ RelayedType(rawValue: $0) }),
            let room = fields.room,
            let policy = limits.sdpPolicies.policy(of: room) ?? pinned.map({ _ in SDPPolicy() })
        else { return [] }
        var review = BodyReview(policy, pinned: pinned)
        do throws(SDPRule) {
            return try review.edits(
                scanner.bytes, body: fields.body?.range, needsDescription: [.offer, .answer, .pranswer].contains(type))
        } catch {
            throw error.error
        }
    }

    private func interpret(_ fields: MessageFields, _ scanner: JSONScanner) throws(MessageError) -> ClientMessage {
        if let fault = fields.fault { throw fault }
        guard let type = fields.type else { throw MessageError(.badMessage, "t is missing") }
        return ClientMessage(kind: try kind(type, fields, scanner), id: fields.id)
    }

    private func kind(
        _ type: String, _ fields: MessageFields, _ scanner: JSONScanner
    ) throws(MessageError) -> ClientMessage.Kind {
        switch type {
        case "ping": return .ping
        case "bye": return .bye
        case "token_refresh":
            guard let token = fields.token else { throw MessageError(.badMessage, "token_refresh needs token") }
            return .refresh(token: token)
        case "ack":
            guard let seq = fields.seq else { throw MessageError(.badMessage, "ack needs seq") }
            return .ack(seq: seq)
        case "join":
            return .join(
                try room(fields), meta: try meta(fields, scanner), try password(fields), isMute: fields.isMute)
        case "presence_set":
            guard fields.body != nil else { throw MessageError(.badMessage, "presence_set needs a body") }
            return .presence(try room(fields), meta: try meta(fields, scanner))
        case "leave": return .leave(try room(fields))
        case "kick": return .moderate(try room(fields), .kick(try peer(fields, "kick")))
        case "close_room": return .moderate(try room(fields), .close)
        case "room_password": return .moderate(try room(fields), .password(try password(fields)))
        default:
            guard let type = RelayedType(rawValue: type) else { throw MessageError(.unknownType, "unknown type") }
            return .relay(try relayed(type, fields, scanner))
        }
    }

    private func relayed(
        _ type: RelayedType, _ fields: MessageFields, _ scanner: JSONScanner
    ) throws(MessageError) -> RelayedMessage {
        let room = try room(fields)
        let destination = try destination(type, fields)
        if fields.wantsReceipt, fields.id == nil { throw MessageError(.badMessage, "receipt needs id") }
        let body = fields.body
        var places = [body?.list?.lowerBound ?? 0, body?.list?.upperBound ?? 0, (body?.range.upperBound ?? 1) - 1]
        let tail = fields.relayed(from: sender, scanner, places: &places)
        let content = try content(type, fields, scanner, places)
        let note = MessageNote(
            type: type, id: fields.id, call: fields.call, neg: fields.neg, wantsReceipt: fields.wantsReceipt)
        return RelayedMessage(room: room, to: destination, note: note, tail: tail, ttl: fields.ttl, content: content)
    }

    private func content(
        _ type: RelayedType, _ fields: MessageFields, _ scanner: JSONScanner, _ places: [Int]
    ) throws(MessageError) -> RelayedContent {
        let body = fields.body
        switch type {
        case .offer, .answer, .pranswer: return .description(ufrags: body?.ufrags(scanner, max: limits.ufrags))
        case .candidates:
            let list = CandidateList(
                ufrag: body?.text("ufrag", scanner), list: body?.list == nil ? nil : places[0]..<places[1],
                count: body?.candidates ?? 0, isEnd: body?.isTrue("end", scanner) ?? false, bodyEnd: places[2],
                isPlain: body?.isObject == true && body?.hasOthers == false && !fields.hasOthers)
            return .candidates(list)
        case .invite: return .invite(lifetime: body?.integer("lifetime", scanner))
        case .select:
            guard let party = body?.text("party", scanner).flatMap({ SessionID(utf8: $0) })
            else { throw MessageError(.badMessage, "select needs body.party, the party whose answer is taken") }
            return .select(party: party)
        case .reject, .hangup, .restartICE, .msg: return .plain
        }
    }

    private func destination(_ type: RelayedType, _ fields: MessageFields) throws(MessageError) -> Destination {
        if let user = fields.user { return .user(user) }
        guard fields.peer != nil else {
            if type == .msg, !fields.hasTarget { return .everyone }
            throw MessageError(.badMessage, "\(type.rawValue) needs to.peer or to.user")
        }
        return .peer(try peer(fields, type.rawValue))
    }

    private func peer(_ fields: MessageFields, _ type: String) throws(MessageError) -> SessionID {
        guard let peer = fields.peer else { throw MessageError(.badMessage, "\(type) needs to.peer") }
        guard let target = SessionID(utf8: peer), target.loop < loops else {
            throw MessageError(.noSuchPeer, "no such peer")
        }
        guard target != sender.session else { throw MessageError(.badMessage, "to.peer is the sender") }
        return target
    }

    private func password(_ fields: MessageFields) throws(MessageError) -> RoomPassword? {
        guard !fields.hasBadPassword else { throw MessageError(.badMessage, "password is not a string") }
        guard let text = fields.password, !text.isEmpty else { return nil }
        guard let password = RoomPassword(text, maxSize: limits.passwordSize) else {
            throw MessageError(.badMessage, "the password is over \(limits.passwordSize) bytes")
        }
        return password
    }

    private func room(_ fields: MessageFields) throws(MessageError) -> RoomName {
        guard let room = fields.room else { throw MessageError(.badMessage, "room is missing") }
        return room
    }

    private func meta(_ fields: MessageFields, _ scanner: JSONScanner) throws(MessageError) -> [UInt8] {
        guard let body = fields.body else { return Array("{}".utf8) }
        guard body.isObject else {
            throw MessageError(.badMessage, "the body is an object")
        }
        guard body.range.count <= limits.metaSize else {
            throw MessageError(.badMessage, "the body is over \(limits.metaSize) bytes")
        }
        return scanner.oneLine(body.range)
    }
}
