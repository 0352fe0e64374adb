import Testing

@testable import SignalingCore

/// Peers that do what they like, on loops whose mailboxes are emptied in any order, over streams that break and stall.
@Suite struct ClusterModelTests {
    private final class Actor {
        let peer: Peer
        /// Events in the order in which the client took them, without repeats.
        var events: [JSONFields] = []
        var lastSeq = 0
        /// The part of the present stream that was looked at.
        var looked = 0
        var requests: [(RequestKey, [(room: String, to: String, number: Int)])] = []
        var sent = 0

        init(_ peer: Peer) { self.peer = peer }

        /// The client takes up to `limit` events of what its stream has.
        func take(_ limit: Int) throws {
            guard let stream = peer.stream else { return }
            for event in try peer.events(of: stream).dropFirst(looked).prefix(limit) {
                looked += 1
                let seq = try #require(event["seq"] as? Int)
                guard seq > lastSeq else { continue }
                #expect(seq == lastSeq + 1, "an event is missing")
                lastSeq = seq
                events.append(event)
            }
        }

        func reopen(on loop: Int) throws {
            try take(Int.random(in: 0...5, using: &peer.cluster.random))
            peer.cut()
            looked = 0
            peer.open(on: loop, after: lastSeq == 0 ? nil : "1.\(lastSeq)")
        }
    }

    private let rooms = ["red", "green", "blue"]

    @Test(arguments: 0..<60 as Range<UInt64>)
    func everythingArrivesOnceAndInOrder(_ seed: UInt64) throws {
        var limits = ServiceLimits()
        limits.logMessages = 10_000
        limits.logBytes = 10_000_000
        limits.streamWindow = 600
        let cluster = Cluster(loops: Int(seed % 5) + 1, seed: seed, limits: limits)
        let actors = try (0..<4).map { _ in
            Actor(try Peer(cluster, home: any(cluster), session: any(cluster)))
        }
        for actor in actors { actor.peer.open(on: any(cluster)) }
        for _ in 0..<250 {
            let actor = actors[Int.random(in: 0..<actors.count, using: &cluster.random)]
            try act(actor, actors, cluster)
            for _ in 0..<Int.random(in: 0...6, using: &cluster.random) { cluster.deliverOne() }
        }
        cluster.settle()
        for actor in actors {
            cluster.outlets.forEach { $0.blocked = [] }
            try actor.reopen(on: any(cluster))
            cluster.settle()
            try actor.take(.max)
        }
        for actor in actors { try check(actor, actors) }
    }

    private func any(_ cluster: Cluster) -> Int { Int.random(in: 0..<cluster.nodes.count, using: &cluster.random) }

    private func act(_ actor: Actor, _ actors: [Actor], _ cluster: Cluster) throws {
        let room = rooms.randomElement(using: &cluster.random) ?? ""
        switch Int.random(in: 0..<12, using: &cluster.random) {
        case 0, 1: actor.requests.append((actor.peer.post("{\"t\":\"join\",\"room\":\"\(room)\"}"), []))
        case 2: actor.requests.append((actor.peer.post("{\"t\":\"leave\",\"room\":\"\(room)\"}"), []))
        case 3: try actor.reopen(on: any(cluster))
        case 4: try actor.take(Int.random(in: 0...5, using: &cluster.random))
        case 5:
            guard let stream = actor.peer.stream else { break }
            cluster.outlets[stream.loop].blocked.insert(stream)
        case 6:
            guard let stream = actor.peer.stream else { break }
            cluster.outlets[stream.loop].blocked.remove(stream)
            cluster.nodes[stream.loop].streamDrained(stream, now: cluster.now)
        default: talk(actor, actors, cluster)
        }
    }

    /// A batch of messages to any peers in any rooms.
    private func talk(_ actor: Actor, _ actors: [Actor], _ cluster: Cluster) {
        var messages: [(room: String, to: String, number: Int)] = []
        for _ in 0..<Int.random(in: 1...4, using: &cluster.random) {
            let other = actors[Int.random(in: 0..<actors.count, using: &cluster.random)]
            guard other !== actor, let room = rooms.randomElement(using: &cluster.random) else { continue }
            actor.sent += 1
            messages.append((room, other.peer.sid, actor.sent))
        }
        let bodies = messages.map { room, to, number in
            "{\"t\":\"offer\",\"id\":\"\(number)\",\"room\":\"\(room)\",\"to\":{\"peer\":\"\(to)\"},\"neg\":\(number)}"
        }
        actor.requests.append((actor.peer.post("[\(bodies.joined(separator: ","))]"), messages))
    }

    private func check(_ actor: Actor, _ actors: [Actor]) throws {
        var roster: [String: Set<String>] = [:]
        var heard: [String: [Int]] = [:]
        for event in actor.events {
            let room = try #require(event["room"] as? String)
            switch event["t"] as? String {
            case "joined":
                let members = try #require(event["members"] as? [JSONFields])
                roster[room] = Set(members.compactMap { $0["peer"] as? String })
            case "peer_joined":
                let peer = try #require(event["peer"] as? String)
                #expect(roster[room]?.insert(peer).inserted != false, "joined twice")
            case "peer_left":
                let peer = try #require(event["peer"] as? String)
                #expect(roster[room]?.remove(peer) != nil, "left without having joined")
            case "peer_updated":
                let peer = try #require(event["peer"] as? String)
                #expect(peer == actor.peer.sid || roster[room]?.contains(peer) == true, "news of one who is not there")
            default:
                let from = try #require((event["from"] as? JSONFields)?["peer"] as? String)
                #expect(roster[room]?.contains(from) == true, "a message of one who is not there")
                heard[from, default: []].append(try #require(event["neg"] as? Int))
            }
        }
        // What its senders were told was accepted is what it heard, in the order in which they sent it.
        for other in actors where other !== actor {
            var accepted: [Int] = []
            for (request, messages) in other.requests {
                let results = try other.peer.results(request)
                guard !messages.isEmpty else { continue }
                for (result, message) in zip(results, messages) where message.to == actor.peer.sid {
                    if result == "ok" { accepted.append(message.number) } else { #expect(result == "not_in_room") }
                }
            }
            #expect(heard[other.peer.sid, default: []] == accepted)
        }
    }
}
