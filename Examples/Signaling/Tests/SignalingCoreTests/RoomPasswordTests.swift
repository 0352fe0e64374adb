import Testing

@testable import SignalingCore

@Suite struct RoomPasswordTests {
    private let cluster = Cluster(loops: 3, seed: 7)

    private func peer(
        _ identity: Identity = .development, home: Int = 0, session: Int = 1, in cluster: Cluster? = nil
    ) throws -> Peer {
        let cluster = cluster ?? self.cluster
        let peer = try Peer(cluster, home: home, session: session, identity: identity)
        peer.open()
        cluster.settle()
        return peer
    }

    @Test func whoOpensARoomMaySetItsPassword() throws {
        let (ada, bob) = (try peer(), try peer(home: 2, session: 2))
        #expect(try ada.join("r", password: "sesame") == ["ok"])
        #expect(try bob.join("r") == ["password_required"])
        #expect(try bob.join("r", password: "sesam") == ["wrong_password"])
        #expect(try bob.join("r", password: "sesame") == ["ok"])
        #expect(try ada.events().first?["locked"] as? Bool == true)
        #expect(try bob.join("r") == ["ok"], "who is in may say more of itself")
    }

    @Test func aRoomThatIsOpenAsksForNone() throws {
        let (ada, bob) = (try peer(), try peer())
        try ada.join("r")
        #expect(try bob.join("r", password: "anything") == ["ok"])
        #expect(try bob.events().first?["locked"] == nil)
    }

