import Testing

@testable import SignalingCore

/// Expiry, superseding, receipts, and what is done for consumers that are slow.
@Suite struct PromiseTests {
    /// Bob's stream takes one more event, and then nothing.
    private func slowPair(_ loops: Int, limits: ServiceLimits = ServiceLimits()) throws -> Pair {
        var limits = limits
        limits.streamWindow = 100
        let pair = try Pair(loops: loops, limits: limits)
        pair.bob.block()
        try pair.ada.send("[\(pair.ada.message("msg", to: pair.bob)),\(pair.ada.message("msg", to: pair.bob))]")
        return pair
    }

    private func ids(_ events: [JSONFields]) -> [String] { events.map { $0["id"] as? String ?? "?" } }

    @Test(arguments: [1, 3])
    func aMessageExpiresBeforeDelivery(_ loops: Int) throws {
        let pair = try slowPair(loops)
        let (ada, bob) = (pair.ada, pair.bob)
        #expect(try ada.send(ada.message("offer", to: bob, ",\"id\":\"x\",\"ttl\":3000,\"call\":\"k\"")) == ["ok"])
        #expect(try ada.send(ada.message("msg", to: bob, ",\"id\":\"y\",\"ttl\":90000")) == ["ok"])
        pair.cluster.advance(seconds: 2)
        #expect(try ada.events("expired").isEmpty)
        pair.cluster.advance(seconds: 2)
        let expired = try ada.events("expired")
        #expect(ids(expired) == ["x"])
        #expect(expired.first?["of"] as? String == "offer")
        #expect(areEqual(expired.first?["to"], ["peer": bob.sid]))
        bob.unblock()
        #expect(try bob.events("offer").isEmpty)
        #expect(ids(try bob.events("msg")).last == "y")
        #expect(try ada.events("expired").count == 1)
    }

    @Test func aMessageThatWasSentInVainExpiresAtTheResume() throws {
        let pair = try Pair(loops: 2)
        try pair.ada.send(pair.ada.message("offer", to: pair.bob, ",\"id\":\"x\",\"ttl\":3000"))
        try pair.ada.send(pair.ada.message("msg", to: pair.bob, ",\"id\":\"y\""))
        pair.bob.cut()
        pair.cluster.advance(seconds: 4)
        let stream = pair.bob.open(after: "1.1")
        pair.cluster.settle()
        #expect(pair.bob.resumption(stream) == .yes)
        #expect(ids(try pair.bob.events()) == ["y"])
        #expect(ids(try pair.ada.events("expired")) == ["x"])
    }

