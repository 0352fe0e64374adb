import Testing

@testable import SocketIO

@Suite("Packets of Socket.IO, decoded")
struct SocketPacketDecoderTests {
    private func decode(_ text: String, _ attachments: [UInt8]...) throws -> SocketPacket? {
        var decoder = SocketPacketDecoder(SocketPacketDecoder.Limits(SocketOptions()))
        var packet = try decoder.decode(bytes(text))
        for attachment in attachments {
            #expect(packet == nil)
            packet = try decoder.decode(attachment: attachment)
        }
        return packet
    }

    private func event(_ text: String, _ attachments: [UInt8]...) throws -> (String, [SocketValue], UInt64?) {
        var decoder = SocketPacketDecoder(SocketPacketDecoder.Limits(SocketOptions()))
        var packet = try decoder.decode(bytes(text))
        for attachment in attachments { packet = try decoder.decode(attachment: attachment) }
        guard case .event(let name, let arguments, let id) = try #require(packet).content else {
            Issue.record("\(text) is no event")
            return ("", [], nil)
        }
        return (name, arguments.values, id)
    }

    // MARK: The examples of the protocol's document

    @Test("A client connects to a namespace, and may say who it is")
    func connect() throws {
        #expect(try decode("0") == SocketPacket(content: .connect(nil), namespace: "/"))
        #expect(try decode("0/admin,") == SocketPacket(content: .connect(nil), namespace: "/admin"))
        #expect(try decode("0/random") == SocketPacket(content: .connect(nil), namespace: "/random"))
        let auth = SocketJSON(valid: bytes("{\"token\":\"123\"}"))
        #expect(try decode("0{\"token\":\"123\"}") == SocketPacket(content: .connect(auth), namespace: "/"))
        #expect(try decode("0/admin,{\"token\":\"123\"}") == SocketPacket(content: .connect(auth), namespace: "/admin"))
    }

    @Test("An event is a non-empty array whose first element is its name")
    func events() throws {
        #expect(try event("2[\"foo\"]") == ("foo", [], nil))
        #expect(try event("212[\"foo\"]") == ("foo", [], 12))
        #expect(try event("2/admin,[\"bar\",1,\"2\",{\"3\":[true]}]") == ("bar", [1, "2", ["3": [true]]], nil))
        #expect(try event("2/admin,456[\"bar\"]") == ("bar", [], 456))
        #expect(try event("2[17, null]") == ("17", [nil], nil))
    }

    @Test("A binary event waits for its attachments, which stand where their placeholders are")
    func binaryEvents() throws {
        let text = "52-/admin,12[\"baz\",{\"_placeholder\":true,\"num\":1},{\"a\":[{\"_placeholder\":true,\"num\":0}]}]"
        #expect(try event(text, [1, 2], [3, 4]) == ("baz", [.binary([3, 4]), ["a": [.binary([1, 2])]]], 12))
    }

    @Test("An acknowledgement names the event and may be empty")
    func acknowledgements() throws {
        guard case .acknowledgement(let arguments, let id) = try decode("3/admin,13[\"bar\"]")?.content else {
            Issue.record("no acknowledgement")
            return
        }
        #expect(arguments.values == ["bar"] && id == 13)
        guard case .acknowledgement(let none, 0) = try decode("30[]")?.content else {
            Issue.record("no acknowledgement")
            return
        }
        #expect(none.count == 0)
        let binary = try decode("61-15[\"bar\",{\"_placeholder\":true,\"num\":0}]", [1, 2, 3, 4])
        guard case .acknowledgement(let values, 15) = binary?.content else {
            Issue.record("no acknowledgement")
            return
        }
        #expect(values.values == ["bar", .binary([1, 2, 3, 4])])
    }

    @Test("A client leaves a namespace")
    func disconnect() throws {
        #expect(try decode("1") == SocketPacket(content: .disconnect, namespace: "/"))
        #expect(try decode("1/admin,") == SocketPacket(content: .disconnect, namespace: "/admin"))
        #expect(try decode("1/custom") == SocketPacket(content: .disconnect, namespace: "/custom"))
    }

    // MARK: What is refused

    @Test(
        "A malformed packet is refused",
        arguments: [
            "", "7", "9[\"a\"]", "abc", "2", "212", "2[]", "2{}", "2\"a\"", "2[\"a\"", "2[\"a\"]x", "2[null]", "2[{}]",
            "2[true]",
            "2[1.5]", "2nope", "2[\"a\",]", "2[\"a\",\u{1}]", "2[\"\\x\"]", "2[\"a\",01]", "2[\"a\",+1]",
            "2[\"a\",NaN]",
            "2-1[\"a\"]", "2/admin", "2/admin,", "3[\"a\"]", "31", "31{}", "31nope", "1{}", "1[]", "0[]", "0\"a\"",
            "0{", "0{}x",
            "2[\"connect\"]", "2[\"connect_error\"]", "2[\"disconnect\"]", "2[\"disconnecting\"]", "2[\"newListener\"]",
            "2[\"removeListener\"]", "2[\"\\u0063onnect\"]", "29007199254740992[\"a\"]",
            "299999999999999999999999999[\"a\"]", "5[\"a\"]", "5-[\"a\"]", "50-[\"a\"]", "5-1[\"a\"]", "511-[\"a\"]",
            "51",
            "51.5-[\"a\"]", "51-", "5999999999999999999999-[\"a\"]", "6-1[]", "2[\"\u{FFFD}\\ud800\"",
        ])
    func malformed(text: String) {
        #expect(throws: SocketPacketDecoder.Fault.self) { try decode(text) }
    }

    @Test("Text that is not UTF-8 is refused")
    func encoding() {
        var decoder = SocketPacketDecoder(SocketPacketDecoder.Limits(SocketOptions()))
        #expect(throws: SocketPacketDecoder.Fault.json(.encoding)) {
            try decoder.decode(bytes("2[\"a") + [0xC3, 0x28] + bytes("\"]"))
        }
        #expect(throws: SocketPacketDecoder.Fault.namespace) { try decoder.decode(bytes("0/a") + [0xFF, 0x2C]) }
        #expect(throws: SocketPacketDecoder.Fault.namespace) { try decode("0/a\u{1E}b,") }
    }

    @Test(
        "A placeholder that names no attachment, or one of another, is refused",
        arguments: [
            "51-[\"a\",{\"_placeholder\":true,\"num\":1}]", "51-[\"a\",{\"_placeholder\":true,\"num\":-1}]",
            "51-[\"a\",{\"_placeholder\":true,\"num\":\"0\"}]", "51-[\"a\",{\"_placeholder\":true}]", "51-[\"a\"]",
            "51-[{\"_placeholder\":true,\"num\":0}]",
            "51-[\"a\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":0}]",
            "51-{\"a\":{\"_placeholder\":true,\"num\":0}}", "51-[\"a\",{\"_placeholder\":true,\"num\":0}",
        ])
    func placeholders(text: String) {
        #expect(throws: SocketPacketDecoder.Fault.self) { try decode(text, [1]) }
    }

    @Test("In a packet without attachments a placeholder is an object like others")
    func plainPlaceholder() throws {
        #expect(try event("2[\"a\",{\"_placeholder\":true,\"num\":0}]").1 == [["_placeholder": true, "num": 0]])
    }

    @Test("A text among attachments and an attachment without a packet are refused")
    func order() throws {
        var decoder = SocketPacketDecoder(SocketPacketDecoder.Limits(SocketOptions()))
        #expect(throws: SocketPacketDecoder.Fault.attachmentUnexpected) { try decoder.decode(attachment: [1]) }
        #expect(try decoder.decode(bytes("51-[\"a\",{\"_placeholder\":true,\"num\":0}]")) == nil)
        #expect(throws: SocketPacketDecoder.Fault.attachmentMissing) { try decoder.decode(bytes("2[\"a\"]")) }
    }

    // MARK: Bounds

    private func decoder(_ change: (inout SocketOptions) -> Void) -> SocketPacketDecoder {
        var options = SocketOptions()
        change(&options)
        return SocketPacketDecoder(SocketPacketDecoder.Limits(options))
    }

    @Test("Attachments are bounded in number and in size")
    func attachmentBounds() throws {
        var few = decoder { $0.maxAttachments = 2 }
        #expect(throws: SocketPacketDecoder.Fault.tooManyAttachments) { try few.decode(bytes("53-[\"a\"]")) }
        var small = decoder { $0.maxPacketSize = 42 }
        _ = try small.decode(bytes("51-[\"a\",{\"_placeholder\":true,\"num\":0}]"))
        #expect(throws: SocketPacketDecoder.Fault.tooLarge) { try small.decode(attachment: [1, 2, 3, 4, 5]) }
        var fresh = decoder { $0.maxPacketSize = 40 }
        #expect(throws: SocketPacketDecoder.Fault.tooLarge) {
            try fresh.decode(bytes("2[\"" + String(repeating: "a", count: 40) + "\"]"))
        }
    }

    @Test("Depth and the number of values are bounded")
    func jsonBounds() throws {
        var flat = decoder { $0.maxDepth = 2 }
        _ = try flat.decode(bytes("2[\"a\",[1]]"))
        #expect(throws: SocketPacketDecoder.Fault.json(.depth)) { try flat.decode(bytes("2[\"a\",[[1]]]")) }
        var few = decoder { $0.maxValues = 3 }
        _ = try few.decode(bytes("2[\"a\",1,2]"))
        #expect(throws: SocketPacketDecoder.Fault.json(.size)) { try few.decode(bytes("2[\"a\",1,2,3]")) }
    }

    @Test("The name of a namespace is bounded")
    func namespaceBound() throws {
        let name = "/" + String(repeating: "n", count: 255)
        #expect(try decode("0\(name),")?.namespace == name)
        #expect(throws: SocketPacketDecoder.Fault.namespace) { try decode("0\(name)n,") }
    }
}
