import Testing

@testable import SignalingCore

/// Messages whose outcome goes back another way than events.
struct TaggedFrameTests {
    @Test func aTaggedMessageIsAnsweredByItsTagOnAnyLoop() throws {
        let cluster = Cluster(loops: 2)
        let ada = Duplex(cluster, on: 0, .socketIO)
        ada.hello()
        let ticket = try #require(try ada.first("welcome")["resume"] as? String)
        // The session stays where it is; its connection is on the other loop now.
        let back = Duplex(cluster, on: 1, .socketIO)
        back.resume(ticket)
        back.send("{\"t\":\"join\",\"room\":\"r\"}", tag: 7)
        back.send("{\"t\":\"msg\",\"room\":\"other\",\"id\":\"a\"}", tag: 8)
        back.send("{\"t\":\"msg\"", tag: 9)
        back.send("{\"t\":\"msg\",\"room\":\"other\",\"id\":\"b\"}")
        cluster.settle()
        let results = cluster.outlets[1].results
        #expect(try object(try #require(results[7]))["ok"] as? Bool == true)
        let refused = try object(try #require(results[8]))
        #expect(refused["id"] as? String == "a")
        #expect((refused["error"] as? JSONFields)?["code"] as? String == "not_in_room")
        #expect((try object(try #require(results[9]))["error"] as? JSONFields)?["code"] as? String == "bad_json")
        #expect(results.count == 3)
        #expect(try back.types().filter { $0 != "joined" } == ["resumed", "error"])
        #expect(cluster.nodes[0].statistics.streamsOpened[.socketIO] == 2)
    }

    @Test(arguments: [
        ("{\"seq\":1,\"ts\":2,\"t\":\"joined\",\"room\":\"r\"}", "joined"),
        ("{\"t\":\"ack\",\"id\":\"t\"}", "ack"),
        ("{\"seq\":1,\"ts\":2,\"from\":{\"user\":\"\\\"t\\\":\\\"x\\\"\"},\"b\":{\"t\":\"x\"},\"t\":\"msg\"}", "msg"),
        ("{\"seq\":1,\"ts\":2,\"from\":{},\"t\":\"o\\u0066fer\"}", "offer"),
    ])
    func anEventIsNamedByItsType(_ event: String, _ name: String) {
        #expect(EventName.of(Array(event.utf8)) == name)
    }

    @Test(arguments: ["{}", "{\"t\":1}", "{\"seq\":1", "", "[]"])
    func whatHasNoTypeHasNoName(_ event: String) {
        #expect(EventName.of(Array(event.utf8)) == nil)
    }
}
