/// Reads the body of `POST …/messages`: one message or an array of them. Each byte is looked at once.
package struct MessageReader {
    private let sender: SessionID
    private let loops: Int
    private let limits: ServiceLimits

    /// - Parameter loops: the loops of the service: a party id that names another one is of no peer.
    package init(sender: SessionID, loops: Int, limits: ServiceLimits) {
        self.sender = sender
        self.loops = loops
        self.limits = limits
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
        var fields = MessageFields(limits: limits)
        try fields.scan(&scanner, depth: depth + 1)
        let type = fields.type.flatMap { MessageType(rawValue: $0) } ?? .other
        do throws(MessageError) {
            return ReceivedMessage(id: fields.id, type: type, content: .success(try interpret(fields, scanner)))
        } catch {
            return ReceivedMessage(id: fields.id, type: type, content: .failure(error))
        }
    }
}

// MARK: - What it asks for

extension MessageReader {
    private func interpret(_ fields: MessageFields, _ scanner: JSONScanner) throws(MessageError) -> ClientMessage {
        if let fault = fields.fault { throw fault }
        guard let type = fields.type else { throw MessageError(.badMessage, "t is missing") }
        return ClientMessage(
            kind: try kind(type, fields, scanner), id: fields.id, call: fields.call, neg: fields.neg, ttl: fields.ttl)
    }

    private func kind(
        _ type: String, _ fields: MessageFields, _ scanner: JSONScanner
    ) throws(MessageError) -> ClientMessage.Kind {
        switch type {
        case "ping": return .ping
        case "ack":
            guard let seq = fields.seq else { throw MessageError(.badMessage, "ack needs seq") }
            return .ack(seq: seq)
        case "join": return .join(try room(fields), meta: try meta(fields, scanner))
        case "leave": return .leave(try room(fields))
        default:
            guard RelayedType(rawValue: type) != nil else { throw MessageError(.unknownType, "unknown type") }
            let room = try room(fields)
            guard let peer = fields.peer else { throw MessageError(.badMessage, "\(type) needs to.peer") }
            guard let target = SessionID(peer), target.loop < loops else {
                throw MessageError(.noSuchPeer, "no such peer")
            }
            guard target != sender else { throw MessageError(.badMessage, "to.peer is the sender") }
            return .relay(room, to: target, tail: fields.relayed(from: sender, scanner))
        }
    }

    private func room(_ fields: MessageFields) throws(MessageError) -> RoomName {
        guard let room = fields.room else { throw MessageError(.badMessage, "room is missing") }
        return room
    }

    private func meta(_ fields: MessageFields, _ scanner: JSONScanner) throws(MessageError) -> [UInt8] {
        guard let body = fields.body else { return Array("{}".utf8) }
        guard scanner.bytes[body.lowerBound] == UInt8(ascii: "{") else {
            throw MessageError(.badMessage, "the body of join is an object")
        }
        guard body.count <= limits.metaSize else {
            throw MessageError(.badMessage, "the body of join is over \(limits.metaSize) bytes")
        }
        return scanner.oneLine(body)
    }
}
