import Testing

@testable import SignalingCore

@Suite struct DrainTests {
    /// Lets so many steps of the draining pass; gives how many sessions were told in each.
    private func step(_ cluster: Cluster, _ count: Int, from start: UInt64 = 0) -> [Int] {
        (0..<count).map { step in
            var now = cluster.now
            now.nanoseconds += start + UInt64(step) * 100_000_000
            let before = cluster.nodes.reduce(0) { $0 + $1.statistics.goaways }
            for node in cluster.nodes { node.drainStep(now: now) }
            while cluster.deliverOne() {}
            return cluster.nodes.reduce(0) { $0 + $1.statistics.goaways } - before
        }
    }

    private func connected(_ cluster: Cluster, _ count: Int) throws -> [Peer] {
        let peers = try (0..<count).map { try Peer(cluster, home: $0 % cluster.nodes.count) }
        for peer in peers { peer.open() }
        cluster.settle()
        return peers
    }

    @Test func nothingNewIsTakenOnceItDrains() throws {
        let cluster = Cluster(loops: 1)
        let ada = try Peer(cluster)
        cluster.nodes[0].drain(within: .seconds(10), now: cluster.now)
        let request = cluster.nodes[0].nextRequest()
        cluster.nodes[0].createSession(request, now: cluster.now)
        let refusal = try #require(cluster.outlets[0].replies[request])
        #expect(refusal.status == 503 && refusal.headers.contains { $0.name == "retry-after" })
        #expect(try object(refusal.body)["code"] as? String == "draining")
        let stream = ada.open()
        #expect(cluster.outlets[0].replies[stream]?.status == 503)
        #expect(try ada.send("{\"t\":\"ping\"}") == ["ok"])
    }

    @Test func everySessionIsToldInBoundedBatchesAndItsStreamEnds() throws {
        var limits = ServiceLimits()
        limits.drainBatch = 5
        let cluster = Cluster(loops: 2, limits: limits)
        let peers = try connected(cluster, 40)
        for node in cluster.nodes { node.drain(within: .seconds(60), now: cluster.now) }
        #expect(step(cluster, 5) == [10, 10, 10, 10, 0])
        var delays: Set<Int> = []
        for peer in peers {
            let event = try #require(try peer.events().last)
            #expect(event["t"] as? String == "goaway" && event["reason"] as? String == "draining")
            let delay = try #require(event["reconnect_in"] as? Int)
            #expect((0..<3000).contains(delay))
            delays.insert(delay)
            #expect(peer.isEnded(try #require(peer.stream)))
        }
        #expect(delays.count > 20, "they come back at different times")
    }

    @Test func aShortTimeMakesLargerBatches() throws {
        var limits = ServiceLimits()
        limits.drainBatch = 1
        let cluster = Cluster(loops: 1, limits: limits)
        _ = try connected(cluster, 60)
        cluster.nodes[0].drain(within: .seconds(1), now: cluster.now)
        #expect(step(cluster, 6).reduce(0, +) == 60)
        #expect(cluster.nodes[0].drainState.left == 0)
    }

    @Test func readinessIsGoneBeforeTheFirstIsTold() throws {
        var limits = ServiceLimits()
        limits.drainLead = .seconds(1)
        let cluster = Cluster(loops: 1, limits: limits)
        _ = try connected(cluster, 3)
        cluster.nodes[0].drain(within: .seconds(10), now: cluster.now)
        #expect(cluster.nodes[0].isDraining)
        #expect(step(cluster, 10) == Array(repeating: 0, count: 10))
        #expect(step(cluster, 1, from: 1_000_000_000) == [3])
    }

    @Test func aDrainThatIsUndoneTakesSessionsBackWithAllTheyMissed() throws {
        let cluster = Cluster(loops: 2)
        let peers = try connected(cluster, 2)
        for peer in peers { try peer.join("r") }
        for node in cluster.nodes { node.drain(within: .seconds(1), now: cluster.now) }
        _ = step(cluster, 2)
        for node in cluster.nodes { node.undrain(now: cluster.now) }
        let events = try peers[0].events()
        let last = try #require(events.last?["seq"] as? Int)
        let again = peers[0].open(after: "1.\(last)")
        cluster.settle()
        #expect(peers[0].resumption(again) == .yes)
    }
}
