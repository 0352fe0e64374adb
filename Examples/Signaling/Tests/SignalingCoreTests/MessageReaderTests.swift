import Testing

@testable import SignalingCore

@Suite struct MessageReaderTests {
    private let peer = "1-00000000000000000000000000000002"

    private func offer(_ rest: String = "") -> String {
        "{\"t\":\"offer\",\"to\":{\"peer\":\"\(peer)\"},\"room\":\"r\"\(rest)}"
    }

    private func error(_ text: String, limits: ServiceLimits = ServiceLimits()) throws -> MessageError.Code? {
        try read(text, limits: limits).first?.errorCode
    }

    @Test func readsTheFieldsOfAMessage() throws {
        let text = offer(",\"id\":\"c1-17\",\"call\":\"k\",\"neg\":3,\"ttl\":30000,\"body\":{\"sdp\":\"v=0\"}")
        let received = try #require(try read(text).first)
        let message = try received.content.get()
        #expect(received.id?.utf8 == Array("c1-17".utf8))
        guard case .relay(let relayed) = message.kind else {
            Issue.record("not a relay")
            return
        }
        #expect(relayed.note.call?.utf8 == Array("k".utf8))
        #expect(relayed.note.neg == 3)
        #expect(relayed.ttl == 30000)
        #expect(relayed.room.utf8 == Array("r".utf8))
        #expect(relayed.to == SessionID(peer).map(Destination.peer))
    }

    @Test func passesOnTheBytesOfAMessageAsTheyAre() throws {
        let body = "{\"sdp\":\"\\u0041 é\",\"n\":1.50e3, \"x\" : [ ]}"
        let received = try #require(try read(offer(",\"x-own\":[1, 2],\"body\":\(body)")).first)
        guard case .success(let message) = received.content, case .relay(let relayed) = message.kind else {
            Issue.record("not a relay")
            return
        }
        let expected =
            "\"from\":{\"peer\":\"0-00000000000000000000000000000001\"},"
            + offer(",\"x-own\":[1, 2],\"body\":\(body)").dropFirst()
        #expect(String(decoding: relayed.tail, as: UTF8.self) == expected)
    }

    @Test(arguments: [
        "{\"from\":{\"peer\":\"me\"},\"t\":\"offer\",\"seq\":9,\"to\":{\"peer\":\"P\"},\"ts\":1,\"room\":\"r\"}",
        "{\"t\":\"offer\",\"to\":{\"peer\":\"P\"},\"room\":\"r\",\"ts\":\"x\",\"seq\":1,\"from\":null}",
        "{\"t\":\"offer\",\"to\":{\"peer\":\"P\"},\"room\":\"r\",\"\\u0066rom\":{},\"s\\u0065q\":2}",
    ])
    func replacesWhatOnlyTheServiceMaySet(_ text: String) throws {
        let relayed = try #require(try read(text.replacing("\"P\"", with: "\"\(peer)\"")).first?.relayed)
        #expect(Set(relayed.keys) == ["from", "t", "to", "room"])
        #expect((relayed["from"] as? [String: String]) == ["peer": "0-00000000000000000000000000000001"])
    }

    @Test func passesOnOneLine() throws {
        let text = "{\r\n\"t\":\n\"offer\",\"to\":{\"peer\":\"\(peer)\"}\n,\"room\":\"r\"}\n"
        let received = try #require(try read(text).first)
        guard case .success(let message) = received.content, case .relay(let relayed) = message.kind else {
            Issue.record("not a relay")
            return
        }
        #expect(!relayed.tail.contains(0x0A) && !relayed.tail.contains(0x0D))
        #expect(received.relayed != nil)
    }

    @Test func readsABatchWithItsErrors() throws {
        let messages = try read(
            "[{\"t\":\"ping\",\"id\":\"1\"},5,{\"id\":\"2\"},{\"t\":\"nonsense\",\"id\":\"3\"},\(offer())]")
        #expect(messages.map(\.errorCode) == [nil, .badMessage, .badMessage, .unknownType, nil])
        #expect(messages.map { $0.id.map { String(decoding: $0.utf8, as: UTF8.self) } } == ["1", nil, "2", "3", nil])
    }

