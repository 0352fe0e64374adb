import Testing

@testable import SignalingCore

/// A session for which more comes than is kept: one whose client takes nothing ends, one whose client is away or goes on does
/// not.
@Suite struct OverflowTests {
    /// Bob's client is a roamer, who has joined; ada and eve listen.
    private struct Scene {
        let cluster: Cluster
        let ada: Peer
        let eve: Peer
        let bob: Roamer
        private(set) var sent = 0

        init(_ transport: Transport, loops: Int, _ change: (inout ServiceLimits) -> Void = { _ in }) throws {
            var limits = ServiceLimits()
            limits.logBytes = 8000
            limits.streamWindow = 500
            limits.stallTime = .seconds(5)
            change(&limits)
            cluster = Cluster(loops: loops, limits: limits)
            ada = try Peer(cluster, home: 0, session: loops - 1)
            eve = try Peer(cluster, home: loops - 1)
            bob = Roamer(try Peer(cluster, home: 1 % loops, session: 1 % loops))
            for peer in [ada, eve] { peer.open() }
            bob.open(transport, on: loops / 2)
            cluster.settle()
            for peer in [ada, eve, bob.peer] { try peer.join("r") }
            try bob.take(.max)
            cluster.settle()
        }

        /// An offer from ada, by its number.
        mutating func offer() throws -> String {
            let body = String(repeating: "x", count: 1000)
            let message = ada.message("offer", to: bob.peer, ",\"id\":\"\(sent)\",\"neg\":\(sent),\"body\":\"\(body)\"")
            sent += 1
            return try #require(try ada.send(message).first)
        }

        /// Eve says something new of herself.
        func setPresence() throws {
            let text = String(repeating: "x", count: 1000)
            try eve.send("{\"t\":\"presence_set\",\"room\":\"r\",\"body\":{\"text\":\"\(text)\"}}")
        }

        /// Offers until one is refused.
        mutating func fill() throws {
            while try offer() == "ok" { try #require(sent < 100) }
        }

        func ids(_ peer: Peer, _ type: String) throws -> [String] {
            try peer.events(type).map { $0["id"] as? String ?? "?" }
        }
    }

    private static let streams = Roamer.transports.filter { $0 != .poll }.flatMap { [($0, 1), ($0, 3)] }

    @Test(arguments: streams)
    func aClientThatTakesNothingLosesItsSession(_ transport: Transport, _ loops: Int) throws {
        var scene = try Scene(transport, loops: loops)
        scene.bob.block()
        try scene.fill()
        let code = try scene.offer()
        #expect(code == "queue_full", "it has some time")
        scene.cluster.advance(seconds: 3)
        #expect(scene.bob.end == nil)
        scene.cluster.advance(seconds: 3)
        #expect(scene.bob.end == .refused(.slowConsumer))
        for peer in [scene.ada, scene.eve] {
            #expect(try peer.events("peer_left").map { $0["reason"] as? String } == ["slow"])
        }
        // What was written is there, then the reason; the senders hear of all the rest.
        try scene.bob.take(.max)
        let taken = scene.bob.events.filter { $0["t"] as? String == "offer" }.compactMap { $0["id"] as? String }
        let expired = try scene.ids(scene.ada, "expired")
        #expect(!expired.isEmpty && !taken.isEmpty)
        #expect(taken + expired == (0..<scene.sent - 2).map { "\($0)" })
        let written = scene.bob.stream.flatMap { scene.cluster.outlets[$0.loop].frames[$0]?.last } ?? []
        #expect(String(decoding: written, as: UTF8.self).contains("\"t\":\"error\""))
        #expect(String(decoding: written, as: UTF8.self).contains("\"code\":\"slow_consumer\""))
        let late = try scene.offer()
        #expect(late == "no_such_peer" || late == "not_in_room")
        #expect(scene.cluster.nodes.reduce(0) { $0 + $1.statistics.sessionsEnded[.slow] } == 1)
        // Its ticket begins a session anew, so that it knows that all is gone.
        let again = Duplex(scene.cluster)
        again.resume(scene.bob.peer.ticket, after: "1.\(scene.bob.lastSeq)")
        let resumed = try again.first("resumed")
        #expect(resumed["resumed"] as? String == "no" && resumed["epoch"] as? Int ?? 0 > 1)
    }

    @Test(arguments: [1, 3])
    func aClientThatIsAwayKeepsItsSession(_ loops: Int) throws {
        var scene = try Scene(.websocket, loops: loops)
        scene.bob.cut()
        scene.cluster.settle()
        try scene.fill()
        try scene.setPresence()
        scene.cluster.advance(seconds: 20)
        scene.bob.open(.websocket, on: 0)
        scene.cluster.settle()
        try scene.bob.take(.max)
        #expect(scene.bob.resumptions.last == "partial", "the presence found no place")
        let ids = scene.bob.events.filter { $0["t"] as? String == "offer" }.compactMap { $0["id"] as? String }
        #expect(ids == (0..<scene.sent - 1).map { "\($0)" })
        #expect(try scene.ids(scene.ada, "expired").isEmpty)
        #expect(try scene.offer() == "ok")
    }

    @Test func aClientThatPollsIsNotSlowBetweenTwoPolls() throws {
        var scene = try Scene(.poll, loops: 2)
        try scene.bob.take(.max)
        scene.bob.cut()
        scene.cluster.settle()
        try scene.fill()
        scene.cluster.advance(seconds: 20)
        scene.bob.open(.poll, on: 0)
        for _ in 0..<20 {
            scene.cluster.settle()
            try scene.bob.take(.max)
        }
        let ids = scene.bob.events.filter { $0["t"] as? String == "offer" }.compactMap { $0["id"] as? String }
        #expect(ids == (0..<scene.sent - 1).map { "\($0)" })
        #expect(!scene.bob.resumptions.contains("partial"))
    }

    @Test(arguments: streams)
    func aClientThatGoesOnReadingKeepsItsSession(_ transport: Transport, _ loops: Int) throws {
        var scene = try Scene(transport, loops: loops)
        for _ in 0..<5 {
            scene.bob.block()
            try scene.fill()
            scene.cluster.advance(seconds: 4)
            scene.bob.unblock()
            scene.cluster.settle()
        }
        scene.cluster.advance(seconds: 8)
        #expect(scene.bob.end == nil)
        #expect(try scene.ids(scene.ada, "expired").isEmpty)
    }

    @Test func aClientThatMissedPresenceHearsSoByComingBack() throws {
        var scene = try Scene(.websocket, loops: 2)
        scene.bob.block()
        try scene.fill()
        try scene.setPresence()
        scene.bob.unblock()
        scene.cluster.advance(seconds: 1)
        #expect(scene.bob.end == .slow)
        try scene.bob.take(.max)
        scene.bob.open(.sse, on: 0)
        scene.cluster.settle()
        try scene.bob.take(.max)
        #expect(scene.bob.resumptions.last == "partial")
        scene.bob.cut()
        scene.bob.open(.sse, on: 0)
        scene.cluster.settle()
        try scene.bob.take(.max)
        #expect(scene.bob.resumptions.last == "yes", "it has been told")
    }

    @Test func aClientThatTakesNothingForAsLongAsEventsAreKeptLosesItsSession() throws {
        var scene = try Scene(.stream, loops: 2) { $0.logAge = .seconds(20) }
        scene.bob.block()
        for _ in 0..<3 { #expect(try scene.offer() == "ok") }
        for _ in 0..<45 { scene.cluster.advance(seconds: 1) }
        #expect(scene.bob.end == .refused(.slowConsumer), "though little waits for it")
    }
}
