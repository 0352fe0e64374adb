import Testing

@testable import SignalingCore

@Suite struct DuplicateIdentityTests {
    private func cluster(_ setting: String, loops: Int = 3, seed: UInt64 = 5) throws -> Cluster {
        var limits = ServiceLimits()
        limits.duplicateIdentity = try #require(DuplicateIdentity(setting))
        return Cluster(loops: loops, seed: seed, limits: limits)
    }

    /// What `POST /v1/sessions` answers.
    private func hello(_ cluster: Cluster, _ subject: String?, on loop: Int = 0) throws -> Reply {
        let node = cluster.nodes[loop]
        let request = node.nextRequest()
        node.createSession(request, subject.map { .named($0) } ?? .development, now: cluster.now)
        cluster.settle()
        return try #require(cluster.outlets[loop].replies[request])
    }

    private func resume(_ cluster: Cluster, _ ticket: String, on loop: Int = 0) throws -> Reply {
        let node = cluster.nodes[loop]
        let request = node.nextRequest()
        node.resumeSession(request, Array(ticket.utf8), after: nil, now: cluster.now)
        cluster.settle()
        return try #require(cluster.outlets[loop].replies[request])
    }

    private func field(_ name: String, _ reply: Reply) throws -> String {
        let fields = try object(reply.body)
        return try #require(fields[name] as? String)
    }

    private func isIdle(_ cluster: Cluster) -> Bool {
        cluster.nodes.allSatisfy { $0.sessionCount == 0 && $0.claims.holders.isEmpty && $0.claims.waiting.isEmpty }
    }

    private func bye(_ cluster: Cluster, _ welcome: Reply) throws {
        let node = cluster.nodes[0]
        let token = Array(try field("token", welcome).utf8)
        node.deleteSession(node.nextRequest(), session: try field("sid", welcome), token: token, now: cluster.now)
        cluster.settle()
    }

    @Test(arguments: ["allow", "allow(7)", "reject", "replace"])
    func aSettingIsWrittenAsItIsRead(_ text: String) throws {
        #expect(try #require(DuplicateIdentity(text)).description == text)
    }

