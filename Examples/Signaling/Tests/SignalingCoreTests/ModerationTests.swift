import Testing

@testable import SignalingCore

@Suite struct ModerationTests {
    private let cluster = Cluster(loops: 3, seed: 3)

    private func peer(
        _ identity: Identity = .development, home: Int = 0, session: Int = 1, in cluster: Cluster? = nil
    ) throws -> Peer {
        let cluster = cluster ?? self.cluster
        let peer = try Peer(cluster, home: home, session: session, identity: identity)
        peer.open()
        cluster.settle()
        return peer
    }

    // MARK: Who it is

    @Test func whoIsThereForTheLongestTimeModerates() throws {
        let (ada, bob, eve) = (try peer(), try peer(home: 2, session: 2), try peer(session: 0))
        for peer in [ada, bob, eve] { try peer.join("r") }
        for peer in [ada, bob, eve] { #expect(try peer.moderators() == [ada.sid]) }
        try ada.send(#"{"t":"leave","room":"r"}"#)
        for peer in [bob, eve] { #expect(try peer.moderators() == [bob.sid]) }
        _ = bob.bye()
        cluster.settle()
        #expect(try eve.moderators() == [eve.sid])
    }

    @Test func whoSaysThatItDoesNotModerateIsPassedOver() throws {
        let (mute, bob, root) = (try peer(), try peer(), try peer(.named("root", .all)))
        #expect(try mute.send(#"{"t":"join","room":"r","moderates":false}"#) == ["ok"])
        #expect(try mute.moderators() == [])
        try bob.join("r")
        #expect(try mute.moderators() == [bob.sid])
        _ = bob.bye()
        cluster.settle()
        #expect(try mute.moderators() == [])
        try mute.join("r")
        #expect(try mute.moderators() == [mute.sid])
        #expect(try root.send(#"{"t":"join","room":"r","moderates":false}"#) == ["ok"])
        #expect(try mute.moderators() == [root.sid])
    }

    @Test func aTokenThatSaysSoModeratesInstead() throws {
        let (ada, root) = (try peer(.named("ada")), try peer(.named("root", .all)))
        try ada.join("r")
        #expect(try ada.moderators() == [ada.sid])
        try root.join("r")
        for peer in [ada, root] { #expect(try peer.moderators() == [root.sid]) }
        #expect(try ada.kick(root) == ["forbidden"])
        try root.send(#"{"t":"leave","room":"r"}"#)
        #expect(try ada.moderators() == [ada.sid])
    }

    @Test func whereTheRuleIsOffNobodyIsChosen() throws {
        var limits = ServiceLimits()
        limits.electsModerators = false
        let cluster = Cluster(loops: 1, limits: limits)
        let (ada, bob) = (try peer(session: 0, in: cluster), try peer(session: 0, in: cluster))
        for peer in [ada, bob] { try peer.join("r") }
        #expect(try bob.moderators() == [])
        #expect(try ada.kick(bob) == ["forbidden"])
    }

    @Test func theModeratorOfALargeRoomHearsOfIt() throws {
        var limits = ServiceLimits()
        limits.rosterCapacity = 2
        let cluster = Cluster(loops: 2, limits: limits)
        let peers = try (0..<4).map { try peer(session: $0 % 2, in: cluster) }
        for peer in peers { try peer.join("r") }
        try peers[0].send(#"{"t":"leave","room":"r"}"#)
        #expect(try peers[1].events("peer_updated").map { $0["peer"] as? String } == [peers[1].sid])
        #expect(!(try peers[2].types().contains("peer_updated")))
    }

    // MARK: What it does

    @Test func whoIsKickedIsOutAndStaysOutForAWhile() throws {
        let (ada, bob, eve) = (try peer(), try peer(home: 2, session: 2), try peer(session: 0))
        for peer in [ada, bob, eve] { try peer.join("r") }
        #expect(try ada.kick(bob) == ["ok"])
        for peer in [ada, bob, eve] {
            let event = try #require(try peer.events().last)
            #expect(event["t"] as? String == "peer_left" && event["peer"] as? String == bob.sid)
            #expect(event["reason"] as? String == "kicked")
        }
        #expect(try bob.send(#"{"t":"msg","room":"r","body":{}}"#) == ["not_in_room"])
        #expect(try bob.join("r") == ["kicked"])
        #expect(try bob.join("s") == ["ok"])
        cluster.advance(seconds: 61)
        #expect(try bob.join("r") == ["ok"])
    }

    @Test func anotherSessionOfTheSameSubjectStaysOutToo() throws {
        let (ada, bob) = (try peer(.named("ada")), try peer(.named("bob")))
        for peer in [ada, bob] { try peer.join("r") }
        _ = try ada.kick(bob)
        #expect(try peer(.named("bob"), session: 2).join("r") == ["kicked"])
        #expect(try peer(.named("bob", .all), session: 2).join("r") == ["ok"], "a moderator comes back")
    }

    @Test func aRoomRemembersSoManyOnly() throws {
        var limits = ServiceLimits()
        limits.keptOutPerRoom = 2
        let cluster = Cluster(loops: 1, limits: limits)
        let ada = try peer(session: 0, in: cluster)
        let others = try (0..<3).map { _ in try peer(session: 0, in: cluster) }
        for peer in [ada] + others { try peer.join("r") }
        for other in others { #expect(try ada.kick(other) == ["ok"]) }
        #expect(try others[0].join("r") == ["ok"])
        #expect(try others[1].join("r") == ["kicked"])
        #expect(cluster.nodes[0].statistics.limits[.keptOut] == 1)
    }

    @Test func onlyAModeratorMayPutOut() throws {
        let (ada, bob, eve) = (try peer(), try peer(), try peer())
        for peer in [ada, bob] { try peer.join("r") }
        #expect(try bob.kick(ada) == ["forbidden"])
        #expect(try eve.kick(ada) == ["not_in_room"])
        #expect(try bob.send(#"{"t":"close_room","room":"r"}"#) == ["forbidden"])
        #expect(try ada.kick(ada) == ["bad_message"])
        #expect(try ada.kick(eve) == ["no_such_peer"])
        #expect(try ada.send(#"{"t":"kick","room":"r"}"#) == ["bad_message"])
    }

    @Test func aTokenThatModeratesNeedNotBeInTheRoom() throws {
        let (ada, bob) = (try peer(.named("ada")), try peer(.named("bob")))
        for peer in [ada, bob] { try peer.join("r") }
        let root = try peer(.named("root", .all))
        #expect(try root.kick(bob) == ["ok"])
        #expect(try root.send(#"{"t":"close_room","room":"r"}"#) == ["ok"])
        #expect(try root.send(#"{"t":"close_room","room":"r"}"#) == ["not_in_room"])
        var foreign = Identity.named("foreign", .all)
        foreign.rooms = [try #require(RoomPattern(Array("other-*".utf8), maxSize: 16))]
        try ada.join("r")
        #expect(try peer(foreign).send(#"{"t":"close_room","room":"r"}"#) == ["forbidden"])
    }

    @Test func aClosedRoomIsLeftByAll() throws {
        let peers = [try peer(), try peer(home: 2, session: 2), try peer(session: 0)]
        for peer in peers { _ = try peer.join("r", password: "sesame") }
        #expect(try peers[0].send(#"{"t":"close_room","room":"r"}"#) == ["ok"])
        for peer in peers { #expect(try peer.types().last == "room_closed") }
        #expect(cluster.nodes.allSatisfy { $0.roomCount == 0 })
        #expect(try peers[1].join("r") == ["ok"])
        #expect(try peers[1].moderators() == [peers[1].sid])
    }

    // MARK: Races

    /// Members come, go and put each other out, in any order of arrival: in the end those who are in a room know who is in it
    /// and who moderates, those who are not know so, and nobody is a member whose session does not know of it.
    @Test(arguments: 0..<60 as Range<UInt64>)
    func allAgreeWhoIsInAndWhoModerates(_ seed: UInt64) throws {
        var limits = ServiceLimits()
        limits.kickTime = .zero
        let cluster = Cluster(loops: Int(seed % 4) + 1, seed: seed, limits: limits)
        let peers = try (0..<4).map { number in
            let grants: Grants = number == 3 && seed % 2 == 0 ? .all : .usual
            return try peer(
                .named("p\(number)", grants), home: number % cluster.nodes.count,
                session: Int.random(in: 0..<cluster.nodes.count, using: &cluster.random), in: cluster)
        }
        for _ in 0..<120 {
            let peer = peers[Int.random(in: 0..<4, using: &cluster.random)]
            let other = peers[Int.random(in: 0..<4, using: &cluster.random)]
            let text =
                switch Int.random(in: 0..<10, using: &cluster.random) {
                case 0..<5: #"{"t":"join","room":"r"}"#
                case 5, 6: #"{"t":"leave","room":"r"}"#
                case 7, 8: "{\"t\":\"kick\",\"room\":\"r\",\"to\":{\"peer\":\"\(other.sid)\"}}"
                default: #"{"t":"close_room","room":"r"}"#
                }
            _ = peer.post(text)
            for _ in 0..<Int.random(in: 0...5, using: &cluster.random) { cluster.deliverOne() }
        }
        cluster.settle()
        try check(peers, cluster)
    }

    private func check(_ peers: [Peer], _ cluster: Cluster) throws {
        let name = try #require(RoomName([0x72], maxSize: 8))
        let room = cluster.nodes[name.loop(of: cluster.nodes.count)].rooms[name]
        let members = Set(room?.members.map(\.session.description) ?? [])
        let moderators = Set(room?.members.filter(\.isModerator).map(\.session.description) ?? [])
        #expect(members.isEmpty == (room == nil) && members.isEmpty == moderators.isEmpty)
        for peer in peers {
            let id = try #require(SessionID(peer.sid))
            let session = try #require(cluster.nodes[id.loop].sessions[id])
            #expect(session.rooms.contains(name) == members.contains(peer.sid))
            guard members.contains(peer.sid) else { continue }
            #expect(try peer.roster() == members)
            #expect(try peer.moderators() == moderators)
        }
    }
}

extension Peer {
    /// Who is in room r by what it has heard.
    fileprivate func roster() throws -> Set<String> {
        var roster: Set<String> = []
        for event in try events() {
            let peer = event["peer"] as? String ?? ""
            switch event["t"] as? String {
            case "joined":
                let members = event["members"] as? [JSONFields] ?? []
                roster = Set(members.compactMap { $0["peer"] as? String } + [peer])
            case "peer_joined": roster.insert(peer)
            case "peer_left": roster.remove(peer)
            default: break
            }
        }
        return roster
    }
}
