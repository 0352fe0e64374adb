/// Puts the packets of one session together from the messages that carry them: a text, and an attachment after the other
/// where it names some.
///
///     <type>[<attachments>-][<namespace>,][<id>][<JSON>]
struct SocketPacketDecoder {
    private let limits: Limits
    private var pending: Pending?

    struct Limits: Sendable {
        var attachments: Int
        var packetSize: Int
        var depth: Int
        var values: Int
        /// A namespace's name, in bytes.
        var namespace = 256

        init(_ options: SocketOptions) {
            attachments = options.maxAttachments
            packetSize = options.maxPacketSize
            depth = options.maxDepth
            values = options.maxValues
        }
    }

    /// What is wrong with what a peer has sent.
    enum Fault: Error, Hashable {
        case unknownType
        case attachments
        case tooManyAttachments
        case namespace
        case id
        case json(SocketJSONError.Reason)
        /// JSON, but not what a packet of the type has.
        case payload
        /// A name that Socket.IO keeps for itself.
        case reservedName
        /// A text where an attachment is due.
        case attachmentMissing
        /// An attachment that no packet names.
        case attachmentUnexpected
        case tooLarge
    }

    /// A packet whose attachments have not all come.
    private struct Pending {
        let head: Head
        let text: [UInt8]
        let start: Int
        var size: Int
        var attachments: [[UInt8]] = []
    }

    private struct Head {
        let kind: SocketPacket.Kind
        let attachments: Int
        let namespace: String
        let id: UInt64?
    }

    init(_ limits: Limits) { self.limits = limits }

    /// Takes a text.
    ///
    /// - Returns: the packet, or nil when attachments follow.
    mutating func decode(_ text: [UInt8]) throws(Fault) -> SocketPacket? {
        guard pending == nil else { throw .attachmentMissing }
        guard text.count <= limits.packetSize else { throw .tooLarge }
        var cursor = Cursor(text)
        let head = try self.head(&cursor)
        guard head.attachments == 0 else {
            guard !cursor.isAtEnd else { throw .payload }
            pending = Pending(head: head, text: text, start: cursor.index, size: text.count)
            return nil
        }
        return SocketPacket(content: try content(head, text, from: cursor.index), namespace: head.namespace)
    }

    /// Takes an attachment.
    ///
    /// - Returns: the packet, or nil when more attachments follow.
    mutating func decode(attachment: [UInt8]) throws(Fault) -> SocketPacket? {
        guard var waiting = pending else { throw .attachmentUnexpected }
        waiting.size += attachment.count
        guard waiting.size <= limits.packetSize else { throw .tooLarge }
        waiting.attachments.append(attachment)
        guard waiting.attachments.count == waiting.head.attachments else {
            pending = waiting
            return nil
        }
        pending = nil
        return SocketPacket(content: try content(waiting), namespace: waiting.head.namespace)
    }

    // MARK: Heads

    /// Walks over the part before the JSON.
    private struct Cursor {
        let bytes: [UInt8]
        private(set) var index = 0

        init(_ bytes: [UInt8]) { self.bytes = bytes }

        var current: UInt8? { index < bytes.count ? bytes[index] : nil }
        var isAtEnd: Bool { index >= bytes.count }

        mutating func next() -> UInt8? {
            guard let current else { return nil }
            index += 1
            return current
        }

        mutating func accept(_ wanted: Character) -> Bool {
            guard let current, current == wanted.asciiValue else { return false }
            index += 1
            return true
        }

        /// Digits; nil when there are none. At most what a number of JavaScript holds exactly.
        mutating func number() throws(Fault) -> UInt64? {
            var value: UInt64?
            while let byte = current, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
                let next = (value ?? 0) * 10 + UInt64(byte - UInt8(ascii: "0"))
                guard next < 1 << 53 else { throw .id }
                value = next
                index += 1
            }
            return value
        }