    @Test(arguments: ["", "allow()", "allow(0)", "allow(-1)", "allow(x)", "allow(1000001)", "Replace", "allow(1"])
    func anythingElseIsNone(_ text: String) { #expect(DuplicateIdentity(text) == nil) }

    @Test func usuallyASubjectHasAsManyAsItWants() throws {
        let cluster = try cluster("allow")
        for loop in [0, 1, 2, 0, 1] { #expect(try hello(cluster, "ada", on: loop).status == 201) }
        #expect(cluster.nodes.allSatisfy { $0.claims.holders.isEmpty })
    }

    @Test func oneMoreThanItMayHaveIsRefused() throws {
        let cluster = try cluster("allow(2)")
        let first = try hello(cluster, "ada", on: 1)
        #expect(first.status == 201)
        #expect(try hello(cluster, "ada", on: 2).status == 201)
        let third = try hello(cluster, "ada")
        #expect(third.status == 409)
        #expect(try field("code", third) == "duplicate_identity")
        #expect(try hello(cluster, "bob").status == 201)
        try bye(cluster, first)
        #expect(try hello(cluster, "ada").status == 201)
        #expect(cluster.nodes.reduce(0) { $0 + $1.statistics.limits[.duplicateIdentity] } == 1)
    }

    @Test func whoShowsNoTokenIsNobodysDuplicate() throws {
        let cluster = try cluster("reject")
        for loop in 0..<3 { #expect(try hello(cluster, nil, on: loop).status == 201) }
    }

    @Test func aWebSocketThatIsRefusedIsClosedWith4409() throws {
        let cluster = try cluster("reject")
        #expect(try hello(cluster, "ada").status == 201)
        let stream = try websocket(cluster, "ada", on: 1)
        #expect(cluster.outlets[1].ended[stream] == .refused(.duplicateIdentity))
        #expect(StreamEnd.refused(.duplicateIdentity).code == 4409)
    }

    private func websocket(_ cluster: Cluster, _ subject: String, on loop: Int) throws -> StreamID {
        let node = cluster.nodes[loop]
        let stream = node.nextRequest()
        cluster.outlets[loop].transports[stream] = .websocket
        node.openStream(stream, .websocket, now: cluster.now)
        node.greet(stream, .named(subject), now: cluster.now)
        cluster.settle()
        return stream
    }

    @Test func resumingIsNoDuplicate() throws {
        let cluster = try cluster("reject")
        let welcome = try hello(cluster, "ada", on: 1)
        #expect(try resume(cluster, try field("resume", welcome), on: 2).status == 200)
        cluster.advance(seconds: 40)
        #expect(isIdle(cluster))
        #expect(try resume(cluster, try field("resume", welcome), on: 2).status == 201, "its place was free again")
        #expect(try hello(cluster, "ada").status == 409)
    }

    @Test func theSessionBeforeEndsForTheNext() throws {
        let cluster = try cluster("replace")
        let stream = try websocket(cluster, "ada", on: 1)
        let first = try object(try #require(cluster.outlets[1].frames[stream]?.first))
        #expect(try hello(cluster, "ada", on: 2).status == 201)
        #expect(cluster.outlets[1].ended[stream] == .refused(.replaced))
        #expect(StreamEnd.refused(.replaced).code == 4409)
        #expect(cluster.nodes.reduce(0) { $0 + $1.sessionCount } == 1)
        let again = try resume(cluster, try #require(first["resume"] as? String))
        #expect(again.status == 409, "its ticket does not put out the one that put it out")
        #expect(try field("code", again) == "replaced")
    }

    @Test func othersHearThatItWasReplaced() throws {
        let cluster = try cluster("replace", loops: 1)
        let (ada, bob) = (try Peer(cluster, identity: .named("ada")), try Peer(cluster, identity: .named("bob")))
        for peer in [bob, ada] {
            peer.open()
            try peer.join("r")
        }
        _ = try hello(cluster, "ada")
        #expect(try bob.events("peer_left").last?["reason"] as? String == "replaced")
    }

    @Test func aStreamThatIsGoneMeanwhileLeavesNothing() throws {
        let cluster = try cluster("reject")
        for loop in 0..<3 {
            let node = cluster.nodes[loop]
            let stream = node.nextRequest()
            cluster.outlets[loop].transports[stream] = .websocket
            node.openStream(stream, .websocket, now: cluster.now)
            node.greet(stream, .named("ada"), now: cluster.now)
            node.streamClosed(stream, now: cluster.now)
            cluster.settle()
        }
        cluster.advance(seconds: 40)
        #expect(isIdle(cluster))
        #expect(try hello(cluster, "ada").status == 201)
    }

    @Test func aStreamThatIsGoneBeforeItsSessionBeginsAgainLeavesNothing() throws {
        let cluster = try cluster("reject")
        let welcome = try hello(cluster, "ada", on: 1)
        cluster.advance(seconds: 40)
        #expect(isIdle(cluster))
        let node = cluster.nodes[0]
        let stream = node.nextRequest()
        cluster.outlets[0].transports[stream] = .websocket
        node.openStream(stream, .websocket, now: cluster.now)
        node.greet(stream, resume: Array(try field("resume", welcome).utf8), after: nil, now: cluster.now)
        node.streamClosed(stream, now: cluster.now)
        cluster.settle()
        cluster.advance(seconds: 40)
        #expect(isIdle(cluster))
    }

    /// Sessions of two subjects come, go, come back and time out over mailboxes that are emptied in any order. There are never
    /// more than there may be, and when all have gone nobody is counted.
    @Test(arguments: 0..<60 as Range<UInt64>)
    func neverAreThereMoreThanThereMayBe(_ seed: UInt64) throws {
        let setting = ["reject", "allow(2)", "replace"][Int(seed % 3)]
        let cluster = try cluster(setting, loops: Int(seed % 4) + 1, seed: seed)
        let most = DuplicateIdentity(setting)?.most ?? 0
        var requests: [RequestKey] = []
        var welcomes: [Reply] = []
        for _ in 0..<150 {
            let loop = Int.random(in: 0..<cluster.nodes.count, using: &cluster.random)
            let node = cluster.nodes[loop]
            let welcome = welcomes.randomElement(using: &cluster.random)
            let request = node.nextRequest()
            switch Int.random(in: 0..<5, using: &cluster.random) {
            case 0, 1:
                let subject = ["ada", "bob"][Int.random(in: 0..<2, using: &cluster.random)]
                node.createSession(request, .named(subject), now: cluster.now)
                requests.append(request)
            case 2 where welcome != nil:
                let ticket = Array(try welcome.map { try field("resume", $0) }?.utf8 ?? "".utf8)
                node.resumeSession(request, ticket, after: nil, now: cluster.now)
                requests.append(request)
            case 3 where welcome != nil:
                let sid = try welcome.map { try field("sid", $0) } ?? ""
                let token = Array(try welcome.map { try field("token", $0) }?.utf8 ?? "".utf8)
                node.deleteSession(request, session: sid, token: token, now: cluster.now)
            default: if seed % 5 == 0 { cluster.advance(seconds: 5) }
            }
            for _ in 0..<Int.random(in: 0...3, using: &cluster.random) { cluster.deliverOne() }
            let answered = requests.compactMap { cluster.outlets[$0.loop].replies[$0] }
            welcomes = answered.filter { $0.status == 200 || $0.status == 201 }
        }
        cluster.settle()
        for request in requests {
            #expect(cluster.outlets[request.loop].replies[request] != nil, "nobody waits for ever")
        }
        for subject in ["ada", "bob"] {
            let name = Identifier(Array(subject.utf8), maxSize: 8)
            let alive = cluster.nodes.flatMap { $0.sessions.values }.filter { $0.identity.subject == name }
            #expect(alive.count <= most)
            let counted = cluster.nodes.flatMap { node in name.flatMap { node.claims.holders[$0] } ?? [] }
            #expect(Set(counted) == Set(alive.map(\.id)) && counted.count == alive.count)
        }
        cluster.advance(seconds: 40)
        #expect(isIdle(cluster))
    }

    // MARK: Tickets of those who were put out

    @Test func anOperatorsKickMakesTheTicketWorthless() throws {
        let cluster = Cluster(loops: 2)
        let welcome = try hello(cluster, nil, on: 1)
        let text = try field("sid", welcome)
        let sid = try #require(SessionID(text))
        let ticket = try field("resume", welcome)
        cluster.nodes[0].ask(.endSession(sid), of: [1], now: cluster.now) { _ in }
        cluster.settle()
        let again = try resume(cluster, ticket)
        #expect(again.status == 403)
        #expect(try field("code", again) == "kicked")
        cluster.advance(seconds: 24 * 60 * 60)
        #expect(try field("code", resume(cluster, ticket)) == "bad_ticket", "it has expired")
        _ = cluster.nodes[1].denied.problem(of: sid, now: cluster.now.unixMilliseconds)
        #expect(cluster.nodes[1].denied.count == 0)
    }

    @Test func whoSaidByeMayComeBackByTheTicket() throws {
        let cluster = Cluster(loops: 2)
        let welcome = try hello(cluster, nil, on: 1)
        try bye(cluster, welcome)
        #expect(try resume(cluster, try field("resume", welcome)).status == 201)
    }

    @Test func soManyAreRememberedOnly() throws {
        var limits = ServiceLimits()
        limits.deniedSessions = 2
        let cluster = Cluster(loops: 1, limits: limits)
        let welcomes = try (0..<3).map { _ in try hello(cluster, nil) }
        for welcome in welcomes {
            let text = try field("sid", welcome)
            let sid = try #require(SessionID(text))
            cluster.nodes[0].ask(.endSession(sid), of: [0], now: cluster.now) { _ in }
        }
        #expect(try welcomes.map { try resume(cluster, field("resume", $0)).status } == [201, 403, 403])
        #expect(cluster.nodes[0].statistics.limits[.deniedSessions] == 1)
    }
}
