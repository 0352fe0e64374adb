import Testing

@testable import SignalingCore

@Suite struct AccessTests {
    private let cluster = Cluster(loops: 2)

    private func identity(
        _ subject: String = "ada", rooms: [String] = ["*"], grants: Grants = .usual, maxPeers: Int? = nil,
        expiresIn seconds: Int64? = nil
    ) throws -> Identity {
        Identity(
            subject: Identifier(Array(subject.utf8), maxSize: 128),
            rooms: try rooms.map { try #require(RoomPattern(Array($0.utf8), maxSize: 128)) }, grants: grants,
            maxPeers: maxPeers, expires: seconds.map { cluster.now.unixMilliseconds + $0 * 1000 })
    }

    private func peer(_ identity: Identity, in cluster: Cluster? = nil) throws -> Peer {
        let peer = try Peer(cluster ?? self.cluster, identity: identity)
        peer.open()
        (cluster ?? self.cluster).settle()
        return peer
    }

    @Test(arguments: [
        ("a", "a", true), ("a", "b", false), ("a", "aa", false), ("*", "", false), ("*", "anything", true),
        ("team-*", "team-1", true), ("team-*", "team", false), ("*-x", "a-x-x", true), ("a*b*c", "a1b2c", true),
        ("a*b*c", "a1c2b", false), ("**", "q", true), ("*a*a*a*b", "aaaaaaaaaaaaaaaa", false),
    ])
    func patternsName(pattern: String, room: String, isNamed: Bool) throws {
        let pattern = try #require(RoomPattern(Array(pattern.utf8), maxSize: 128))
        let matches = RoomName(Array(room.utf8), maxSize: 128).map(pattern.matches) ?? false
        #expect(matches == isNamed)
    }

    @Test func aTokenOpensItsRoomsOnly() throws {
        let ada = try peer(identity(rooms: ["red", "team-*"]))
        #expect(try ada.join("red") == ["ok"])
        #expect(try ada.join("team-4") == ["ok"])
        #expect(try ada.join("blue") == ["forbidden"])
    }

    @Test func withoutItsGrantAMessageIsForbidden() throws {
        let ada = try peer(identity(grants: .join))
        let bob = try peer(identity("bob", grants: .call))
        #expect(try ada.join("r") == ["ok"])
        #expect(try bob.join("r") == ["forbidden"])
        for type in ["offer", "answer", "candidates", "invite", "hangup"] {
            #expect(try ada.send(ada.message(type, to: bob, #","call":"c","body":{}"#)) == ["forbidden"])
        }
        #expect(try ada.send(#"{"t":"msg","room":"r","body":{}}"#) == ["forbidden"])
        #expect(try ada.send(#"{"t":"presence_set","room":"r","body":{}}"#) == ["forbidden"])
        #expect(try ada.send(#"{"t":"ping"}"#) == ["ok"])
        #expect(try ada.send(#"{"t":"leave","room":"r"}"#) == ["ok"])
    }

    @Test func aTokenLetsInUpToItsNumberOfMembers() throws {
        try peer(identity("eve")).join("r")
        let ada = try peer(identity(maxPeers: 2))
        let bob = try peer(identity("bob", maxPeers: 2))
        #expect(try ada.join("r") == ["ok"])
        #expect(try bob.join("r") == ["room_full"])
        #expect(try ada.join("r") == ["ok"], "who is in may say more of itself")
    }

    // MARK: Time

    @Test func aSessionIsWarnedAndThenEndsWithItsToken() throws {
        let ada = try peer(identity(expiresIn: 100))
        let stream = try #require(ada.stream)
        cluster.advance(seconds: 38)
        #expect(try ada.types() == [])
        cluster.advance(seconds: 4)
        #expect(try ada.types() == ["token_expiring"])
        cluster.advance(seconds: 50)
        #expect(!ada.isEnded(stream))
        cluster.advance(seconds: 10)
        #expect(ada.isEnded(stream))
        let request = ada.post("[]")
        cluster.settle()
        #expect(ada.reply(request)?.problem == .noSuchSession)
    }

    @Test(arguments: [Transport.websocket, .stream])
    func aStreamEndsWithTheCodeOfAnExpiredToken(_ transport: Transport) throws {
        let client = Duplex(cluster, transport)
        client.hello(try identity(expiresIn: 100))
        cluster.advance(seconds: 110)
        #expect(client.end == .refused(.tokenExpired))
        #expect(client.end?.code == 4401)
        #expect(try client.first("error")["code"] as? String == "token_expired")
        #expect(try client.types().last == "error")
    }

    @Test func aPollIsToldThatTheTokenHasExpired() throws {
        let ada = try Peer(cluster, identity: identity(expiresIn: 5))
        let request = cluster.nodes[1].nextRequest()
        cluster.nodes[1].poll(
            request, session: ada.sid, token: ada.token, since: nil, wait: .seconds(25), now: cluster.now)
        cluster.advance(seconds: 6)
        #expect(ada.reply(request)?.problem == .tokenExpired)
    }

    @Test func aTicketCarriesItsIdentityAndNoMore() throws {
        let first = Duplex(cluster)
        first.hello(try identity(rooms: ["red"], grants: .join, expiresIn: 100))
        let ticket = try #require(try first.first("welcome")["resume"] as? String)
        first.cut()
        let second = Duplex(cluster, on: 1, .stream)
        second.resume(ticket)
        second.send(#"[{"t":"join","id":"1","room":"red"},{"t":"join","id":"2","room":"blue"}]"#)
        second.send(#"{"t":"msg","id":"3","room":"red","body":{}}"#)
        cluster.settle()
        let codes = try second.messages().filter { $0["t"] as? String == "error" }.map { $0["code"] as? String }
        #expect(codes == ["forbidden", "forbidden"])
        second.cut()
        cluster.advance(seconds: 110)
        let late = Duplex(cluster)
        late.resume(ticket)
        #expect(late.end == .refused(.tokenExpired))
    }

    @Test func aTokenPinsTheCertificatesOfItsDescriptions() throws {
        func print(_ byte: String) -> String { Array(repeating: byte, count: 32).joined(separator: ":") }
        var pinned = try identity()
        pinned.fingerprints = ["sha-256 \(print("AB"))"]
        let ada = try peer(pinned)
        let bob = try peer(identity("bob"))
        try ada.join("r")
        try bob.join("r")
        func offer(_ fingerprint: String) -> String {
            let sdp = [
                "v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=fingerprint:sha-256 \(fingerprint)",
                "m=audio 9 UDP/TLS/RTP/SAVPF 111", "c=IN IP4 0.0.0.0", "a=mid:0", "",
            ].joined(separator: #"\r\n"#)
            return ada.message("offer", to: bob, #","call":"c","neg":1,"body":{"type":"offer","sdp":"\#(sdp)"}"#)
        }
        #expect(try ada.send(offer(print("CD"))) == ["sdp_policy"])
        #expect(try ada.send(offer(print("AB"))) == ["ok"])
        cluster.outlets[0].verdict = .success(try identity())
        #expect(try ada.send(#"{"t":"token_refresh","token":"x"}"#) == ["ok"])
        #expect(try ada.send(offer(print("CD")).replacing(#""neg":1"#, with: #""neg":2"#)) == ["ok"])
    }

    @Test func aNewTokenKeepsTheSession() throws {
        let ada = try peer(identity(expiresIn: 100))
        cluster.outlets[0].verdict = .success(try identity(grants: .join, expiresIn: 1000))
        #expect(try ada.send(#"{"t":"token_refresh","token":"x.y.z"}"#) == ["ok"])
        #expect(cluster.outlets[0].tokens == [Array("x.y.z".utf8)])
        cluster.advance(seconds: 200)
        #expect(!ada.isEnded(try #require(ada.stream)))
        #expect(try ada.join("r") == ["ok"])
        #expect(try ada.send(#"{"t":"msg","room":"r","body":{}}"#) == ["forbidden"], "it has the new grants")
        cluster.advance(seconds: 750)
        #expect(try ada.types().last == "token_expiring")
    }

    @Test func aTokenThatIsRefusedChangesNothing() throws {
        let ada = try peer(identity(expiresIn: 100))
        cluster.outlets[0].verdict = .failure(TokenRefusal(.tokenSignature, "no"))
        #expect(try ada.send(#"{"t":"token_refresh","token":"x"}"#) == ["token_signature"])
        cluster.outlets[0].verdict = .success(try identity("eve", expiresIn: 1000))
        #expect(try ada.send(#"{"t":"token_refresh","token":"x"}"#) == ["token_subject"])
        #expect(try ada.send(#"{"t":"token_refresh"}"#) == ["bad_message"])
        cluster.advance(seconds: 110)
        #expect(ada.isEnded(try #require(ada.stream)))
    }

    // MARK: Rates

    @Test func aSessionThatSendsTooFastIsToldWhenToGoOn() throws {
        var limits = ServiceLimits()
        limits.sessionRate = TokenBucket.Rate(perSecond: 2, burst: 3)
        let cluster = Cluster(loops: 1, limits: limits)
        let ada = try peer(identity(), in: cluster)
        let ping = #"{"t":"ping"}"#
        #expect(try ada.send("[\(ping),\(ping),\(ping),\(ping)]") == ["ok", "ok", "ok", "rate_limited"])
        #expect(cluster.nodes[0].statistics.limits[.sessionRate] == 1)
        cluster.advance(seconds: 1)
        #expect(try ada.send("[\(ping),\(ping),\(ping)]") == ["ok", "ok", "rate_limited"])
    }

    @Test func theSessionsOfASubjectShareARate() throws {
        var limits = ServiceLimits()
        limits.subjectRate = TokenBucket.Rate(perSecond: 1, burst: 3)
        let cluster = Cluster(loops: 1, limits: limits)
        let first = try peer(identity(), in: cluster)
        let second = try peer(identity(), in: cluster)
        let other = try peer(identity("bob"), in: cluster)
        let ping = #"{"t":"ping"}"#
        #expect(try first.send("[\(ping),\(ping)]") == ["ok", "ok"])
        #expect(try second.send("[\(ping),\(ping)]") == ["ok", "rate_limited"])
        #expect(try other.send(ping) == ["ok"])
        #expect(cluster.nodes[0].statistics.limits[.subjectRate] == 1)
    }

    @Test func aSubjectHasOneRateOnAllLoopsAlsoWhenItComesBack() throws {
        var limits = ServiceLimits()
        limits.subjectRate = TokenBucket.Rate(perSecond: 1, burst: 3)
        let cluster = Cluster(loops: 3, limits: limits)
        let ping = #"{"t":"ping"}"#
        for home in 0..<3 {
            let ada = try Peer(cluster, home: home, identity: identity())
            #expect(try ada.send(ping) == ["ok"])
            cluster.nodes[home].deleteSession(
                cluster.nodes[home].nextRequest(), session: ada.sid, token: ada.token, now: cluster.now)
            cluster.settle()
        }
        let ada = try Peer(cluster, home: 1, identity: identity())
        #expect(try ada.send(ping) == ["rate_limited"])
        cluster.advance(seconds: 1)
        #expect(try ada.send("[\(ping),\(ping)]") == ["ok", "rate_limited"])
    }

    @Test func subjectsWithoutSessionsAreForgottenOnceTheirBucketsAreFull() throws {
        var limits = ServiceLimits()
        limits.subjectRate = TokenBucket.Rate(perSecond: 1, burst: 3)
        limits.rateEntries = 2
        let start = Moment(nanoseconds: 1_000_000_000, unixMilliseconds: 0)
        let rates = SharedRates(limits: limits, now: start)
        func bucket(_ name: String, at seconds: UInt64) throws -> SharedBucket {
            let subject = try #require(Identifier(Array(name.utf8), maxSize: 128))
            return rates.bucket(of: subject, now: seconds * 1_000_000_000)
        }
        let held = try bucket("held", at: 1)
        for name in ["a", "b", "c"] { #expect(rates.take(try bucket(name, at: 1), now: 1_000_000_000) == nil) }
        _ = try bucket("full", at: 1)
        #expect(rates.subjectCount == 5)
        _ = try bucket("new", at: 2)
        #expect(rates.subjectCount == 2, "the one that is held, and the new one: all others are full")
        #expect(try bucket("held", at: 2) === held)
        for name in ["a", "b", "c"] {
            for _ in 0..<3 { #expect(rates.take(try bucket(name, at: 2), now: 2_000_000_000) == nil) }
        }
        _ = try bucket("newer", at: 3)
        #expect(rates.subjectCount == 4, "the one that is held, two that are not full, and the new one")
    }

    @Test func anAddressHasOneRateOnAllLoops() {
        var limits = ServiceLimits()
        limits.addressRate = TokenBucket.Rate(perSecond: 1, burst: 2)
        let cluster = Cluster(loops: 3, limits: limits)
        let refusals = cluster.nodes.map { $0.refusal(of: ClientAddress("192.0.2.1"), now: cluster.now) }
        #expect(refusals.map { $0?.status } == [nil, nil, 429])
    }

    @Test(arguments: [(0.0, 3.0), (1e9, 1e9), (1, 1), (1e9, 1), (1, 1e9), (0.1, 0)])
    func `a shared bucket holds its burst, whatever the rate`(perSecond: Double, burst: Double) {
        let bucket = SharedBucket(now: 5)
        let pace = SharedBucket.Pace(TokenBucket.Rate(perSecond: perSecond, burst: burst))
        for _ in 0..<Int(min(max(burst, 1), 100)) { #expect(bucket.take(at: pace, now: 5) == nil) }
        if burst <= 100 { #expect(bucket.take(at: pace, now: 5).map { $0 > 0 } == true) }
    }

    @Test func aRoomHasARate() throws {
        var limits = ServiceLimits()
        limits.roomRate = TokenBucket.Rate(perSecond: 1, burst: 2)
        let pair = try Pair(loops: 2, limits: limits)
        let message = pair.ada.message("msg", to: pair.bob, #","body":{}"#)
        #expect(try pair.ada.send("[\(message),\(message),\(message)]") == ["ok", "ok", "rate_limited"])
    }

    @Test func anAddressBeginsSoManySessions() {
        var limits = ServiceLimits()
        limits.addressRate = TokenBucket.Rate(perSecond: 0.5, burst: 2)
        let cluster = Cluster(loops: 1, limits: limits)
        let node = cluster.nodes[0]
        let address = ClientAddress("192.0.2.1")
        #expect(node.refusal(of: address, now: cluster.now) == nil)
        #expect(node.refusal(of: address, now: cluster.now) == nil)
        let refusal = node.refusal(of: address, now: cluster.now)
        #expect(refusal?.status == 429)
        #expect(refusal?.problem == .rateLimited)
        #expect(refusal?.headers.contains(.init("retry-after", "2")) == true)
        #expect(node.refusal(of: ClientAddress("192.0.2.2"), now: cluster.now) == nil)
        cluster.advance(seconds: 2)
        #expect(node.refusal(of: address, now: cluster.now) == nil)
    }

    @Test(arguments: [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::1", true), ("2001:db8::1", "2001:db8::2", true),
        ("2001:db8:0:0:1::", "2001:db8::9", true), ("2001:db8:1:2::", "2001:db8:1:3::", false),
        ("192.0.2.1", "192.0.2.2", false), ("::1", "::2", true),
    ])
    func addressesOfOneNetworkAreOne(first: String, second: String, areSame: Bool) {
        #expect((ClientAddress(first) == ClientAddress(second)) == areSame)
    }

    @Test func aTableForgetsWhoIsQuietAndLetsTheRestShare() {
        var table = BucketTable<Int>(TokenBucket.Rate(perSecond: 1, burst: 1), capacity: 2, now: 0)
        for key in 0..<3 { #expect(table.take(key, now: 0) == nil) }
        #expect(table.count == 2)
        #expect(table.take(9, now: 0) != nil, "the shared bucket is empty")
        #expect(table.take(9, now: 5_000_000_000) == nil)
        #expect(table.count == 1)
    }

    // MARK: Tickets

    @Test func anIdentityComesBackFromItsBytes() throws {
        var ada = try identity(rooms: ["a", "b*"], grants: .all, maxPeers: 3, expiresIn: 9)
        ada.name = Array("Ada".utf8)
        ada.fingerprints = ["sha-256 AB:CD"]
        for identity in [ada, .development] {
            #expect(Identity(bytes: identity.bytes) == identity)
            for count in 0..<2 { #expect(Identity(bytes: Array(identity.bytes.prefix(count))) == nil) }
        }
        for count in 0..<ada.bytes.count { #expect(Identity(bytes: Array(ada.bytes.prefix(count))) != ada) }
    }
}
