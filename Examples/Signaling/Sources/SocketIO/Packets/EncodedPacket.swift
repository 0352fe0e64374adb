/// A packet of Socket.IO as it goes out: the messages of Engine.IO that carry it.
struct EncodedPacket: Sendable, Equatable {
    /// The text from its type on, without that of Engine.IO.
    let text: [UInt8]
    let attachments: [[UInt8]]

    /// About how much it takes, in bytes.
    var size: Int { attachments.reduce(text.count + 64) { $0 + $1.count + 32 } }

    /// For one receiver.
    var messages: [EnginePacket] { [EnginePacket(.message, .text(text))] + binaryMessages }

    /// For many: the text is encoded once.
    var sharedMessages: [EnginePacket] {
        let shared = SharedText(EnginePacketCoder.text(.message, text))
        return [EnginePacket(.message, .shared(shared))] + binaryMessages
    }

    private var binaryMessages: [EnginePacket] { attachments.map { EnginePacket(.message, .binary($0)) } }

    static func connect(_ namespace: String, sid: String, pid: String?) -> EncodedPacket {
        var object: SocketObject = ["sid": .string(sid)]
        object["pid"] = pid.map { .string($0) }
        return EncodedPacket(.connect, namespace, .object(object))
    }

    static func disconnect(_ namespace: String) -> EncodedPacket {
        EncodedPacket(text: head(.disconnect, namespace, attachments: 0, id: nil), attachments: [])
    }

    static func connectError(_ namespace: String, message: String, data: SocketValue?) -> EncodedPacket {
        var object: SocketObject = ["message": .string(message)]
        object["data"] = data
        return EncodedPacket(.connectError, namespace, .object(object))
    }

    /// - Parameter offset: what a client names when it comes back, to get what followed.
    static func event(
        _ namespace: String, _ name: String, _ arguments: [SocketValue], id: UInt64? = nil, offset: String? = nil
    ) -> EncodedPacket {
        let values = [.string(name)] + arguments + (offset.map { [.string($0)] } ?? [])
        return EncodedPacket(.event, .binaryEvent, namespace, values, id: id)
    }

    static func acknowledgement(_ namespace: String, _ arguments: [SocketValue], id: UInt64) -> EncodedPacket {
        EncodedPacket(.acknowledgement, .binaryAcknowledgement, namespace, arguments, id: id)
    }

    private init(text: [UInt8], attachments: [[UInt8]]) {
        self.text = text
        self.attachments = attachments
    }

    private init(_ kind: SocketPacket.Kind, _ namespace: String, _ value: SocketValue) {
        var writer = SocketJSONWriter(Self.head(kind, namespace, attachments: 0, id: nil))
        writer.value(value)
        self.init(text: writer.bytes, attachments: [])
    }

    private init(
        _ kind: SocketPacket.Kind, _ binaryKind: SocketPacket.Kind, _ namespace: String, _ values: [SocketValue],
        id: UInt64?
    ) {
        var writer = SocketJSONWriter()
        writer.array(values)
        let count = writer.attachments.count
        let head = Self.head(count == 0 ? kind : binaryKind, namespace, attachments: count, id: id)
        self.init(text: head + writer.bytes, attachments: writer.attachments)
    }

    private static func head(_ kind: SocketPacket.Kind, _ namespace: String, attachments: Int, id: UInt64?) -> [UInt8] {
        var text = "\(kind.rawValue)"
        if attachments > 0 { text += "\(attachments)-" }
        if namespace != "/" { text += "\(namespace)," }
        if let id { text += "\(id)" }
        return Array(text.utf8)
    }
}
