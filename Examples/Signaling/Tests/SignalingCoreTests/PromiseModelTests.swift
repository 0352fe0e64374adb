import Testing

@testable import SignalingCore

/// Random schedules of sends, drops, reconnects and slow readers over several loops: of each accepted message its target gets
/// it, or its sender hears once why not, and what arrives is in order.
@Suite struct PromiseModelTests {
    private final class Actor {
        let peer: Peer
        let number: Int
        var lastSeq = 0
        var events: [JSONFields] = []
        var sent: [(request: RequestKey, messages: [Sent])] = []
        private var looked = 0
        private var count = 0

        struct Sent {
            let id: String
            let to: Int
            let isOffer: Bool
        }

        init(_ peer: Peer, _ number: Int) { (self.peer, self.number) = (peer, number) }

        func take(_ limit: Int) throws {
            guard let stream = peer.stream else { return }
            for event in try peer.events(of: stream).dropFirst(looked).prefix(limit) {
                looked += 1
                let seq = try #require(event["seq"] as? Int)
                guard seq > lastSeq else { continue }
                lastSeq = seq
                events.append(event)
            }
        }

        func reopen(on loop: Int, taking limit: Int) throws {
            try take(limit)
            peer.cut()
            looked = 0
            peer.open(on: loop, after: lastSeq == 0 ? nil : "1.\(lastSeq)")
        }

        func talk(to other: Actor) {
            var messages: [Sent] = []
            var texts: [String] = []
            for _ in 0..<Int.random(in: 1...3, using: &peer.cluster.random) {
                count += 1
                let sent = Sent(
                    id: "\(number)-\(count)", to: other.number, isOffer: Bool.random(using: &peer.cluster.random))
                let pair = [number, other.number].sorted()
                let ttl = Bool.random(using: &peer.cluster.random) ? ",\"ttl\":1500" : ""
                let call = sent.isOffer ? ",\"call\":\"\(pair)\",\"neg\":\(count)" : ""
                texts.append(
                    peer.message(sent.isOffer ? "offer" : "msg", to: other.peer, ",\"id\":\"\(sent.id)\"\(ttl)\(call)"))
                messages.append(sent)
            }
            sent.append((peer.post("[\(texts.joined(separator: ","))]"), messages))
        }

        /// How often it has an event of these types about a message.
        func count(_ types: Set<String>, _ id: String) -> Int {
            events.count { types.contains($0["t"] as? String ?? "") && $0["id"] as? String == id }
        }
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func ofEachMessageSomeoneHearsOnce(_ seed: UInt64) throws {
        var limits = ServiceLimits()
        limits.streamWindow = 400
        limits.logMessages = seed % 3 == 0 ? 40 : 10_000
        limits.logBytes = 10_000_000
        limits.sessionGrace = .seconds(3600)
        let cluster = Cluster(loops: Int(seed % 5) + 1, seed: seed, limits: limits)
        func loop() -> Int { Int.random(in: 0..<cluster.nodes.count, using: &cluster.random) }
        let actors = try (0..<3).map { Actor(try Peer(cluster, home: loop(), session: loop()), $0) }
        for actor in actors {
            actor.peer.open(on: loop())
            cluster.settle()
            try actor.peer.join("r")
        }
        for _ in 0..<200 {
            let actor = actors[Int.random(in: 0..<3, using: &cluster.random)]
            switch Int.random(in: 0..<14, using: &cluster.random) {
            case 0: try actor.reopen(on: loop(), taking: Int.random(in: 0...5, using: &cluster.random))
            case 1, 2: try actor.take(Int.random(in: 0...9, using: &cluster.random))
            case 3: actor.peer.block()
            case 4: actor.peer.unblock()
            case 5: cluster.advance(seconds: 1)
            default: actor.talk(to: actors[(actor.number + Int.random(in: 1...2, using: &cluster.random)) % 3])
            }
            for _ in 0..<Int.random(in: 0...6, using: &cluster.random) { cluster.deliverOne() }
        }
        try finish(actors, cluster)
        for actor in actors { try check(actor, actors) }
    }

    private func finish(_ actors: [Actor], _ cluster: Cluster) throws {
        cluster.settle()
        cluster.outlets.forEach { $0.blocked = [] }
        // What one is told may be news for another.
        for _ in 0..<3 {
            for actor in actors {
                try actor.reopen(on: 0, taking: .max)
                cluster.settle()
                try actor.take(.max)
            }
        }
    }

    private func check(_ actor: Actor, _ actors: [Actor]) throws {
        // A client that was told so may lack what its full log forgot after it was sent.
        let mayLack = actor.peer.cluster.outlets.contains { $0.opened.values.contains(.partial) }
        for (request, messages) in actor.sent {
            for (result, message) in zip(try actor.peer.results(request), messages) {
                let got = actors[message.to].count(["msg", "offer"], message.id)
                let told = actor.count(["expired", "superseded", "error"], message.id)
                let glare = actor.count(["glare"], message.id)
                guard result == "ok" else {
                    #expect(result == "queue_full" && got + told + glare == 0)
                    continue
                }
                #expect(got <= 1 && told <= 1 && glare <= 1)
                #expect(got + told <= 1, "\(message) got \(got) told \(told)")
                if !mayLack { #expect(got + told + glare >= 1, "\(message) is lost") }
            }
        }
        for other in actors where other !== actor {
            let order = actor.events.filter { ["msg", "offer"].contains($0["t"] as? String) }
                .compactMap { $0["id"] as? String }.filter { $0.hasPrefix("\(other.number)-") }
                .compactMap { Int($0.dropFirst(2)) }
            #expect(order == order.sorted())
        }
    }
}
