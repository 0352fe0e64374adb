import Testing

@testable import SocketIO

@Suite("Packets of Engine.IO")
struct EnginePacketCoderTests {
    @Test(
        "A text is a type's digit and data",
        arguments: [
            ("0{}", EnginePacket.Kind.open, "{}"), ("1", .close, ""), ("2", .ping, ""), ("2probe", .ping, "probe"),
            ("3probe", .pong, "probe"), ("4hello", .message, "hello"), ("4€€€", .message, "€€€"), ("4", .message, ""),
            ("5", .upgrade, ""), ("6", .noop, ""),
        ])
    func texts(text: String, type: EnginePacket.Kind, data: String) throws {
        #expect(try EnginePacketCoder.decode(text: bytes(text)) == EnginePacket(type, .text(bytes(data))))
        #expect(EnginePacketCoder.payload([EnginePacket(type, .text(bytes(data)))]) == bytes(text))
    }

    @Test("What has no type is refused", arguments: ["abc", "7", "9x", "/", "", " 4", "\u{0}4", "é"])
    func badTexts(text: String) {
        #expect(throws: EnginePacketCoder.Fault.self) { try EnginePacketCoder.decode(text: bytes(text)) }
        #expect(throws: EnginePacketCoder.Fault.self) {
            try EnginePacketCoder.decode(payload: bytes(text), maxPackets: 10)
        }
    }

    @Test("A payload has packets between record separators")
    func payload() throws {
        let packets = [
            EnginePacket(.message, .text(bytes("hello"))), EnginePacket(.ping),
            EnginePacket(.message, .text(bytes("world"))),
        ]
        #expect(EnginePacketCoder.payload(packets) == bytes("4hello\u{1E}2\u{1E}4world"))
        #expect(try EnginePacketCoder.decode(payload: bytes("4hello\u{1E}2\u{1E}4world"), maxPackets: 3) == packets)
    }

    @Test("Binary data is in base64 behind a b")
    func binary() throws {
        let packets = [EnginePacket(.message, .text(bytes("hello"))), EnginePacket(.message, .binary([1, 2, 3, 4]))]
        #expect(EnginePacketCoder.payload(packets) == bytes("4hello\u{1E}bAQIDBA=="))
        #expect(try EnginePacketCoder.decode(payload: bytes("4hello\u{1E}bAQIDBA=="), maxPackets: 2) == packets)
    }

    @Test(
        "A payload with a packet that is none is refused",
        arguments: [
            "4a\u{1E}", "\u{1E}4a", "4a\u{1E}\u{1E}4b", "4a\u{1E}x", "bAQ", "bAQI", "bA===", "b====", "b*QID",
            "bAQ==AQ==",
            "bAQID\n",
        ])
    func badPayloads(text: String) {
        #expect(throws: EnginePacketCoder.Fault.self) {
            try EnginePacketCoder.decode(payload: bytes(text), maxPackets: 10)
        }
    }

    @Test("A payload of too many packets is refused")
    func tooMany() throws {
        _ = try EnginePacketCoder.decode(payload: bytes("2\u{1E}2"), maxPackets: 2)
        #expect(throws: EnginePacketCoder.Fault.tooManyPackets) {
            try EnginePacketCoder.decode(payload: bytes("2\u{1E}2\u{1E}2"), maxPackets: 2)
        }
    }

    @Test("Base64 comes back as it was, of every length")
    func base64() {
        for count in 0..<66 {
            let data = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ count) }
            var encoded: [UInt8] = []
            Base64.encode(data, to: &encoded)
            #expect(encoded.count == (count + 2) / 3 * 4)
            #expect(Base64.decode(encoded[...]) == data)
        }
    }
}