        /// Up to a comma, which is consumed, or the end; nil when it is longer than `limit`.
        mutating func untilComma(limit: Int) -> ArraySlice<UInt8>? {
            let rest = bytes[index...]
            let end = rest.prefix(limit + 1).firstIndex(of: UInt8(ascii: ",")) ?? rest.endIndex
            guard end - index <= limit else { return nil }
            let start = index
            index = min(end + 1, bytes.count)
            return bytes[start..<end]
        }
    }

    private func head(_ cursor: inout Cursor) throws(Fault) -> Head {
        guard let digit = cursor.next(), digit >= UInt8(ascii: "0"),
            let kind = SocketPacket.Kind(rawValue: digit - UInt8(ascii: "0"))
        else { throw .unknownType }
        var attachments = 0
        if kind == .binaryEvent || kind == .binaryAcknowledgement {
            guard let number = try? cursor.number(), cursor.accept("-"), number > 0 else { throw .attachments }
            guard number <= limits.attachments else { throw .tooManyAttachments }
            attachments = Int(number)
        }
        var namespace = "/"
        if cursor.current == UInt8(ascii: "/") {
            // A name goes back as it came, and U+001E would part the packets of long polling there.
            guard let bytes = cursor.untilComma(limit: limits.namespace), bytes.allSatisfy({ $0 >= 0x20 }),
                let name = String(validating: bytes, as: UTF8.self)
            else { throw .namespace }
            namespace = name
        }
        return Head(kind: kind, attachments: attachments, namespace: namespace, id: try cursor.number())
    }

    // MARK: Payloads

    private func content(_ head: Head, _ text: [UInt8], from start: Int) throws(Fault) -> SocketPacket.Content {
        var reader = SocketJSONReader(text, from: start, maxDepth: limits.depth, maxValues: limits.values)
        let isEmpty = start >= text.count
        switch head.kind {
        case .disconnect:
            guard isEmpty else { throw .payload }
            return .disconnect
        case .connectError: return .connectError
        case .connect:
            guard !isEmpty else { return .connect(nil) }
            let range: Range<Int>
            do throws(SocketJSONError) {
                range = try reader.skipValue()
                try reader.expectEnd()
            } catch {
                throw .json(error.reason)
            }
            guard text[range.lowerBound] == UInt8(ascii: "{") else { throw .payload }
            return .connect(SocketJSON(valid: Array(text[range])))
        case .event, .acknowledgement, .binaryEvent, .binaryAcknowledgement:
            guard !isEmpty else { throw .payload }
            let ranges: [Range<Int>]
            do throws(SocketJSONError) {
                ranges = try reader.elementRanges()
                try reader.expectEnd()
            } catch {
                throw .json(error.reason)
            }
            return try content(head, SocketArguments(text: text, ranges[...]))
        }
    }

    private func content(_ packet: Pending) throws(Fault) -> SocketPacket.Content {
        var reader = SocketJSONReader(
            packet.text, from: packet.start, maxDepth: limits.depth, maxValues: limits.values,
            attachments: packet.attachments)
        let value: SocketValue
        do throws(SocketJSONError) {
            value = try reader.value()
            try reader.expectEnd()
        } catch {
            throw .json(error.reason)
        }
        guard reader.hasAllAttachments else { throw .json(.attachment) }
        guard case .array(let values) = value else { throw .payload }
        return try content(packet.head, SocketArguments(values[...], size: packet.size))
    }

    private func content(_ head: Head, _ arguments: SocketArguments) throws(Fault) -> SocketPacket.Content {
        switch head.kind {
        case .acknowledgement, .binaryAcknowledgement:
            guard let id = head.id else { throw .id }
            return .acknowledgement(arguments, id: id)
        default:
            let name: String
            switch arguments[0] {
            case .string(let text) where !Self.reservedNames.contains(text): name = text
            case .string: throw .reservedName
            // JavaScript's emitters take numbers for names too.
            case .integer(let number): name = String(number)
            default: throw .payload
            }
            return .event(name: name, arguments.dropFirst(), id: head.id)
        }
    }

    /// What clients and servers tell themselves.
    static let reservedNames: Set<String> = [
        "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener",
    ]
}
