import Testing

@testable import SignalingCore

/// One session over any transport.
@Suite struct TransportTests {
    private static let duplex = [Transport.websocket, .stream]

    @Test(arguments: duplex, [1, 3])
    func aHelloIsWelcomedAndMessagesAreAnswered(_ transport: Transport, _ loops: Int) throws {
        let client = Duplex(Cluster(loops: loops), on: loops - 1, transport)
        client.hello()
        let join = "{\"t\":\"join\",\"id\":\"j\",\"room\":\"r\"}"
        client.send("[{\"t\":\"ping\",\"id\":\"p\"},\(join),{\"t\":\"what\",\"id\":\"w\"}]")
        client.cluster.settle()
        #expect(Set(try client.types()) == ["welcome", "pong", "ack", "error", "joined"])
        #expect(try client.types().first == "welcome")
        #expect(try client.first("pong")["seq"] == nil)
        #expect(try client.first("ack")["id"] as? String == "j")
        #expect(try client.first("error")["code"] as? String == "unknown_type")
        #expect(try client.first("joined")["seq"] as? Int == 1)
    }

    @Test func whatIsNoJSONIsAnswered() throws {
        let client = Duplex(Cluster(loops: 1))
        client.hello()
        client.send("{")
        client.send("[]")
        client.cluster.settle()
        #expect(try client.types() == ["welcome", "error"])
        #expect(try client.first("error")["code"] as? String == "bad_json")
        #expect(client.end == nil)
    }

    @Test(arguments: duplex)
    func whoSaysNoHelloInTimeIsShownOut(_ transport: Transport) throws {
        let client = Duplex(Cluster(loops: 1), transport)
        client.cluster.advance(seconds: 9)
        #expect(client.end == nil)
        client.cluster.advance(seconds: 2)
        #expect(client.end == .refused(.helloTimeout))
        #expect(try client.first("error")["code"] as? String == "hello_timeout")
        #expect(client.cluster.nodes[0].statistics.limits[.helloTimeout] == 1)
    }

