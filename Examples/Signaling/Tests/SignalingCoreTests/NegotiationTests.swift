import Testing

@testable import SignalingCore

/// Calls: offers that cross, candidates and the descriptions that they belong to, invites on several devices.
@Suite struct NegotiationTests {
    private func offer(_ neg: Int, ufrag: String? = nil, id: String? = nil) -> String {
        let sdp = ufrag.map { "v=0\\r\\na=ice-ufrag:\($0)\\r\\n" } ?? "v=0"
        return ",\"call\":\"k\",\"neg\":\(neg),\"id\":\"\(id ?? "o\(neg)")\",\"body\":{\"sdp\":\"\(sdp)\"}"
    }

    private func candidates(_ neg: Int, ufrag: String? = nil, _ names: [Int] = [1]) -> String {
        let list = names.map { "{\"candidate\":\"c\($0)\"}" }.joined(separator: ",")
        return ",\"call\":\"k\",\"neg\":\(neg),\"body\":{\"candidates\":[\(list)]"
            + (ufrag.map { ",\"ufrag\":\"\($0)\"" } ?? "") + "}"
    }

    // MARK: Glare

    @Test(arguments: [1, 3])
    func thePoliteOfferGivesWayWhicheverCameFirst(_ loops: Int) throws {
        for politeFirst in [true, false] {
            let pair = try Pair(loops: loops)
            let (polite, other) = pair.ada.sid < pair.bob.sid ? (pair.ada, pair.bob) : (pair.bob, pair.ada)
            other.block()
            let (first, second) = politeFirst ? (polite, other) : (other, polite)
            #expect(try first.send(first.message("offer", to: second, offer(1))) == ["ok"])
            #expect(try second.send(second.message("offer", to: first, offer(1))) == ["ok"])
            let glare = try polite.events("glare")
            #expect(glare.count == 1 && glare[0]["id"] as? String == "o1" && glare[0]["neg"] as? Int == 1)
            #expect(areEqual(glare.first?["to"], ["peer": other.sid]))
            #expect(try other.events("glare").isEmpty)
            #expect(try polite.events("offer").count == 1)
            #expect(try polite.send(polite.message("answer", to: other, offer(1, id: "a"))) == ["ok"])
            #expect(try polite.send(polite.message("offer", to: other, offer(2))) == ["ok"], "it is settled")
            other.unblock()
            #expect(try polite.events("glare").count == 1)
        }
    }

    @Test(arguments: [1, 3])
    func noOfferGivesWayToOneThatWasNotDelivered(_ loops: Int) throws {
        var limits = ServiceLimits()
        limits.logMessages = 4
        let pair = try Pair(loops: loops, limits: limits)
        let (polite, other) = pair.ada.sid < pair.bob.sid ? (pair.ada, pair.bob) : (pair.bob, pair.ada)
        polite.cut()
        while try other.send(other.message("msg", to: polite)) == ["ok"] {}
        #expect(try other.send(other.message("offer", to: polite, offer(1, ufrag: "u"))) == ["queue_full"])
        #expect(try polite.send(polite.message("offer", to: other, offer(1))) == ["ok"])
        #expect(try other.events("offer").count == 1)
        polite.open()
        pair.cluster.settle()
        #expect(try polite.events("glare").isEmpty)
        // Offered again, it is in the race, and so are its candidates.
        #expect(try other.send(other.message("candidates", to: polite, candidates(1, ufrag: "v"))) == ["ok"])
        #expect(try polite.events("candidates").isEmpty)
        #expect(try other.send(other.message("offer", to: polite, offer(1, ufrag: "v"))) == ["ok"])
        #expect(try polite.types().suffix(3) == ["glare", "offer", "candidates"])
    }

    /// A client as the demo page's: it takes its offer back when it hears of glare, and answers what it gets.
    private final class Party {
        let peer: Peer
        let other: Peer
        var looked = 0
        var neg = 0
        /// The offer that it made and that is open.
        var own: Int?
        /// What it has agreed to: by whom the offer was, and its number.
        var agreed: [String] = []

        init(_ peer: Peer, _ other: Peer) { (self.peer, self.other) = (peer, other) }

        func offer() {
            guard own == nil else { return }
            neg += 1
            own = neg
            say("offer", neg)
        }

        private func say(_ type: String, _ neg: Int) {
            _ = peer.post(peer.message(type, to: other, ",\"call\":\"k\",\"neg\":\(neg),\"body\":{\"sdp\":\"v=0\"}"))
        }

