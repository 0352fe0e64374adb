/// Where the fields of one message lie, and the values of those that the service reads.
struct MessageFields {
    private(set) var type: String?
    private(set) var id: Identifier?
    private(set) var peer: [UInt8]?
    private(set) var user: Identifier?
    private(set) var hasTarget = false
    private(set) var room: RoomName?
    private(set) var call: Identifier?
    private(set) var neg: UInt64?
    private(set) var ttl: UInt64?
    private(set) var seq: UInt64?
    private(set) var token: [UInt8]?
    /// Empty when it says that there is none.
    private(set) var password: [UInt8]?
    private(set) var hasBadPassword = false
    private(set) var isMute = false
    private(set) var wantsReceipt = false
    private(set) var body: MessageBody?
    /// There is a field that the service does not know.
    private(set) var hasOthers = false
    /// The first field that is not what it should be. Scanning goes on, as the JSON may be right.
    private(set) var fault: MessageError?
    /// The bytes to pass on: all fields but those that the service sets, neighbours taken together.
    private var kept: [Range<Int>] = []
    private var lastWasKept = false
    private let limits: ServiceLimits

    /// A number in JSON keeps its value in every client up to here (RFC 8259 section 6).
    private static let maxInteger: UInt64 = 1 << 53 - 1

    init(limits: ServiceLimits) { self.limits = limits }

    /// Reads a message, whose own level is `depth`.
    mutating func scan(_ scanner: inout JSONScanner, depth: Int) throws(JSONError) {
        try scanner.object(maxMembers: limits.members) { scanner, key, start throws(JSONError) in
            let name = scanner.name(key)
            switch name {
            case "t": type = try text(&scanner, depth, name).map { String(decoding: $0, as: UTF8.self) }
            case "id": id = try identifier(&scanner, depth, name)
            case "call": call = try identifier(&scanner, depth, name)
            case "room":
                guard let text = try text(&scanner, depth, name) else { break }
                room = RoomName(text, maxSize: limits.identifierSize)
                if room == nil { blame("room is not 1 to \(limits.identifierSize) bytes without control characters") }
            case "to": try target(&scanner, depth)
            case "neg": neg = try integer(&scanner, depth, name)
            case "ttl": ttl = try integer(&scanner, depth, name)
            case "seq": seq = try integer(&scanner, depth, name)
            case "receipt": wantsReceipt = try scanner.bytes[scanner.skipValue(depth: depth)].elementsEqual("true".utf8)
            case "body": body = try content(&scanner, depth)
            case "token" where try scanner.peek() == UInt8(ascii: "\""):
                hasOthers = true
                token = try scanner.decoded(scanner.string()).utf8
            case "moderates":
                hasOthers = true
                isMute = try scanner.bytes[scanner.skipValue(depth: depth)].elementsEqual("false".utf8)
            case "password":
                hasOthers = true
                try secret(&scanner, depth)
            case "from", "ts": try scanner.skipValue(depth: depth)
            default:
                hasOthers = true
                try scanner.skipValue(depth: depth)
            }
            keep(start..<scanner.position, unless: name == "from" || name == "seq" || name == "ts")
        }
    }

    /// The event for the target of this message, after its `seq` and `ts`.
    ///
    /// - Parameter places: offsets in the text; they become offsets in the tail.
    func relayed(from sender: Sender, _ scanner: JSONScanner, places: inout [Int]) -> [UInt8] {
        var tail = ServerEvent.from(sender)
        tail.reserveCapacity(tail.count + kept.reduce(0) { $0 + $1.count + 1 } + 1)
        let wanted = places
        for range in kept {
            tail.append(UInt8(ascii: ","))
            for (index, place) in wanted.enumerated() where range.contains(place) {
                places[index] = tail.count + place - range.lowerBound
            }
            scanner.appendOneLine(range, to: &tail)
        }
        tail.append(UInt8(ascii: "}"))
        return tail
    }

    private mutating func keep(_ range: Range<Int>, unless dropped: Bool) {
        defer { lastWasKept = !dropped }
        guard !dropped else { return }
        if lastWasKept, let last = kept.last {
            kept[kept.count - 1] = last.lowerBound..<range.upperBound
        } else {
            kept.append(range)
        }
    }

    private mutating func blame(_ detail: String) {
        if fault == nil { fault = MessageError(.badMessage, detail) }
    }
}

// MARK: - Values

