import FuzzSupport

@testable import SocketIO

/// What a client of Socket.IO sends: a payload of Engine.IO, whose messages are packets of Socket.IO. What is taken can be sent on,
/// and is read again as the same.
enum PacketsTarget {
    static func run(_ input: [UInt8]) {
        if let packets = payload(input) {
            read(packets.map(\.data), bounds())
            read(packets.map(\.data), tightBounds())
        }
        // As one message of a WebSocket, in which U+001E parts nothing.
        if let packet = try? EnginePacketCoder.decode(text: input) { read([packet.data], bounds()) }
    }

    private static func bounds() -> SocketPacketDecoder.Limits { SocketPacketDecoder.Limits(SocketOptions()) }

    private static func tightBounds() -> SocketPacketDecoder.Limits {
        var options = SocketOptions()
        (options.maxAttachments, options.maxPacketSize, options.maxDepth, options.maxValues) = (1, 64, 3, 8)
        return SocketPacketDecoder.Limits(options)
    }

    private static func payload(_ input: [UInt8]) -> [EnginePacket]? {
        guard let packets = try? EnginePacketCoder.decode(payload: input, maxPackets: 64) else { return nil }
        check((1...64).contains(packets.count), "more packets than may be")
        let written = EnginePacketCoder.payload(packets)
        // Base64 has several spellings of some bytes.
        let isText = packets.allSatisfy { if case .text = $0.data { true } else { false } }
        check(!isText || written == input, "it is written as another")
        check((try? EnginePacketCoder.decode(payload: written, maxPackets: 64)) == packets, "it is read as another")
        return packets
    }

    // MARK: Socket.IO

    private static func read(_ messages: [EngineData], _ limits: SocketPacketDecoder.Limits) {
        var decoder = SocketPacketDecoder(limits)
        for message in messages {
            do throws(SocketPacketDecoder.Fault) {
                switch message {
                case .text(let text): if let packet = try decoder.decode(text) { sendOn(packet, limits) }
                case .binary(let data): if let packet = try decoder.decode(attachment: data) { sendOn(packet, limits) }
                case .shared: break
                }
            } catch {
                return
            }
        }
    }

    private static func sendOn(_ packet: SocketPacket, _ limits: SocketPacketDecoder.Limits) {
        let written: EncodedPacket
        switch packet.content {
        case .event(let name, let arguments, let id):
            check(!SocketPacketDecoder.reservedNames.contains(name), "an event that Socket.IO keeps for itself")
            written = .event(packet.namespace, name, arguments.allRelayed, id: id)
        case .acknowledgement(let arguments, let id):
            written = .acknowledgement(packet.namespace, arguments.allRelayed, id: id)
        case .disconnect: written = .disconnect(packet.namespace)
        case .connect(let auth):
            if let auth { check((try? SocketJSON(auth.bytes, maxDepth: limits.depth)) == auth, "it is no JSON") }
            return
        case .connectError: return
        }
        check(written.attachments.count <= limits.attachments, "more attachments than may be")
        check(!written.text.contains(EnginePacketCoder.separator), "a text that long polling would cut")
        // Numbers may get longer, so that bounds of size do not hold for what is written.
        var decoder = SocketPacketDecoder(bounds())
        var again = try? decoder.decode(written.text)
        for attachment in written.attachments { again = try? decoder.decode(attachment: attachment) }
        guard let again else { fatalError("broken: what is sent on is not read") }
        check(again.namespace == packet.namespace && isSame(again.content, packet.content), "it is read as another")
    }

    private static func isSame(_ one: SocketPacket.Content, _ other: SocketPacket.Content) -> Bool {
        switch (one, other) {
        case (.event(let name, let arguments, let id), .event(let name2, let arguments2, let id2)):
            name == name2 && id == id2 && isSame(.array(arguments.values), .array(arguments2.values))
        case (.acknowledgement(let arguments, let id), .acknowledgement(let arguments2, let id2)):
            id == id2 && isSame(.array(arguments.values), .array(arguments2.values))
        default: one == other
        }
    }

    /// Whether they are the same to JavaScript: numbers by their value, and null for those that JSON cannot say.
    private static func isSame(_ one: SocketValue, _ other: SocketValue) -> Bool {
        switch (one, other) {
        case (.integer, .integer), (.integer, .number), (.number, .integer), (.number, .number):
            one.number == other.number
        case (.null, .number(let number)), (.number(let number), .null): !number.isFinite
        case (.array(let one), .array(let other)):
            one.count == other.count && zip(one, other).allSatisfy { isSame($0, $1) }
        case (.object(let one), .object(let other)):
            one.members.count == other.members.count
                && zip(one.members, other.members).allSatisfy { $0.name == $1.name && isSame($0.value, $1.value) }
        default: one == other
        }
    }

    static var seeds: [(name: String, bytes: [UInt8])] {
        [
            #"40{"token":"eyJ"}"#, #"42/chat,17["message",{"text":"\ud83d\ude00","list":[1,2.5e3,-0,null,true]}]"#,
            "431[\"ok\"]\u{1E}2probe\u{1E}3",
            "452-9[\"file\",{\"_placeholder\":true,\"num\":1},{\"a\":{\"_placeholder\":true,\"num\":0}}]\u{1E}bAQID\u{1E}bBA==",
            "461-3[{\"_placeholder\":true,\"num\":0}]\u{1E}bAQI=", "41/chat,", "44{\"message\":\"no\"}",
            "42[5,\"a name\"]", "6",
        ].enumerated().map { (name: "packets-\($0)", bytes: Array($1.utf8)) }
    }
}
