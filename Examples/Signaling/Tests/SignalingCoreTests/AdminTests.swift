import Testing

@testable import SignalingCore

@Suite struct AdminTests {
    /// What an operator gets who asks loop 0.
    private func ask(_ cluster: Cluster, _ request: AdminRequest) throws -> Reply {
        var reply: Reply?
        cluster.nodes[0].serve(request, now: cluster.now) { reply = $0 }
        cluster.settle()
        return try #require(reply)
    }

    private func names(_ cluster: Cluster, limit: Int) throws -> (all: [String], pages: Int) {
        var names: [String] = []
        var cursor: String?
        var pages = 0
        repeat {
            let page = try object(try ask(cluster, .rooms(cursor: cursor, limit: limit)).body)
            let rooms = try #require(page["rooms"] as? [JSONFields])
            #expect(rooms.count <= limit)
            names += rooms.compactMap { $0["room"] as? String }
            cursor = page["cursor"] as? String
            pages += 1
        } while cursor != nil && pages < 1000
        return (names, pages)
    }

    @Test func pagesHaveEveryRoomOnceOnAllLoops() throws {
        let cluster = Cluster(loops: 3)
        let peers = try (0..<4).map { try Peer(cluster, home: $0 % 3) }
        for number in 0..<40 { try peers[number % 4].join("r\(number)") }
        for limit in [1, 7, 40, 1000] {
            let (all, pages) = try names(cluster, limit: limit)
            #expect(all.count == 40 && Set(all).count == 40)
            #expect(pages >= 40 / limit)
        }
    }

    @Test func aPageGoesOnWhereItsRoomIsGone() throws {
        let cluster = Cluster(loops: 1)
        let peer = try Peer(cluster)
        for number in 0..<5 { try peer.join("r\(number)") }
        let first = try object(try ask(cluster, .rooms(cursor: nil, limit: 2)).body)
        try peer.send("{\"t\":\"leave\",\"room\":\"r1\"}")
        let cursor = try #require(first["cursor"] as? String)
        let second = try object(try ask(cluster, .rooms(cursor: cursor, limit: 2)).body)
        #expect((second["rooms"] as? [JSONFields])?.compactMap { $0["room"] as? String } == ["r2", "r3"])
    }

    @Test(arguments: ["", "x", "0", "9.0", "0.-1", "0.0.0", "-1.0"])
    func aCursorThatNoPageGaveIsRefused(cursor: String) throws {
        #expect(try ask(Cluster(loops: 2), .sessions(cursor: cursor, limit: 1)).status == 400)
    }

    @Test func aRegisterForgetsWhatIsGone() {
        var register = Register<Int>()
        for member in 0..<1000 { register.insert(member) }
        for member in 0..<1000 where member % 10 != 0 { register.remove(member) }
        register.insert(5)
        let (members, hasMore) = register.page(after: 0, limit: 1000)
        #expect(members.map(\.member) == Array(stride(from: 0, to: 1000, by: 10)) + [5])
        #expect(!hasMore && register.count == 101)
        #expect(register.page(after: .max, limit: 1).members.isEmpty)
    }

    @Test func aSessionIsShownWithoutSecretsAndWithItsFlight() throws {
        let cluster = Cluster(loops: 2)
        let ada = try Peer(cluster, session: 1)
        ada.open()
        cluster.settle()
        try ada.join("r")
        let reply = try ask(cluster, .session(ada.sid))
        let fields = try object(reply.body)
        #expect(fields["connected"] as? Bool == true && fields["loop"] as? Int == 1)
        #expect(fields["joined"] as? [String] == ["r"] && fields["transport"] as? String == "sse")
        let token = String(decoding: ada.token, as: UTF8.self)
        #expect(!String(decoding: reply.body, as: UTF8.self).contains(token))
        let flight = try object(try ask(cluster, .flight(ada.sid)).body)
        let events = try #require(flight["events"] as? [JSONFields])
        #expect(events.first?["event"] as? String == "started")
        #expect(events.contains { $0["event"] as? String == "message" && $0["t"] as? String == "join" })
    }

