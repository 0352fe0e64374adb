import Testing

@testable import SignalingCore

/// Every type of message, to a peer, to a user's sessions, to a room.
@Suite struct RelayTests {
    @Test(arguments: RelayedType.allCases, [1, 3])
    func everyRelayedTypeReachesItsTarget(_ type: RelayedType, _ loops: Int) throws {
        let pair = try Pair(loops: loops)
        let body = type == .select ? ",\"body\":{\"party\":\"\(pair.bob.sid)\"}" : ",\"body\":{\"x\":1}"
        #expect(try pair.ada.send(pair.ada.message(type.rawValue, to: pair.bob, body)) == ["ok"])
        let event = try #require(try pair.bob.events(type.rawValue).first)
        #expect(areEqual(event["from"], ["peer": pair.ada.sid]))
    }

    @Test(arguments: [1, 3])
    func aMessageWithoutTargetGoesToAllOthersOfTheRoom(_ loops: Int) throws {
        let pair = try Pair(loops: loops)
        let eve = try pair.third()
        #expect(try pair.ada.send("{\"t\":\"msg\",\"id\":\"m\",\"room\":\"r\",\"body\":{\"text\":\"hi\"}}") == ["ok"])
        for peer in [pair.bob, eve] { #expect(try peer.events("msg").count == 1) }
        #expect(try pair.ada.events("msg").isEmpty)
        #expect(try pair.ada.send("{\"t\":\"offer\",\"room\":\"r\"}") == ["bad_message"], "only msg is for a room")
        #expect(try pair.ada.send("{\"t\":\"msg\",\"room\":\"r\",\"to\":{}}") == ["bad_message"])
        #expect(try pair.ada.send("{\"t\":\"msg\",\"room\":\"s\"}") == ["not_in_room"])
    }

    @Test(arguments: [1, 3])
    func aUserIsReachedOnAllDevices(_ loops: Int) throws {
        let pair = try Pair(loops: loops)
        let phone = try pair.third("eve")
        let laptop = try pair.third("eve")
        let invite = "{\"t\":\"invite\",\"room\":\"r\",\"to\":{\"user\":\"eve\"},\"call\":\"k\"}"
        #expect(try pair.ada.send(invite) == ["ok"])
        for device in [phone, laptop] { #expect(try device.events("invite").count == 1) }
        #expect(try pair.bob.events("invite").isEmpty)
        #expect(try pair.ada.send(invite.replacing("eve", with: "mallory")) == ["no_such_peer"])
        #expect(try phone.send(invite) == ["ok"])
        #expect(try laptop.events("invite").count == 2, "one's own other devices are reached, the sending one is not")
        #expect(try phone.events("invite").count == 1)
        #expect(areEqual(try laptop.events("invite").last?["from"], ["peer": phone.sid, "user": "eve"]))
        #expect(try pair.ada.events("peer_joined").last?["user"] as? String == "eve")
        let both = "{\"t\":\"msg\",\"room\":\"r\",\"to\":{\"user\":\"eve\",\"peer\":\"\(phone.sid)\"}}"
        #expect(try pair.ada.send(both) == ["bad_message"])
    }

    @Test func aFanOutOfAMessageIsOneForEachLoop() throws {
        let pair = try Pair(loops: 2)
        for _ in 0..<6 { _ = try pair.third() }
        let request = pair.ada.post("{\"t\":\"msg\",\"room\":\"r\"}")
        var deliveries = 0
        while pair.cluster.deliverOne() { deliveries += 1 }
        #expect(deliveries <= 10, "call, relay, one fan-out to the other loop, outcome, reply, and what streams wrote")
        #expect(try pair.ada.results(request) == ["ok"])
    }

    @Test(arguments: [1, 3])
    func presenceIsUpdated(_ loops: Int) throws {
        let pair = try Pair(loops: loops)
        #expect(try pair.ada.send("{\"t\":\"presence_set\",\"room\":\"r\",\"body\":{\"muted\":true}}") == ["ok"])
        let event = try #require(try pair.bob.events("peer_updated").first)
        #expect(event["peer"] as? String == pair.ada.sid)
        #expect(areEqual(event["meta"], ["muted": true]))
        let eve = try pair.third()
        let members = try #require(try eve.events("joined").first?["members"] as? [JSONFields])
        #expect(areEqual(members.first?["meta"], ["muted": true]), "who comes later sees it as it is now")
        #expect(try pair.ada.send("{\"t\":\"presence_set\",\"room\":\"s\",\"body\":{}}") == ["not_in_room"])
        #expect(try pair.ada.send("{\"t\":\"presence_set\",\"room\":\"r\"}") == ["bad_message"])
        #expect(try pair.ada.send("{\"t\":\"presence_set\",\"room\":\"r\",\"body\":[]}") == ["bad_message"])
    }

    @Test(arguments: [1, 3])
    func byeIsDoneAfterAllThatCameBeforeIt(_ loops: Int) throws {
        let pair = try Pair(loops: loops)
        let farewell = pair.ada.message("hangup", to: pair.bob)
        #expect(try pair.ada.send("[\(farewell),{\"t\":\"bye\"},\(farewell)]") == ["ok", "ok", "bad_message"])
        #expect(try pair.bob.types().suffix(3) == ["hangup", "peer_left", "peer_updated"])
        #expect(try pair.bob.events("peer_left").last?["reason"] as? String == "bye")
        let again = pair.ada.post("{\"t\":\"ping\"}")
        pair.cluster.settle()
        #expect(pair.ada.reply(again)?.status == 404)
    }

    @Test func aReceiptNeedsAnId() throws {
        let pair = try Pair(loops: 1)
        #expect(try pair.ada.send(pair.ada.message("msg", to: pair.bob, ",\"receipt\":true")) == ["bad_message"])
    }

    @Test func aTargetOfAFanOutThatHasNoPlaceIsToldOfToTheSender() throws {
        var limits = ServiceLimits()
        limits.logMessages = 4
        let pair = try Pair(loops: 3, limits: limits)
        pair.bob.cut()
        for id in 0..<6 { #expect(try pair.ada.send("{\"t\":\"msg\",\"id\":\"\(id)\",\"room\":\"r\"}") == ["ok"]) }
        let errors = try pair.ada.events("error")
        #expect(!errors.isEmpty && errors.last?["code"] as? String == "queue_full")
        #expect(areEqual(errors.last?["to"], ["peer": pair.bob.sid]))
    }
}