    @Test(arguments: [
        "{\"t\":1}", "{\"t\":\"ack\"}", "{\"t\":\"ack\",\"seq\":-1}", "{\"t\":\"ack\",\"seq\":1.5}",
        "{\"t\":\"ack\",\"seq\":9007199254740992}", "{\"t\":\"join\"}", "{\"t\":\"join\",\"room\":\"\"}",
        "{\"t\":\"join\",\"room\":7}", "{\"t\":\"join\",\"room\":\"a\\u0000\"}",
        "{\"t\":\"join\",\"room\":\"r\",\"body\":[]}",
        "{\"t\":\"offer\",\"room\":\"r\"}", "{\"t\":\"offer\",\"room\":\"r\",\"to\":\"p\"}",
        "{\"t\":\"offer\",\"room\":\"r\",\"to\":{\"peer\":1}}", "{\"t\":\"ping\",\"id\":\"\\ud800\"}",
        "{\"t\":\"offer\",\"room\":\"r\",\"to\":{\"peer\":\"0-00000000000000000000000000000001\"}}",
    ])
    func refusesMessagesThatLackSomething(_ text: String) throws { #expect(try error(text) == .badMessage) }

    @Test(arguments: ["x", "2-00000000000000000000000000000002", "1-2", "01-00000000000000000000000000000002", "-1-0"])
    func knowsIdsThatAreOfNoPeer(_ peer: String) throws {
        #expect(try error("{\"t\":\"offer\",\"room\":\"r\",\"to\":{\"peer\":\"\(peer)\"}}") == .noSuchPeer)
    }

    @Test(arguments: ["", "7", "\"x\"", "{", "[{\"t\":\"ping\"}", "{}x", "{\"t\":\"ping\",\"t\":\"ping\"}"])
    func refusesBodiesThatAreNotMessages(_ text: String) {
        #expect { try read(text) } throws: { error in
            if case .badJSON? = error as? MessageReader.Refusal { true } else { false }
        }
    }

    // MARK: Limits

    @Test func limitsTheSizeOfAMessage() throws {
        var limits = ServiceLimits()
        limits.messageSize = 30
        #expect(try error("{\"t\":\"ping\",\"x\":\"01234567890\"}", limits: limits) == nil)
        #expect(throws: MessageReader.Refusal.tooLarge("over 30 bytes")) {
            try read("{\"t\":\"ping\",\"x\":\"012345678901\"}", limits: limits)
        }
    }

    @Test func limitsTheNumberOfMessages() throws {
        let batch = { (count: Int) in
            "[\(Array(repeating: "{\"t\":\"ping\"}", count: count).joined(separator: ","))]"
        }
        #expect(try read(batch(64)).count == 64)
        #expect(throws: MessageReader.Refusal.tooLarge("over 64 messages in one request")) { try read(batch(65)) }
    }

    @Test func limitsDepthInEveryField() throws {
        var limits = ServiceLimits()
        limits.depth = 3
        let deep = ["\"x\":[[1]]", "\"body\":{\"a\":[1]}", "\"body\":{\"candidates\":[1]}", "\"to\":{\"a\":[1]}"]
        for text in deep { #expect(throws: Never.self) { try read("{\(text)}", limits: limits) } }
        for text in deep {
            let deeper = text.replacing("1", with: "[1]")
            #expect(throws: MessageReader.Refusal.self, "\(deeper)") { try read("{\(deeper)}", limits: limits) }
        }
        limits.depth = 1
        for text in ["\"to\":{}", "\"body\":{}", "\"x\":[]"] {
            #expect(throws: MessageReader.Refusal.self) { try read("{\(text)}", limits: limits) }
        }
    }

    @Test func limitsCandidates() throws {
        let candidates = { (count: Int) in
            offer(",\"body\":{\"candidates\":[\(Array(repeating: "{}", count: count).joined(separator: ","))]}")
        }
        #expect(try error(candidates(64)) == nil)
        #expect(try error(candidates(65)) == .badMessage)
    }

    @Test func limitsNamesAndWhatAPeerSaysOfItself() throws {
        let long = String(repeating: "x", count: 128)
        #expect(try error("{\"t\":\"join\",\"room\":\"\(long)\"}") == nil)
        #expect(try error("{\"t\":\"join\",\"room\":\"\(long)x\"}") == .badMessage)
        #expect(try error("{\"t\":\"ping\",\"id\":\"\(long)x\"}") == .badMessage)
        let meta = { (count: Int) in
            "{\"t\":\"join\",\"room\":\"r\",\"body\":{\"a\":\"\(String(repeating: "x", count: count))\"}}"
        }
        #expect(try error(meta(1024 - 8)) == nil)
        #expect(try error(meta(1024 - 7)) == .badMessage)
    }
}
