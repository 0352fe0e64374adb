import Testing

@testable import SignalingCore

/// What a client sees, on one loop and across loops.
@Suite struct NodeTests {
    /// Two peers whose connections, sessions and room are on as many loops as there are.
    private func pair(
        loops: Int, limits: ServiceLimits = ServiceLimits()
    ) throws -> (cluster: Cluster, ada: Peer, bob: Peer) {
        let cluster = Cluster(loops: loops, limits: limits)
        let ada = try Peer(cluster, home: 0, session: loops - 1)
        let bob = try Peer(cluster, home: 1 % loops, session: 1 % loops)
        ada.open(on: loops / 2)
        bob.open()
        cluster.settle()
        return (cluster, ada, bob)
    }

    private func offer(to peer: Peer, id: String = "1", room: String = "r", body: String = "{}") -> String {
        "{\"t\":\"offer\",\"id\":\"\(id)\",\"to\":{\"peer\":\"\(peer.sid)\"},\"room\":\"\(room)\",\"body\":\(body)}"
    }

    @Test(arguments: [1, 2, 3, 5])
    func twoPeersMeetTalkAndPart(_ loops: Int) throws {
        let (cluster, ada, bob) = try pair(loops: loops)
        #expect(try ada.join("r") == ["ok"])
        #expect(try bob.join("r") == ["ok"])
        #expect(try ada.send(offer(to: bob, body: "{\"sdp\":\"v=0\"}")) == ["ok"])
        #expect(try bob.send("{\"t\":\"leave\",\"room\":\"r\"}") == ["ok"])
        #expect(try ada.types() == ["joined", "peer_joined", "peer_left"])
        #expect(try ada.events()[1]["peer"] as? String == bob.sid)
        #expect(areEqual(try ada.events()[1]["meta"], ["name": bob.sid]))
        #expect(try ada.events()[2]["reason"] as? String == "left")
        #expect(try bob.types() == ["joined", "offer"])
        let roster: [JSONFields] = [["peer": ada.sid, "moderator": true, "meta": ["name": ada.sid]]]
        #expect(areEqual(try bob.events()[0]["members"], roster))
        let offer = try bob.events()[1]
        #expect(areEqual(offer["from"], ["peer": ada.sid]))
        #expect(areEqual(offer["body"], ["sdp": "v=0"]))
        #expect(offer["ts"] as? Int == 1_700_000_000_000)
        #expect(cluster.nodes.map(\.roomCount).reduce(0, +) == 1)
    }

    @Test(arguments: [1, 3])
    func messagesGoToMembersOfTheSameRoomOnly(_ loops: Int) throws {
        let (cluster, ada, bob) = try pair(loops: loops)
        #expect(try ada.send(offer(to: bob)) == ["not_in_room"])
        try ada.join("r")
        #expect(try ada.send(offer(to: bob)) == ["not_in_room"])
        let nobody = try Peer(cluster, home: 0, session: loops - 1)
        _ = nobody.bye()
        cluster.settle()
        #expect(try ada.send(offer(to: nobody)) == ["no_such_peer"])
        #expect(try ada.send("{\"t\":\"leave\",\"room\":\"x\"}") == ["not_in_room"])
    }

    @Test(arguments: [1, 3])
    func aRoomHasACapacity(_ loops: Int) throws {
        var limits = ServiceLimits()
        limits.roomCapacity = 1
        limits.roomsPerSession = 1
        let (_, ada, bob) = try pair(loops: loops, limits: limits)
        #expect(try ada.join("r") == ["ok"])
        #expect(try bob.join("r") == ["room_full"])
        #expect(try bob.join("s") == ["ok"], "a room that it did not get into does not count")
        #expect(try ada.join("s") == ["too_many_rooms"])
        #expect(try ada.join("r") == ["ok"])
        #expect(try ada.send("[{\"t\":\"leave\",\"room\":\"r\"},{\"t\":\"join\",\"room\":\"t\"}]") == ["ok", "ok"])
    }

