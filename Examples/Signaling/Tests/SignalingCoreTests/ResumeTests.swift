import Testing

@testable import SignalingCore

/// Tickets, and the sessions that are continued by them.
@Suite struct ResumeTests {
    private func ticket(_ client: Duplex, _ type: String = "welcome") throws -> String {
        try #require(try client.first(type)["resume"] as? String)
    }

    private func post(
        _ cluster: Cluster, _ ticket: String, after last: String? = nil, on loop: Int = 0
    ) throws -> Reply {
        let request = cluster.nodes[loop].nextRequest()
        cluster.nodes[loop].resumeSession(
            request, Array(ticket.utf8), after: last.flatMap { EventID($0) }, now: cluster.now)
        cluster.settle()
        return try #require(cluster.outlets[loop].replies[request])
    }

    @Test(arguments: [1, 3])
    func aSessionThatLivesGoesOn(_ loops: Int) throws {
        let cluster = Cluster(loops: loops)
        let first = Duplex(cluster, on: loops - 1)
        first.hello()
        first.cut()
        let second = Duplex(cluster, on: 0)
        second.resume(try ticket(first), after: "1.0")
        let resumed = try second.first("resumed")
        #expect(resumed["resumed"] as? String == "yes")
        for field in ["sid", "token", "epoch"] {
            #expect(areEqual(resumed[field], try first.first("welcome")[field]))
        }
        let reply = try post(cluster, try ticket(first))
        #expect(reply.status == 200)
        #expect(reply.headers.contains(.init("signal-resumed", "yes")))
    }

    @Test(arguments: [1, 3])
    func aSessionThatExpiredBeginsAnew(_ loops: Int) throws {
        let cluster = Cluster(loops: loops)
        let first = Duplex(cluster, on: loops - 1)
        first.hello()
        first.send("{\"t\":\"join\",\"room\":\"r\"}")
        cluster.settle()
        first.cut()
        cluster.advance(seconds: 40)
        let second = Duplex(cluster, on: 0)
        second.resume(try ticket(first), after: "1.1")
        let resumed = try second.first("resumed")
        #expect(resumed["resumed"] as? String == "no")
        #expect(resumed["sid"] as? String == (try first.first("welcome")["sid"] as? String))
        #expect(resumed["epoch"] as? Int == 2, "nobody takes its events for those of the session before")
        #expect(try second.types() == ["resumed"], "it is in no room")
        #expect(!areEqual(resumed["token"], try first.first("welcome")["token"]))
    }

    @Test func aRestartMakesANewEpoch() throws {
        let before = Cluster(loops: 3, epoch: 100)
        let first = Duplex(before, on: 2)
        first.hello()
        let after = Cluster(loops: 3, seed: 9, epoch: 200)
        let reply = try post(after, try ticket(first), after: "100.0")
        #expect(reply.status == 201)
        #expect(reply.headers.contains(.init("signal-resumed", "no")))
        let body = try object(reply.body)
        #expect(body["epoch"] as? Int == 201)
        #expect(body["sid"] as? String == (try first.first("welcome")["sid"] as? String))
        let fewer = Cluster(loops: 1, seed: 9, epoch: 300)
        let moved = try object(try post(fewer, try ticket(first)).body)
        #expect((moved["sid"] as? String)?.hasPrefix("0-") == true, "its loop is no more")
    }

    @Test func aLossIsPartial() throws {
        var limits = ServiceLimits()
        limits.logMessages = 2
        let cluster = Cluster(loops: 1, limits: limits)
        let first = Duplex(cluster)
        first.hello()
        for room in ["a", "b", "c", "d"] { first.send("{\"t\":\"join\",\"room\":\"\(room)\"}") }
        cluster.settle()
        #expect(try post(cluster, try ticket(first), after: "1.1").headers.contains(.init("signal-resumed", "partial")))
        let second = Duplex(cluster)
        second.resume(try ticket(first), after: "1.1")
        #expect(try second.first("resumed")["resumed"] as? String == "partial")
    }