        func look(_ limit: Int) throws {
            for event in try peer.events().dropFirst(looked).prefix(limit) {
                looked += 1
                let number = event["neg"] as? Int ?? 0
                neg = max(neg, number)
                switch event["t"] as? String {
                case "glare": if own == number { own = nil }
                case "offer":
                    if own != nil, peer.sid > other.sid { continue }
                    own = nil
                    agreed.append("\(other.sid) \(number)")
                    say("answer", number)
                case "answer" where own == number:
                    own = nil
                    agreed.append("\(peer.sid) \(number)")
                default: break
                }
            }
        }
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func randomRacesConverge(_ seed: UInt64) throws {
        let cluster = Cluster(loops: Int(seed % 4) + 1, seed: seed)
        let peers = try (0..<2).map { _ in
            let home = Int.random(in: 0..<cluster.nodes.count, using: &cluster.random)
            return try Peer(cluster, home: home)
        }
        for peer in peers { peer.open() }
        cluster.settle()
        for peer in peers { try peer.join("r") }
        let parties = [Party(peers[0], peers[1]), Party(peers[1], peers[0])]
        for _ in 0..<120 {
            let party = parties[Int.random(in: 0...1, using: &cluster.random)]
            if Int.random(in: 0...5, using: &cluster.random) == 0 { party.offer() }
            for _ in 0..<Int.random(in: 0...3, using: &cluster.random) { cluster.deliverOne() }
            try party.look(Int.random(in: 0...2, using: &cluster.random))
        }
        for _ in 0..<10 {
            cluster.settle()
            for party in parties { try party.look(.max) }
        }
        #expect(parties.allSatisfy { $0.own == nil }, "no offer stays open")
        #expect(parties[0].agreed.last == parties[1].agreed.last)
        #expect(!parties[0].agreed.isEmpty)
    }

    // MARK: Candidates

    @Test(arguments: [1, 3])
    func candidatesWaitForTheirDescription(_ loops: Int) throws {
        let pair = try Pair(loops: loops)
        let (ada, bob) = (pair.ada, pair.bob)
        #expect(try ada.send(ada.message("candidates", to: bob, candidates(1, ufrag: "u"))) == ["ok"])
        #expect(try bob.types() == ["joined"])
        #expect(try ada.send(ada.message("offer", to: bob, offer(1, ufrag: "u"))) == ["ok"])
        #expect(try bob.types() == ["joined", "offer", "candidates"])
        #expect(try ada.send(ada.message("candidates", to: bob, candidates(3, ufrag: "v"))) == ["ok"])
        #expect(try ada.send(ada.message("offer", to: bob, offer(3, ufrag: "v"))) == ["ok"])
        #expect(try bob.types().suffix(2) == ["offer", "candidates"])
    }

    @Test func candidatesOfAnOlderDescriptionAreRefused() throws {
        let pair = try Pair(loops: 2)
        let (ada, bob) = (pair.ada, pair.bob)
        try ada.send(ada.message("offer", to: bob, offer(1, ufrag: "u")))
        try bob.send(bob.message("answer", to: ada, offer(1, ufrag: "b", id: "a1")))
        try ada.send(ada.message("offer", to: bob, offer(2, ufrag: "v")))
        #expect(try ada.send(ada.message("candidates", to: bob, candidates(1, ufrag: "u"))) == ["stale"])
        #expect(try ada.send(ada.message("candidates", to: bob, candidates(2, ufrag: "v"))) == ["ok"])
        #expect(try ada.send(ada.message("candidates", to: bob, candidates(1))) == ["stale"], "neg alone tells, too")
        try ada.send(ada.message("offer", to: bob, offer(3, ufrag: "v")))
        let late = ada.message("candidates", to: bob, candidates(2, ufrag: "v"))
        #expect(try ada.send(late) == ["stale"], "neg alone makes them old, though ICE was not restarted")
        let unnumbered = ",\"call\":\"k\",\"body\":{\"candidates\":[],\"ufrag\":\"v\"}"
        #expect(try ada.send(ada.message("candidates", to: bob, unnumbered)) == ["ok"], "without neg, ufrag tells")
        #expect(try ada.send(ada.message("candidates", to: bob, candidates(3, ufrag: "u"))) == ["stale"])
        #expect(try ada.send(ada.message("candidates", to: bob, candidates(3, ufrag: "v"))) == ["ok"])
        #expect(try ada.send(ada.message("offer", to: bob, offer(2, id: "late"))) == ["stale"])
    }