    @Test(arguments: [1, 3])
    func aRepeatedIdHasNoEffect(_ loops: Int) throws {
        let (_, ada, bob) = try pair(loops: loops)
        try ada.join("r")
        try bob.join("r")
        #expect(try ada.send("[\(offer(to: bob)),\(offer(to: bob))]") == ["ok", "ok"])
        #expect(try ada.send(offer(to: bob)) == ["ok"])
        #expect(try bob.types() == ["joined", "offer"])
    }

    @Test func aFailedIdMayBeTriedAgain() throws {
        let (_, ada, bob) = try pair(loops: 2)
        try ada.join("r")
        #expect(try ada.send(offer(to: bob)) == ["not_in_room"])
        try bob.join("r")
        #expect(try ada.send(offer(to: bob)) == ["ok"])
    }

    @Test func answersPings() throws {
        let (_, ada, _) = try pair(loops: 2)
        let results = try ada.send("[{\"t\":\"ping\",\"id\":\"p\"},{\"t\":\"ack\",\"seq\":7},{\"t\":\"what\"}]")
        #expect(results == ["ok", "bad_message", "unknown_type"])
        #expect(try ada.events().first?["id"] as? String == "p")
    }

    @Test(arguments: [1, 3])
    func requestsNeedTheTokenOfTheirSession(_ loops: Int) throws {
        let (cluster, ada, bob) = try pair(loops: loops)
        func status(_ sid: String, _ token: [UInt8]?) -> Int? {
            let requests = (0..<3).map { _ in cluster.nodes[0].nextRequest() }
            cluster.nodes[0].postMessages(requests[0], session: sid, token: token, body: [], now: cluster.now)
            cluster.nodes[0].openStream(requests[1], session: sid, token: token, after: nil, now: cluster.now)
            cluster.nodes[0].deleteSession(requests[2], session: sid, token: token, now: cluster.now)
            cluster.settle()
            let all = Set(requests.map { cluster.outlets[0].replies[$0]?.status })
            return all.count == 1 ? all.first ?? nil : nil
        }
        #expect(status(ada.sid, nil) == 401)
        #expect(status(ada.sid, bob.token) == 401)
        #expect(status("nonsense", nil) == 401)
        #expect(status("nonsense", ada.token) == 404)
        #expect(status("zz" + ada.sid, ada.token) == 404)
        #expect(status("0-000000000000000000000000000000ff", ada.token) == 404)
        #expect(cluster.nodes[0].streams.count == (loops == 1 ? 2 : 0), "refused streams leave nothing behind")
    }

    @Test(arguments: [1, 3])
    func byeLeavesAllRoomsAndEndsTheStream(_ loops: Int) throws {
        let (cluster, ada, bob) = try pair(loops: loops)
        try ada.join("r")
        try bob.join("r")
        let stream = try #require(bob.stream)
        let request = bob.bye()
        cluster.settle()
        #expect(bob.reply(request)?.status == 204)
        #expect(bob.isEnded(stream))
        #expect(try ada.events().last?["reason"] as? String == "bye")
        #expect(try ada.send(offer(to: bob)) == ["no_such_peer"])
        let again = bob.post("{\"t\":\"ping\"}")
        cluster.settle()
        #expect(bob.reply(again)?.status == 404)
    }

    // MARK: Streams

    @Test(arguments: [1, 3])
    func aSessionTimesOutWithoutAStream(_ loops: Int) throws {
        let (cluster, ada, bob) = try pair(loops: loops)
        try ada.join("r")
        try bob.join("r")
        bob.cut()
        cluster.advance(seconds: 29)
        #expect(try ada.types() == ["joined", "peer_joined"])
        bob.open()
        cluster.advance(seconds: 300)
        #expect(try ada.types() == ["joined", "peer_joined"], "it came back in time")
        bob.cut()
        cluster.settle()
        cluster.advance(seconds: 30)
        #expect(try ada.types() == ["joined", "peer_joined", "peer_left"])
        #expect(try ada.events().last?["reason"] as? String == "timeout")
        #expect(cluster.nodes.map(\.sessionCount).reduce(0, +) == 1)
    }