    @Test(arguments: [1, 3])
    func aSessionWalksOverAllTransports(_ loops: Int) throws {
        let cluster = Cluster(loops: loops)
        let talker = try Peer(cluster, session: loops - 1)
        try talker.join("r")
        let first = Duplex(cluster, on: loops / 2)
        first.hello()
        let welcome = try first.first("welcome")
        let sid = try #require(welcome["sid"] as? String)
        let ticket = try #require(welcome["resume"] as? String)
        let token = Array(try #require(welcome["token"] as? String).utf8)
        first.send("{\"t\":\"join\",\"room\":\"r\"}")
        cluster.settle()
        func talk(_ number: Int) throws {
            let message = "{\"t\":\"offer\",\"room\":\"r\",\"to\":{\"peer\":\"\(sid)\"},\"neg\":\(number)}"
            #expect(try talker.send(message) == ["ok"])
        }
        func negotiations(_ events: [JSONFields]) -> [Int] { events.compactMap { $0["neg"] as? Int } }

        try talk(1)
        #expect(negotiations(try first.messages()) == [1])
        let second = Duplex(cluster, on: 0, .stream)
        second.resume(ticket, after: "1.2")
        #expect(first.end == .replaced)
        #expect(try second.first("resumed")["resumed"] as? String == "yes")
        try talk(2)
        #expect(negotiations(try second.messages()) == [2])

        let request = cluster.nodes[0].nextRequest()
        cluster.nodes[0].openStream(
            request, session: sid, token: token, .ndjson, after: EventID("1.2"), now: cluster.now)
        cluster.settle()
        #expect(second.end == .replaced)
        let text = String(decoding: cluster.outlets[0].written[request] ?? [], as: UTF8.self)
        #expect(text.hasSuffix("\n") && text.split(separator: "\n").count == 1)
        try talk(3)

        let poll = cluster.nodes[0].nextRequest()
        cluster.nodes[0].poll(
            poll, session: sid, token: token, since: EventID("1.3"), wait: .seconds(5), now: cluster.now)
        cluster.settle()
        #expect(cluster.outlets[0].ended[request] == .replaced)
        let reply = try #require(cluster.outlets[0].replies[poll])
        #expect(reply.headers.contains(.init("signal-resumed", "yes")))
        let body = try object(reply.body)
        #expect(negotiations(try #require(body["events"] as? [JSONFields])) == [3])
        #expect(body["last"] as? String == "1.4")
    }

    @Test(arguments: [1, 3])
    func aPollWaitsForAnEventOrItsTime(_ loops: Int) throws {
        let cluster = Cluster(loops: loops)
        let peer = try Peer(cluster, session: loops - 1)
        func poll(_ since: String?, _ wait: Int) -> RequestKey {
            let request = cluster.nodes[0].nextRequest()
            cluster.nodes[0].poll(
                request, session: peer.sid, token: peer.token, since: since.flatMap { EventID($0) },
                wait: .seconds(wait), now: cluster.now)
            cluster.settle()
            return request
        }
        func last(_ request: RequestKey) throws -> String? {
            try peer.reply(request).flatMap { try object($0.body)["last"] as? String }
        }
        #expect(try last(poll(nil, 0)) == "1.0", "who does not wait is answered at once")
        let waiting = poll("1.0", 60)
        #expect(peer.reply(waiting) == nil)
        try peer.join("r")
        #expect(try last(waiting) == "1.1")
        let idle = poll("1.1", 60)
        cluster.advance(seconds: 20)
        #expect(peer.reply(idle) == nil)
        cluster.advance(seconds: 7)
        #expect(try last(idle) == "1.1", "no poll waits longer than the service lets it")
        let older = poll("1.1", 60)
        let newer = poll("1.1", 0)
        #expect(peer.reply(older)?.problem == .replaced)
        #expect(peer.reply(newer)?.status == 200)
        #expect(cluster.nodes[0].streams.isEmpty)
        _ = peer.bye()
        cluster.settle()
        #expect(peer.reply(poll(nil, 0))?.status == 404)
    }

    @Test func aPollAfterAnUnknownEventSaysSo() throws {
        let cluster = Cluster(loops: 1)
        let peer = try Peer(cluster)
        let request = cluster.nodes[0].nextRequest()
        cluster.nodes[0].poll(
            request, session: peer.sid, token: peer.token, since: EventID("9.9"), wait: .zero, now: cluster.now)
        cluster.settle()
        #expect(peer.reply(request)?.headers.contains(.init("signal-resumed", "no")) == true)
    }

    @Test func noMoreIsReadThanIsAnswered() throws {
        var limits = ServiceLimits()
        limits.unanswered = 4
        let cluster = Cluster(loops: 2, limits: limits)
        let client = Duplex(cluster, on: 0)
        client.hello()
        let ticket = try #require(try client.first("welcome")["resume"] as? String)
        // A stream on another loop than its session, so that answers take their time.
        let other = Duplex(cluster, on: 1)
        other.resume(ticket)
        for number in 0..<4 { other.send("{\"t\":\"ping\",\"id\":\"\(number)\"}") }
        #expect(other.isPaused)
        #expect(cluster.nodes[1].statistics.limits[.unanswered] == 1)
        cluster.settle()
        #expect(!other.isPaused)
        #expect(try other.types() == ["resumed", "pong", "pong", "pong", "pong"])
    }

    @Test(arguments: duplex)
    func whoTakesNoAnswersIsNotReadFrom(_ transport: Transport) throws {
        let client = Duplex(Cluster(loops: 1), transport)
        client.hello()
        client.block()
        client.send("{\"t\":\"ping\",\"id\":\"a\"}")
        client.cluster.settle()
        #expect(client.isPaused)
        client.drain()
        #expect(!client.isPaused)
    }

    @Test(arguments: [Transport.websocket, .stream, .sse, .ndjson])
    func whoTakesNothingIsEndedAndOthersAreNot(_ transport: Transport) throws {
        var limits = ServiceLimits()
        limits.logMessages = 4
        limits.streamWindow = 300
        let cluster = Cluster(loops: 1, limits: limits)
        let talker = try Peer(cluster)
        let slow = try Peer(cluster)
        let quick = try Peer(cluster)
        let stream = cluster.nodes[0].nextRequest()
        for peer in [talker, quick] { peer.open() }
        if transport.isDuplex {
            cluster.outlets[0].transports[stream] = transport
            cluster.nodes[0].openStream(stream, transport, now: cluster.now)
            let id = try #require(SessionID(slow.sid))
            let session = try #require(cluster.nodes[0].sessions[id])
            let ticket = cluster.nodes[0].ticket(of: session)
            cluster.nodes[0].greet(stream, resume: Array(ticket.utf8), after: nil, now: cluster.now)
        } else {
            cluster.nodes[0].openStream(
                stream, session: slow.sid, token: slow.token, transport, after: nil, now: cluster.now)
        }
        cluster.settle()
        for peer in [talker, slow, quick] { try peer.join("r") }
        cluster.outlets[0].blocked.insert(stream)
        var results: [String] = []
        for number in 0..<20 {
            let to = "\"room\":\"r\",\"to\":{\"peer\":"
            results += try talker.send("{\"t\":\"offer\",\"neg\":\(number),\(to)\"\(slow.sid)\"}}")
            #expect(try talker.send("{\"t\":\"offer\",\"neg\":\(number),\(to)\"\(quick.sid)\"}}") == ["ok"])
        }
        #expect(results.contains("queue_full"))
        cluster.advance(seconds: 6)
        #expect(cluster.outlets[0].ended[stream] == .refused(.slowConsumer))
        #expect(try quick.events().compactMap { $0["neg"] as? Int } == Array(0..<20))
    }

    @Test func streamsThatAreIdleArePinged() throws {
        let cluster = Cluster(loops: 1)
        let client = Duplex(cluster, .stream)
        client.hello()
        let before = cluster.outlets[0].written[client.stream]?.count ?? 0
        cluster.advance(seconds: 26)
        #expect((cluster.outlets[0].written[client.stream] ?? []).dropFirst(before).elementsEqual("\n".utf8))
    }

    @Test func streamsEndWhenTheServiceStops() throws {
        let cluster = Cluster(loops: 1)
        let client = Duplex(cluster)
        let silent = Duplex(cluster)
        client.hello()
        cluster.nodes[0].endStreams(now: cluster.now)
        cluster.settle()
        #expect(client.end == .goaway)
        #expect(silent.end == .goaway)
    }

    @Test func aCodeNamesEachEnd() {
        #expect(StreamEnd.ended.code == 4000)
        #expect(StreamEnd.replaced.code == 4001)
        #expect(StreamEnd.slow.code == 4002)
        #expect(StreamEnd.goaway.code == 4003)
        #expect(StreamEnd.refused(.unauthorized).code == 4401)
        #expect(StreamEnd.refused(.helloTimeout).name == "hello_timeout")
    }
}