    @Test func candidatesWhoseDescriptionNeverComesExpire() throws {
        var limits = ServiceLimits()
        limits.heldCandidates = 2
        let pair = try Pair(loops: 2, limits: limits)
        for (id, result) in [("1", "ok"), ("2", "ok"), ("3", "queue_full")] {
            let message = pair.ada.message("candidates", to: pair.bob, candidates(1) + ",\"id\":\"\(id)\"")
            #expect(try pair.ada.send(message) == [result])
        }
        pair.cluster.advance(seconds: 31)
        #expect(try pair.ada.events("expired").map { $0["id"] as? String } == ["1", "2"])
        #expect(try pair.bob.types() == ["joined"])
    }

    @Test func aMembersOldestCallIsForgottenOverTheLimit() throws {
        var limits = ServiceLimits()
        limits.callsPerMember = 2
        let pair = try Pair(loops: 1, limits: limits)
        for call in ["a", "b", "c"] {
            let fields = ",\"call\":\"\(call)\",\"neg\":1,\"id\":\"\(call)\""
            let message = pair.ada.message("candidates", to: pair.bob, fields)
            #expect(try pair.ada.send(message) == ["ok"])
        }
        #expect(try pair.ada.events("expired").map { $0["call"] as? String } == ["a"])
        let name = try #require(RoomName(Array("r".utf8), maxSize: 9))
        #expect(pair.cluster.nodes[0].rooms[name]?.calls.count == 2)
    }

    @Test func nothingIsLeftOfCallsWhenTheirPartiesAre() throws {
        let pair = try Pair(loops: 1)
        try pair.ada.send(pair.ada.message("offer", to: pair.bob, offer(1)))
        try pair.ada.send(pair.ada.message("invite", to: pair.bob, ",\"call\":\"x\",\"body\":{\"lifetime\":9000}"))
        try pair.ada.send("{\"t\":\"leave\",\"room\":\"r\"}")
        let name = try #require(RoomName(Array("r".utf8), maxSize: 9))
        #expect(pair.cluster.nodes[0].rooms[name]?.calls.count == 0)
    }

    // MARK: Invites

    @Test(arguments: [1, 3])
    func ofSeveralDevicesOneIsSelected(_ loops: Int) throws {
        let pair = try Pair(loops: loops)
        let (phone, laptop) = (try pair.third("eve"), try pair.third("eve"))
        let ada = pair.ada
        let toEve = "\"room\":\"r\",\"to\":{\"user\":\"eve\"},\"call\":\"k\""
        #expect(try ada.send("{\"t\":\"invite\",\(toEve),\"body\":{\"lifetime\":60000}}") == ["ok"])
        for device in [phone, laptop] {
            #expect(try device.send(device.message("offer", to: ada, offer(1, id: device.sid))) == ["ok"])
        }
        #expect(try ada.send("{\"t\":\"select\",\(toEve),\"body\":{\"party\":\"\(phone.sid)\"}}") == ["ok"])
        for device in [phone, laptop] { #expect(try device.events("select").count == 1) }
        #expect(try laptop.send(laptop.message("candidates", to: ada, candidates(1))) == ["not_selected"])
        #expect(try phone.send(phone.message("candidates", to: ada, candidates(1))) == ["ok"])
        #expect(try ada.send("{\"t\":\"select\",\(toEve),\"body\":{\"party\":\"x\"}}") == ["bad_message"])
    }

    @Test func anInviteHasALifetime() throws {
        let pair = try Pair(loops: 2)
        let (ada, bob) = (pair.ada, pair.bob)
        let invite = ",\"call\":\"k\",\"id\":\"i\",\"body\":{\"lifetime\":5000}"
        #expect(try ada.send(ada.message("invite", to: bob, invite)) == ["ok"])
        pair.cluster.advance(seconds: 6)
        #expect(try bob.send(bob.message("reject", to: ada, ",\"call\":\"k\"")) == ["call_ended"])
        #expect(try ada.send(ada.message("invite", to: bob, invite.replacing("\"i\"", with: "\"j\""))) == ["ok"])
        #expect(try bob.send(bob.message("offer", to: ada, offer(1))) == ["ok"])
        pair.cluster.advance(seconds: 6)
        #expect(try bob.send(bob.message("offer", to: ada, offer(2))) == ["ok"], "it was taken in time")
    }
}