    @Test func aSessionThatNeverOpensAStreamTimesOut() throws {
        let cluster = Cluster(loops: 1)
        _ = try Peer(cluster)
        cluster.advance(seconds: 30)
        #expect(cluster.nodes[0].sessionCount == 0)
    }

    @Test(arguments: [1, 3])
    func aDroppedStreamGoesOnWhereItWas(_ loops: Int) throws {
        let (cluster, ada, bob) = try pair(loops: loops)
        #expect(bob.stream.flatMap(bob.resumption) == .no)
        try ada.join("r")
        try bob.join("r")
        bob.cut()
        #expect(try ada.send("[\(offer(to: bob, id: "1")),\(offer(to: bob, id: "2"))]") == ["ok", "ok"])
        let stream = bob.open(on: loops - 1, after: "1.1")
        cluster.settle()
        #expect(bob.resumption(stream) == .yes)
        #expect(try bob.events().map { $0["seq"] as? Int } == [2, 3])
    }

    @Test(arguments: [1, 3])
    func aSecondStreamReplacesTheFirst(_ loops: Int) throws {
        let (cluster, ada, bob) = try pair(loops: loops)
        let first = try #require(ada.stream)
        let second = ada.open(on: 0)
        cluster.settle()
        #expect(ada.isEnded(first))
        cluster.nodes[first.loop].streamClosed(first, now: cluster.now)
        cluster.advance(seconds: 31)
        try ada.join("r")
        #expect(try ada.events(of: second).count == 1, "the end of the old stream does not end the session")
        #expect(try bob.send("{\"t\":\"ping\"}") == ["ok"])
    }

    @Test(arguments: [1, 3])
    func aStreamIsPinged(_ loops: Int) throws {
        let (cluster, ada, _) = try pair(loops: loops)
        let stream = try #require(ada.stream)
        cluster.advance(seconds: 25)
        cluster.advance(seconds: 25)
        let text = String(decoding: cluster.outlets[stream.loop].written[stream] ?? [], as: UTF8.self)
        #expect(text == ": hello\n\n: ping\n\n: ping\n\n")
    }