    @Test func aTicketThatWasNotSignedHereIsRefused() throws {
        let cluster = Cluster(loops: 1)
        let first = Duplex(cluster)
        first.hello()
        let good = try ticket(first)
        var bad = Array(good)
        bad[10] = bad[10] == "A" ? "B" : "A"
        for text in [String(bad), "", ".", "a.b", good + ".", String(good.dropLast()), good + "A"] {
            #expect(try post(cluster, text).problem == .badTicket)
        }
        let second = Duplex(cluster)
        second.resume(String(bad))
        #expect(second.end == .refused(.badTicket))
        #expect(try second.first("error")["code"] as? String == "bad_ticket")
        #expect(first.end == nil)
    }

    @Test func aTicketOfTheKeyBeforeIsGoodAndOfAnEarlierOneIsNot() throws {
        let first = Duplex(Cluster(loops: 1, signer: TestSigner(key: 1)))
        first.hello()
        let next = Cluster(loops: 1, signer: TestSigner(key: 2, previous: 1))
        #expect(try post(next, try ticket(first)).status == 201)
        let last = Cluster(loops: 1, signer: TestSigner(key: 3, previous: 2))
        #expect(try post(last, try ticket(first)).status == 401)
    }

    @Test func aTicketExpires() throws {
        var limits = ServiceLimits()
        limits.ticketLifetime = .seconds(60)
        let cluster = Cluster(loops: 1, limits: limits)
        let first = Duplex(cluster)
        first.hello()
        cluster.advance(seconds: 59)
        #expect(try post(cluster, try ticket(first)).status == 200)
        cluster.advance(seconds: 1)
        #expect(try post(cluster, try ticket(first)).problem == .badTicket)
    }

    @Test(arguments: [0, 1, 2, 3, 31, 32, 33])
    func base64GoesThereAndBack(_ count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 250) }
        #expect(Base64URL.decode(Array(Base64URL.encode(bytes).utf8)) == bytes)
    }

    @Test(arguments: ["A", "AB", "====", "A+", "AAB", "AA="])
    func base64HasOneSpelling(_ text: String) {
        #expect(Base64URL.decode(Array(text.utf8)) == nil)
    }

    @Test(arguments: [
        ("{\"t\":\"hello\",\"token\":\"x\"}", Hello.hello(token: Array("x".utf8))),
        ("{\"t\":\"hello\",\"client\":{\"t\":1}}", .hello(token: nil)),
        (
            "{\"t\":\"resume\",\"ticket\":\"a.b\",\"last\":\"1.7\"}",
            .resume(ticket: Array("a.b".utf8), last: EventID("1.7"))
        ),
        ("{\"t\":\"resume\",\"ticket\":\"a.b\",\"last\":7}", .resume(ticket: Array("a.b".utf8), last: nil)),
    ])
    func aHelloIsRead(_ text: String, _ hello: Hello) throws {
        #expect(try Hello.message(Array(text.utf8), limits: ServiceLimits()) == hello)
    }

    @Test(arguments: [
        ("", Problem.badJSON), ("[]", .badJSON), ("{\"t\":\"hello\"", .badJSON), ("{}", .badHello),
        ("{\"t\":\"ping\"}", .badHello), ("{\"t\":1}", .badHello), ("{\"t\":\"resume\"}", .badHello),
        ("{\"t\":\"hello\",\"client\":\"" + String(repeating: "x", count: 16_384) + "\"}", .tooLarge),
    ])
    func whatIsNoHelloIsRefused(_ text: String, _ problem: Problem) {
        #expect(throws: Hello.Refusal.self) { try Hello.message(Array(text.utf8), limits: ServiceLimits()) }
        do throws(Hello.Refusal) {
            _ = try Hello.message(Array(text.utf8), limits: ServiceLimits())
        } catch {
            #expect(error.problem == problem)
        }
    }
}