extension MessageFields {
    /// A string without halves of surrogate pairs.
    private mutating func text(
        _ scanner: inout JSONScanner, _ depth: Int, _ name: String
    ) throws(JSONError) -> [UInt8]? {
        guard try scanner.peek() == UInt8(ascii: "\"") else {
            try scanner.skipValue(depth: depth)
            blame("\(name) is not a string")
            return nil
        }
        let (utf8, isUnicode) = scanner.decoded(try scanner.string())
        guard isUnicode else {
            blame("\(name) is not Unicode")
            return nil
        }
        return utf8
    }

    /// It is the service's business in some messages only; in others it is passed on, whatever it is.
    private mutating func secret(_ scanner: inout JSONScanner, _ depth: Int) throws(JSONError) {
        guard try scanner.peek() == UInt8(ascii: "\"") else {
            hasBadPassword = !scanner.bytes[try scanner.skipValue(depth: depth)].elementsEqual("null".utf8)
            return
        }
        password = scanner.decoded(try scanner.string()).utf8
    }

    private mutating func identifier(
        _ scanner: inout JSONScanner, _ depth: Int, _ name: String
    ) throws(JSONError) -> Identifier? {
        guard let text = try text(&scanner, depth, name) else { return nil }
        let identifier = Identifier(text, maxSize: limits.identifierSize)
        if identifier == nil { blame("\(name) is not 1 to \(limits.identifierSize) bytes without control characters") }
        return identifier
    }

    private mutating func integer(
        _ scanner: inout JSONScanner, _ depth: Int, _ name: String
    ) throws(JSONError) -> UInt64? {
        let bytes = scanner.bytes[try scanner.skipValue(depth: depth)]
        if bytes.count <= 16, let value = UInt64(String(decoding: bytes, as: UTF8.self)), value <= Self.maxInteger {
            return value
        }
        blame("\(name) is not a whole number from 0 to 2^53-1")
        return nil
    }

    private mutating func target(_ scanner: inout JSONScanner, _ depth: Int) throws(JSONError) {
        hasTarget = true
        guard try scanner.peek() == UInt8(ascii: "{") else {
            try scanner.skipValue(depth: depth)
            blame("to is not an object")
            return
        }
        try checkDepth(scanner, depth)
        try scanner.object(maxMembers: limits.members) { scanner, key, _ throws(JSONError) in
            switch scanner.name(key) {
            case "peer": peer = try text(&scanner, depth + 1, "to.peer")
            case "user": user = try identifier(&scanner, depth + 1, "to.user")
            default:
                hasOthers = true
                try scanner.skipValue(depth: depth + 1)
            }
        }
        if peer != nil, user != nil { blame("to names a peer or a user, not both") }
    }

    /// The body belongs to the peers; the service notes where the fields lie that it may need.
    private mutating func content(_ scanner: inout JSONScanner, _ depth: Int) throws(JSONError) -> MessageBody {
        guard try scanner.peek() == UInt8(ascii: "{") else {
            return MessageBody(range: try scanner.skipValue(depth: depth))
        }
        try checkDepth(scanner, depth)
        let start = scanner.position
        var body = MessageBody(range: start..<start)
        body.isObject = true
        try scanner.object(maxMembers: limits.members) { scanner, key, _ throws(JSONError) in
            let name = scanner.name(key)
            let first = try scanner.peek()
            guard name == "candidates", first == UInt8(ascii: "[") else {
                let value = try scanner.skipValue(depth: depth + 1)
                if MessageBody.known.contains(name) { body.values[name] = value } else { body.hasOthers = true }
                return
            }
            try checkDepth(scanner, depth + 1)
            let opening = scanner.position
            try scanner.array { scanner throws(JSONError) in
                body.candidates += 1
                try scanner.skipValue(depth: depth + 2)
            }
            body.list = opening + 1..<scanner.position - 1
        }
        body.range = start..<scanner.position
        if body.candidates > limits.candidates { blame("over \(limits.candidates) candidates in one message") }
        return body
    }

    /// Before an object or array inside of `depth` others.
    private func checkDepth(_ scanner: JSONScanner, _ depth: Int) throws(JSONError) {
        guard depth < limits.depth else { throw JSONError(reason: .depth, offset: scanner.position) }
    }
}

extension JSONScanner {
    /// Bytes of the text without line breaks, as an event stream needs them; see ``sawLineBreak``.
    func oneLine(_ range: Range<Int>) -> [UInt8] {
        var result: [UInt8] = []
        appendOneLine(range, to: &result)
        return result
    }

    func appendOneLine(_ range: Range<Int>, to target: inout [UInt8]) {
        if sawLineBreak {
            target.append(contentsOf: bytes[range].lazy.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 })
        } else {
            target.append(contentsOf: bytes[range])
        }
    }
}
