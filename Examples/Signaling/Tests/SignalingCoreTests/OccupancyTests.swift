import Testing

@testable import SignalingCore

@Suite struct OccupancyTests {
    @Test(arguments: [1, 3])
    func aLargeRoomTellsHowManyItHasAndLaterAgainWho(_ loops: Int) throws {
        var limits = ServiceLimits()
        limits.rosterCapacity = 4
        let pair = try Pair(loops: loops, limits: limits)
        let others = try (0..<4).map { _ in try pair.third() }
        let ada = pair.ada
        #expect(try ada.events("peer_joined").count == 3, "Bob, and two more")
        #expect(try ada.events("occupancy").last?["count"] as? Int == 6)
        #expect(try ada.events("occupancy").allSatisfy { $0["members"] == nil })
        let joined = try #require(try others[3].events("joined").first)
        #expect(joined["count"] as? Int == 6)
        #expect((joined["members"] as? [JSONFields])?.isEmpty == true)
        try others[0].send("{\"t\":\"presence_set\",\"room\":\"r\",\"body\":{}}")
        #expect(try ada.events("peer_updated").isEmpty)
        #expect(try ada.send(ada.message("msg", to: others[3])) == ["ok"], "messages are as ever")
        for other in others[..<3] { try other.send("{\"t\":\"leave\",\"room\":\"r\"}") }
        let last = try #require(try ada.events("occupancy").last)
        #expect(last["count"] as? Int == 3)
        let members = try #require(last["members"] as? [JSONFields])
        #expect(members.map { $0["peer"] as? String } == [ada.sid, pair.bob.sid, others[3].sid])
        #expect(try ada.events("peer_left").isEmpty)
        try others[3].send("{\"t\":\"leave\",\"room\":\"r\"}")
        #expect(try ada.events("peer_left").count == 1)
    }

    @Test func countsAreConflatedForASlowConsumer() throws {
        var limits = ServiceLimits()
        limits.rosterCapacity = 2
        limits.streamWindow = 100
        let pair = try Pair(loops: 2, limits: limits)
        pair.bob.block()
        for _ in 0..<5 { _ = try pair.third() }
        pair.bob.unblock()
        let counts = try pair.bob.events("occupancy").map { $0["count"] as? Int }
        #expect(counts.count <= 3 && counts.last == 7)
    }
}