    @Test func aPasswordDiesWithItsRoom() throws {
        let (ada, bob) = (try peer(), try peer())
        _ = try ada.join("r", password: "sesame")
        try ada.send(#"{"t":"leave","room":"r"}"#)
        #expect(try bob.join("r") == ["ok"])
    }

    @Test func aModeratorSetsAndRemovesIt() throws {
        let (ada, bob, eve) = (try peer(), try peer(), try peer())
        try ada.join("r")
        #expect(try ada.lock("r", "sesame") == ["ok"])
        #expect(try bob.join("r") == ["password_required"])
        #expect(try bob.lock("r", nil) == ["not_in_room"])
        #expect(try bob.join("r", password: "sesame") == ["ok"])
        #expect(try bob.lock("r", nil) == ["forbidden"])
        #expect(try eve.join("r") == ["password_required"])
        #expect(try ada.lock("r", nil) == ["ok"])
        #expect(try eve.join("r") == ["ok"])
    }

    @Test func aTokenThatModeratesNeedsNone() throws {
        let (ada, root) = (try peer(.named("ada")), try peer(.named("root", .all)))
        _ = try ada.join("r", password: "sesame")
        #expect(try root.join("r") == ["ok"])
    }

    @Test func aPasswordIsBounded() throws {
        let ada = try peer()
        #expect(try ada.join("r", password: String(repeating: "x", count: 129)) == ["bad_message"])
        #expect(try ada.send(#"{"t":"join","room":"r","password":7}"#) == ["bad_message"])
        #expect(try ada.send(#"{"t":"join","room":"r","password":null}"#) == ["ok"])
        #expect(try ada.lock("r", String(repeating: "x", count: 129)) == ["bad_message"])
        #expect(try ada.lock("r", String(repeating: "x", count: 128)) == ["ok"])
    }

    @Test func noTextShowsIt() throws {
        let password = try #require(RoomPassword(Array("sesame".utf8), maxSize: 128))
        let room = try #require(RoomName([0x72], maxSize: 8))
        let message = LoopMessage.join(room, Sender(session: try #require(sender)), operation: 1, meta: [], password)
        var dumped = ""
        dump(message, to: &dumped)
        for text in ["\(password)", "\(message)", String(reflecting: message), dumped] {
            #expect(!text.contains("sesame") && !text.contains("115"))
        }
    }

    @Test(arguments: [("a", "a", true), ("a", "b", false), ("ab", "abab", false), ("abab", "ab", false)])
    func onlyTheSameMatches(one: String, other: String, isSame: Bool) throws {
        let right = try #require(RoomPassword(Array(one.utf8), maxSize: 8))
        #expect(right.matches(try #require(RoomPassword(Array(other.utf8), maxSize: 8))) == isSame)
    }

    // MARK: Guesses

    @Test func aSessionMayTryFiveTimesAndThenOnceAHalfMinute() throws {
        let (ada, bob) = (try peer(), try peer())
        for room in ["r", "s"] { _ = try ada.join(room, password: "sesame") }
        for room in ["r", "s", "r", "s", "r"] { #expect(try bob.join(room, password: "no") == ["wrong_password"]) }
        #expect(try bob.join("s", password: "sesame") == ["too_many_guesses"], "by its session, over all rooms")
        cluster.advance(seconds: 31)
        #expect(try bob.join("s", password: "no") == ["wrong_password"])
        #expect(try bob.join("s", password: "no") == ["too_many_guesses"])
        cluster.advance(seconds: 31)
        #expect(try bob.join("s", password: "sesame") == ["ok"])
    }

    @Test func theRightPasswordIsNoGuess() throws {
        let (ada, bob) = (try peer(), try peer())
        _ = try ada.join("r", password: "sesame")
        for _ in 0..<20 {
            #expect(try bob.join("r", password: "sesame") == ["ok"])
            try bob.send(#"{"t":"leave","room":"r"}"#)
        }
    }

    @Test func guessesOfAllSessionsOfASubjectCountTogether() throws {
        let ada = try peer(.named("ada"))
        _ = try ada.join("r", password: "sesame")
        for loop in [0, 1, 2, 0, 1] {
            #expect(try peer(.named("eve"), session: loop).join("r", password: "no") == ["wrong_password"])
        }
        #expect(try peer(.named("eve"), session: 2).join("r", password: "sesame") == ["too_many_guesses"])
        #expect(try peer(.named("bob"), session: 2).join("r", password: "sesame") == ["ok"])
        #expect(cluster.nodes.reduce(0) { $0 + $1.statistics.limits[.passwordGuesses] } == 1)
    }

    @Test func guessesFromOneAddressCountTogether() throws {
        let ada = try peer()
        _ = try ada.join("r", password: "sesame")
        func guess(_ address: String, _ password: String) throws -> String? {
            let node = cluster.nodes[Int.random(in: 0..<3, using: &cluster.random)]
            let stream = node.nextRequest()
            cluster.outlets[stream.loop].transports[stream] = .websocket
            node.openStream(stream, .websocket, now: cluster.now)
            node.greet(stream, from: ClientAddress(address), now: cluster.now)
            cluster.settle()
            let text = "{\"t\":\"join\",\"room\":\"r\",\"id\":\"1\",\"password\":\"\(password)\"}"
            node.receive(Array(text.utf8), by: stream, now: cluster.now)
            cluster.settle()
            let frames = try (cluster.outlets[stream.loop].frames[stream] ?? []).map { try object($0) }
            return frames.first { $0["id"] as? String == "1" }.flatMap { $0["code"] as? String ?? $0["t"] as? String }
        }
        for _ in 0..<5 { #expect(try guess("192.0.2.1", "no") == "wrong_password") }
        #expect(try guess("192.0.2.1", "sesame") == "too_many_guesses")
        #expect(try guess("192.0.2.2", "sesame") == "ack")
    }

    /// However many guesses are on their way at once, no more than the bucket holds are compared.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func guessesInABatchGainNothing(_ seed: UInt64) throws {
        let cluster = Cluster(loops: Int(seed % 4) + 1, seed: seed)
        let ada = try peer(session: 0, in: cluster)
        _ = try ada.join("r", password: "sesame")
        let right = 5 + Int(seed) % 15
        let eves = try (0..<3).map { try peer(.named("eve"), session: $0 % cluster.nodes.count, in: cluster) }
        let requests = eves.map { eve in
            let texts = (0..<20).map { number in
                "{\"t\":\"join\",\"room\":\"r\",\"password\":\"\(number == right ? "sesame" : "no")\"}"
            }
            return (eve, eve.post("[\(texts.joined(separator: ","))]"))
        }
        cluster.settle()
        let results = try requests.flatMap { try $0.results($1) }
        #expect(results.filter { $0 == "wrong_password" }.count <= 5)
        #expect(!results.contains("ok") && results.contains("too_many_guesses"))
    }
}
