import Testing

@testable import SocketIO

@Suite("Packets of Socket.IO, encoded")
struct EncodedPacketTests {
    @Test("Packets are as the protocol's document has them")
    func texts() {
        func text(_ packet: EncodedPacket) -> String { String(decoding: packet.text, as: UTF8.self) }
        #expect(text(.connect("/", sid: "x", pid: nil)) == "0{\"sid\":\"x\"}")
        #expect(text(.connect("/admin", sid: "x", pid: "p")) == "0/admin,{\"sid\":\"x\",\"pid\":\"p\"}")
        #expect(text(.connectError("/", message: "Not authorized", data: nil)) == "4{\"message\":\"Not authorized\"}")
        #expect(
            text(.connectError("/a", message: "m", data: ["code": 1]))
                == "4/a,{\"message\":\"m\",\"data\":{\"code\":1}}")
        #expect(text(.disconnect("/")) == "1")
        #expect(text(.disconnect("/admin")) == "1/admin,")
        #expect(text(.event("/", "foo", [])) == "2[\"foo\"]")
        #expect(text(.event("/admin", "bar", [1, "2", ["3": [true]]])) == "2/admin,[\"bar\",1,\"2\",{\"3\":[true]}]")
        #expect(text(.event("/", "foo", [], id: 12)) == "212[\"foo\"]")
        #expect(text(.event("/", "foo", [1], offset: "o1")) == "2[\"foo\",1,\"o1\"]")
        #expect(text(.acknowledgement("/admin", ["bar"], id: 13)) == "3/admin,13[\"bar\"]")
        #expect(text(.acknowledgement("/", [], id: 0)) == "30[]")
    }

    @Test("Bytes travel beside the text, with placeholders for them")
    func binary() {
        let event = EncodedPacket.event("/admin", "baz", [.binary([1, 2]), ["b": .binary([3, 4])]])
        #expect(
            event.text
                == bytes(
                    "52-/admin,[\"baz\",{\"_placeholder\":true,\"num\":0},{\"b\":{\"_placeholder\":true,\"num\":1}}]"))
        #expect(event.attachments == [[1, 2], [3, 4]])
        let acknowledgement = EncodedPacket.acknowledgement("/", ["bar", .binary([1])], id: 15)
        #expect(acknowledgement.text == bytes("61-15[\"bar\",{\"_placeholder\":true,\"num\":0}]"))
        #expect(
            EnginePacketCoder.payload(acknowledgement.messages)
                == bytes("461-15[\"bar\",{\"_placeholder\":true,\"num\":0}]\u{1E}bAQ=="))
    }

    @Test("What is sent to many is encoded as what is sent to one")
    func shared() {
        let event = EncodedPacket.event("/n", "a", [.binary([9]), "x"])
        #expect(EnginePacketCoder.payload(event.sharedMessages) == EnginePacketCoder.payload(event.messages))
    }

    @Test("What a peer sent is passed on byte for byte")
    func relayed() throws {
        var decoder = SocketPacketDecoder(SocketPacketDecoder.Limits(SocketOptions()))
        let odd = "{\"sdp\" : \"v=0\\r\\n\\u00e9\", \"n\":1.50e3,\"n\":2}"
        let packet = try #require(try decoder.decode(bytes("2[\"offer\", \(odd) ,true]")))
        guard case .event(_, let arguments, _) = packet.content else {
            Issue.record("no event")
            return
        }
        #expect(EncodedPacket.event("/", "offer", arguments.allRelayed).text == bytes("2[\"offer\",\(odd),true]"))
        #expect(arguments[0]["n"].integer == 2)
        #expect(arguments[7] == .null && arguments.relayed(-1) == .null)
    }

    @Test("No payload's text has a record separator in it")
    func separator() {
        let packet = EncodedPacket.event("/", "a\u{1E}b", ["\u{1E}", ["\u{1E}": 1]])
        #expect(!packet.text.contains(EnginePacketCoder.separator))
    }
}