    @Test(arguments: [1, 3])
    func aNewerOfferTakesThePlaceOfOneThatWaits(_ loops: Int) throws {
        let pair = try slowPair(loops)
        let (ada, bob) = (pair.ada, pair.bob)
        let sdp = { (ufrag: String) in "\"body\":{\"sdp\":\"a=ice-ufrag:\(ufrag)\\r\\n\"}" }
        for message in [
            ada.message("offer", to: bob, ",\"id\":\"1\",\"call\":\"k\",\"neg\":1,\(sdp("u"))"),
            ada.message("candidates", to: bob, ",\"id\":\"c\",\"call\":\"k\",\"neg\":1,\"body\":{\"ufrag\":\"u\"}"),
            ada.message("offer", to: bob, ",\"id\":\"2\",\"call\":\"k\",\"neg\":2,\(sdp("u"))"),
            ada.message("offer", to: bob, ",\"id\":\"other\",\"call\":\"l\",\"neg\":1"),
            ada.message("offer", to: bob, ",\"id\":\"3\",\"call\":\"k\",\"neg\":3,\(sdp("v"))"),
        ] { #expect(try ada.send(message) == ["ok"]) }
        #expect(Set(ids(try ada.events("superseded"))) == ["1", "2", "c"])
        bob.unblock()
        #expect(ids(try bob.events().filter { $0["call"] != nil }) == ["other", "3"])
    }

    @Test func candidatesAreMergedForASlowConsumer() throws {
        let pair = try slowPair(2)
        let (ada, bob) = (pair.ada, pair.bob)
        let offer = ada.message("offer", to: bob, ",\"id\":\"o\",\"call\":\"k\",\"neg\":1")
        func some(_ names: [Int], _ more: String = "") -> String {
            let list = names.map { "{\"candidate\":\"\($0)\"}" }.joined(separator: ",")
            let body = "{\"candidates\":[\(list)],\"ufrag\":\"u\"\(more)}"
            return ada.message("candidates", to: bob, ",\"call\":\"k\",\"neg\":1,\"body\":\(body)")
        }
        for message in [offer, some([]), some([1, 2]), some([3], ",\"end\":true"), some([4])] {
            #expect(try ada.send(message) == ["ok"])
        }
        bob.unblock()
        let events = try bob.events("candidates")
        #expect(events.count == 2, "nothing is put behind the end")
        let body = try #require(events.first?["body"] as? JSONFields)
        #expect(areEqual(body["candidates"], [["candidate": "1"], ["candidate": "2"], ["candidate": "3"]]))
        #expect(body["end"] as? Bool == true)
    }

    @Test func mergedCandidatesStayWithinTheLimitAndKeepTheirOrder() throws {
        var limits = ServiceLimits()
        limits.candidates = 2
        let pair = try slowPair(1, limits: limits)
        let (ada, bob) = (pair.ada, pair.bob)
        try ada.send(ada.message("offer", to: bob, ",\"call\":\"k\",\"neg\":1"))
        let one = ada.message("candidates", to: bob, ",\"call\":\"k\",\"neg\":1,\"body\":{\"candidates\":[{}]}")
        for message in [one, one, one, ada.message("msg", to: bob), one] { try ada.send(message) }
        bob.unblock()
        #expect(try bob.types().suffix(4) == ["candidates", "candidates", "msg", "candidates"])
    }

    @Test(arguments: [1, 3])
    func presenceIsConflatedForASlowConsumer(_ loops: Int) throws {
        let pair = try slowPair(loops)
        let eve = try pair.third()
        for number in 0..<20 {
            try eve.send("{\"t\":\"presence_set\",\"room\":\"r\",\"body\":{\"n\":\(number)}}")
        }
        let passer = try pair.third()
        try passer.send("{\"t\":\"leave\",\"room\":\"r\"}")
        pair.bob.unblock()
        let updates = try pair.bob.events("peer_updated")
        #expect(updates.count == 1)
        #expect(areEqual(updates.first?["meta"], ["n": 19]))
        #expect(try pair.bob.events("peer_joined").map { $0["peer"] as? String } == [eve.sid])
        #expect(try pair.bob.events("peer_left").isEmpty, "who came and went unseen never was there")
        #expect(try pair.ada.events("peer_left").count == 1)
    }

    @Test func whoSpokeWasThere() throws {
        let pair = try slowPair(1)
        let eve = try pair.third()
        try eve.send(eve.message("msg", to: pair.bob))
        try eve.send("{\"t\":\"leave\",\"room\":\"r\"}")
        pair.bob.unblock()
        #expect(try pair.bob.types().suffix(3) == ["peer_joined", "msg", "peer_left"])
    }

    @Test(arguments: [1, 3])
    func aReceiptIsGivenOnceTheClientHasAcknowledged(_ loops: Int) throws {
        let pair = try Pair(loops: loops)
        try pair.ada.send(pair.ada.message("msg", to: pair.bob, ",\"id\":\"m\",\"receipt\":true"))
        #expect(try pair.ada.events("delivered").isEmpty)
        for _ in 0..<2 { try pair.bob.send("{\"t\":\"ack\",\"seq\":2}") }
        let receipts = try pair.ada.events("delivered")
        #expect(ids(receipts) == ["m"])
        #expect(areEqual(receipts.first?["to"], ["peer": pair.bob.sid]))
        try pair.ada.send(pair.ada.message("msg", to: pair.bob, ",\"id\":\"n\",\"receipt\":true"))
        pair.bob.open(after: "1.3")
        pair.cluster.settle()
        #expect(ids(try pair.ada.events("delivered")) == ["m", "n"], "a resume acknowledges as well")
    }

    @Test func whatWaitedForASessionThatEndsIsSaidToHaveExpired() throws {
        let pair = try Pair(loops: 2)
        pair.bob.cut()
        try pair.ada.send(pair.ada.message("offer", to: pair.bob, ",\"id\":\"x\""))
        pair.cluster.advance(seconds: 31)
        #expect(ids(try pair.ada.events("expired")) == ["x"])
    }
}