    @Test func whatDoesNotExistIs404() throws {
        let cluster = Cluster(loops: 2)
        let ada = try Peer(cluster)
        try ada.join("r")
        let sid = "0-" + String(repeating: "0", count: 32)
        let far = "z-" + String(repeating: "0", count: 32)
        for request: AdminRequest in [
            .session(sid), .session("x"), .session(far), .flight(sid), .endSession(sid), .tellSession(sid, body: []),
            .room(Array("none".utf8)), .room([]), .closeRoom(Array("none".utf8)),
            .removeMember(room: Array("r".utf8), session: sid), .removeMember(room: Array("r".utf8), session: "x"),
        ] { #expect(try ask(cluster, request).status == 404) }
    }

    @Test func aSessionThatIsKickedHearsOfItAndIsGone() throws {
        let cluster = Cluster(loops: 2)
        let ada = try Peer(cluster, session: 1)
        let bob = try Peer(cluster)
        let stream = ada.open()
        bob.open()
        cluster.settle()
        try ada.join("r")
        try bob.join("r")
        #expect(try ask(cluster, .endSession(ada.sid)).status == 200)
        #expect(ada.isEnded(stream))
        #expect(try ada.events(of: stream).last?["code"] as? String == "kicked")
        #expect(try bob.events("peer_left").last?["reason"] as? String == "kicked")
        #expect(try ask(cluster, .session(ada.sid)).status == 404)
    }

    @Test func aMemberThatIsRemovedKeepsItsSessionButNotTheRoom() throws {
        let cluster = Cluster(loops: 2)
        let ada = try Peer(cluster)
        ada.open()
        try ada.join("r")
        #expect(try ask(cluster, .removeMember(room: Array("r".utf8), session: ada.sid)).status == 200)
        #expect(try ada.types() == ["joined", "peer_left"])
        #expect(try object(try ask(cluster, .session(ada.sid)).body)["joined"] as? [String] == [])
        #expect(try ada.send("{\"t\":\"leave\",\"room\":\"r\"}") == ["not_in_room"])
        #expect(try ada.join("r") == ["ok"])
    }

    @Test func aRoomThatIsClosedTellsItsMembersOnAllLoops() throws {
        let cluster = Cluster(loops: 3)
        let peers = try (0..<6).map { try Peer(cluster, home: $0 % 3) }
        for peer in peers {
            peer.open()
            try peer.join("r")
        }
        let reply = try ask(cluster, .closeRoom(Array("r".utf8)))
        #expect(try object(reply.body)["sessions"] as? Int == 6)
        for peer in peers { #expect(try peer.types().last == "room_closed") }
        #expect(cluster.nodes.allSatisfy { $0.roomCount == 0 })
        #expect(try peers[0].join("r") == ["ok"])
    }

    @Test func anAnnouncementReachesEveryMemberOnce() throws {
        let cluster = Cluster(loops: 2)
        let peers = try (0..<4).map { try Peer(cluster, home: $0 % 2) }
        for peer in peers {
            peer.open()
            try peer.join("r")
        }
        let body = Array("{\"text\":\n\"down at ten\"}".utf8)
        #expect(try ask(cluster, .tellRoom(Array("r".utf8), body: body)).status == 200)
        #expect(try ask(cluster, .tellSession(peers[0].sid, body: body)).status == 200)
        for (index, peer) in peers.enumerated() {
            let said = try peer.events().filter { $0["t"] as? String == "msg" }
            #expect(said.count == (index == 0 ? 2 : 1))
            #expect((said.first?["body"] as? JSONFields)?["text"] as? String == "down at ten")
        }
    }

    @Test func questionsAreBoundedInNumberAndTime() throws {
        var limits = ServiceLimits()
        limits.adminQuestions = 2
        let cluster = Cluster(loops: 2, limits: limits)
        var replies: [Int] = []
        for _ in 0..<3 { cluster.nodes[0].serve(.status, now: cluster.now) { replies.append($0.status) } }
        #expect(replies == [503])
        var later = cluster.now
        later.nanoseconds += 6_000_000_000
        cluster.nodes[0].tick(now: later)
        #expect(replies == [503, 504, 504])
        cluster.settle()
        #expect(replies.count == 3, "an answer that comes too late is nobody's")
        let limitsTripped = cluster.nodes[0].statistics.limits
        #expect(limitsTripped[.adminQuestions] == 1 && limitsTripped[.adminTimeout] == 2)
        cluster.capacity = 0
        #expect(try ask(cluster, .status).status == 503)
    }

    @Test func measuresAreTextForPrometheusWithEveryFamilyOnce() throws {
        let cluster = Cluster(loops: 2)
        let ada = try Peer(cluster)
        ada.open()
        cluster.settle()
        try ada.join("r")
        let reply = try ask(cluster, .metrics)
        let text = String(decoding: reply.body, as: UTF8.self)
        let families = text.split(separator: "\n").filter { $0.hasPrefix("# TYPE") }
        #expect(Set(families).count == families.count && families.count > 30)
        #expect(text.contains("signaling_sessions{state=\"connected\"} 1\n"))
        #expect(text.contains("signaling_messages_total{type=\"join\",outcome=\"ok\"} 1\n"))
        #expect(text.hasSuffix("\n"))
    }

    @Test func labelsAreEscaped() {
        var text = PrometheusText()
        text.family("x", .gauge, "X.")
        text.sample(1, [("a", "b\"\\\nc")])
        #expect(text.text.hasSuffix("signaling_x{a=\"b\\\"\\\\\\nc\"} 1\n"))
    }
}