    @Test(arguments: [1, 3])
    func streamsEndWhenTheirConnectionsAreToClose(_ loops: Int) throws {
        let (cluster, ada, bob) = try pair(loops: loops)
        let streams = [try #require(ada.stream), try #require(bob.stream)]
        for node in cluster.nodes { node.endStreams(now: cluster.now) }
        cluster.settle()
        #expect(streams.allSatisfy { ada.isEnded($0) })
        let stream = ada.open(on: 0, after: "1.0")
        cluster.settle()
        #expect(ada.resumption(stream) == .yes)
    }

    @Test func aWrongRequestIsExplainedToThoseWhoMayKnow() throws {
        let (cluster, ada, bob) = try pair(loops: 2)
        func refuse(_ sid: String, _ token: [UInt8]?) -> Int? {
            let request = cluster.nodes[0].nextRequest()
            let reply = Problem.tooLarge.reply("")
            cluster.nodes[0].refuse(request, session: sid, token: token, with: reply, now: cluster.now)
            cluster.settle()
            return cluster.outlets[0].replies[request]?.status
        }
        #expect(refuse(ada.sid, ada.token) == 413)
        #expect(refuse(ada.sid, bob.token) == 401)
        #expect(refuse(ada.sid, nil) == 401)
        #expect(refuse("x", ada.token) == 404)
    }

    // MARK: Bounds

    @Test(arguments: [1, 3])
    func aSlowReaderIsBoundedAndLosesNothing(_ loops: Int) throws {
        let (cluster, ada, bob) = try pair(loops: loops)
        try ada.join("r")
        try bob.join("r")
        let slow = try #require(bob.stream)
        cluster.outlets[slow.loop].blocked.insert(slow)
        let body = "{\"sdp\":\"\(String(repeating: "x", count: 40_000))\"}"
        var sent = 0
        while try ada.send(offer(to: bob, id: "\(sent)", body: body)) == ["ok"], sent < 50 { sent += 1 }
        #expect(sent == 7, "six in the log, and one that the stream has taken")
        #expect((cluster.outlets[slow.loop].written[slow]?.count ?? 0) < 100_000)
        #expect(try bob.types() == ["joined", "offer"])
        bob.cut()
        let stream = bob.open(after: "1.2")
        cluster.settle()
        #expect(bob.resumption(stream) == .yes)
        #expect(try bob.events().map { $0["id"] as? String } == (1..<sent).map { "\($0)" })
        #expect(try ada.send(offer(to: bob, id: "again", body: body)) == ["ok"])
    }

    @Test func aDrainedStreamGoesOn() throws {
        let (cluster, ada, bob) = try pair(loops: 3)
        try ada.join("r")
        try bob.join("r")
        let slow = try #require(bob.stream)
        cluster.outlets[slow.loop].blocked.insert(slow)
        for id in 0..<5 { #expect(try ada.send(offer(to: bob, id: "\(id)")) == ["ok"]) }
        #expect(try bob.events().count == 2, "the one that found the stream full was still written")
        cluster.outlets[slow.loop].blocked.remove(slow)
        cluster.nodes[slow.loop].streamDrained(slow, now: cluster.now)
        cluster.settle()
        #expect(try bob.events().count == 6)
    }

    @Test func presenceThatCouldNotBeKeptIsSaidToBeLost() throws {
        var limits = ServiceLimits()
        limits.logMessages = 2
        let (cluster, ada, bob) = try pair(loops: 2, limits: limits)
        try ada.join("r")
        ada.cut()
        for _ in 0..<3 { try Peer(cluster).join("r") }
        try bob.join("r")
        let stream = ada.open(after: "1.1")
        cluster.settle()
        #expect(ada.resumption(stream) == .partial)
    }

    @Test func sessionsAreBounded() throws {
        var limits = ServiceLimits()
        limits.sessionsPerLoop = 1
        let cluster = Cluster(loops: 1, limits: limits)
        _ = try Peer(cluster)
        let request = cluster.nodes[0].nextRequest()
        cluster.nodes[0].createSession(request, now: cluster.now)
        #expect(cluster.outlets[0].replies[request]?.status == 503)
    }

    @Test func fullMailboxesRefuseMessagesAndLoseNothingElse() throws {
        let (cluster, ada, bob) = try pair(loops: 3)
        try ada.join("r")
        try bob.join("r")
        cluster.capacity = 1
        let requests = (0..<20).map { ada.post(offer(to: bob, id: "\($0)")) }
        let bye = bob.bye()
        cluster.settle()
        let statuses = requests.map { ada.reply($0)?.status }
        #expect(statuses.allSatisfy { $0 == 202 || $0 == 503 })
        #expect(statuses.contains(503))
        #expect([204, 503].contains(bob.reply(bye)?.status))
        #expect(try ada.types().prefix(2) == ["joined", "peer_joined"])
    }

    @Test func aFanOutIsOneMessageForEachLoop() throws {
        let cluster = Cluster(loops: 2)
        let names = (0...).lazy.map { "r\($0)" }
        let room = try #require(names.first { RoomName(Array($0.utf8), maxSize: 9)?.loop(of: 2) == 0 })
        let many = try (0..<10).map { _ in try Peer(cluster, home: 1) }
        for peer in many {
            peer.open()
            try peer.join(room)
        }
        let ada = try Peer(cluster, home: 0)
        _ = ada.post("{\"t\":\"join\",\"room\":\"\(room)\"}")
        var deliveries = 0
        while cluster.deliverOne() { deliveries += 1 }
        #expect(deliveries == 1)
        for peer in many { #expect(try peer.types().last == "peer_joined") }
    }
}
