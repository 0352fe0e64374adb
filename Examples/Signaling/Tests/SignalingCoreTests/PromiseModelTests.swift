import Testing

@testable import SignalingCore

/// Random schedules of sends, drops, reconnects over random transports and slow readers, on several loops: of each accepted
/// message its target gets it once, or its sender hears once why not, and what arrives is in order.
@Suite struct PromiseModelTests {
    private final class Actor {
        let client: Roamer
        let number: Int
        private(set) var sent: [Sent] = []
        private var count = 0

        struct Sent {
            let id: String
            let to: Int
            let text: String
            /// Sent again, as its answer was lost.
            var isRepeated = false
        }

        init(_ peer: Peer, _ number: Int) { (client, self.number) = (Roamer(peer), number) }

        private var cluster: Cluster { client.peer.cluster }

        /// A stream breaks; the client comes back by another, and repeats what it has no answer for before it says more.
        func reopen(taking limit: Int) throws {
            try client.take(limit)
            client.cut()
            if Bool.random(using: &cluster.random) { _ = cluster.deliverOne() }
            try repeatUnanswered()
            let transport = Roamer.transports.randomElement(using: &cluster.random) ?? .sse
            client.open(
                transport, on: Int.random(in: 0..<cluster.nodes.count, using: &cluster.random),
                wait: .seconds(Int.random(in: 0...2, using: &cluster.random)))
        }

        private func repeatUnanswered() throws {
            try client.collect()
            guard sent.contains(where: { client.results[$0.id] == nil }) else { return }
            // What was written to the stream that broke has arrived by the time at which the client is back.
            cluster.settle()
            try client.collect()
            let open = sent.indices.filter { client.results[sent[$0].id] == nil }
            guard !open.isEmpty else { return }
            for index in open { sent[index].isRepeated = true }
            client.send(open.map { (sent[$0].id, sent[$0].text) }, byStream: false)
            cluster.settle()
            try client.collect()
        }

        func talk(to other: Actor) {
            var messages: [Sent] = []
            for _ in 0..<Int.random(in: 1...3, using: &cluster.random) {
                count += 1
                let id = "\(number)-\(count)"
                let isOffer = Bool.random(using: &cluster.random)
                let ttl = Bool.random(using: &cluster.random) ? ",\"ttl\":1500" : ""
                let call = isOffer ? ",\"call\":\"\([number, other.number].sorted())\",\"neg\":\(count)" : ""
                let text = client.peer.message(
                    isOffer ? "offer" : "msg", to: other.client.peer, ",\"id\":\"\(id)\"\(ttl)\(call)")
                messages.append(Sent(id: id, to: other.number, text: text))
            }
            sent += messages
            // Of two ways up, one may overtake the other: a client waits for its answers before it takes the other.
            let isSettled = sent.dropLast(messages.count).allSatisfy { client.results[$0.id] != nil }
            if !isSettled { cluster.settle() }
            client.send(
                messages.map { ($0.id, $0.text) }, byStream: Int.random(in: 0...3, using: &cluster.random) > 0)
        }

        /// How often it has an event of these types about a message.
        func count(_ types: Set<String>, _ id: String) -> Int {
            client.events.count { types.contains($0["t"] as? String ?? "") && $0["id"] as? String == id }
        }
    }

    @Test(arguments: 0..<60 as Range<UInt64>)
    func ofEachMessageSomeoneHearsOnce(_ seed: UInt64) throws {
        var limits = ServiceLimits()
        limits.streamWindow = 400
        limits.logMessages = seed % 3 == 0 ? 40 : 10_000
        limits.logBytes = 10_000_000
        limits.sessionGrace = .seconds(3600)
        limits.stallTime = .seconds(3600)
        let cluster = Cluster(loops: Int(seed % 5) + 1, seed: seed, limits: limits)
        func loop() -> Int { Int.random(in: 0..<cluster.nodes.count, using: &cluster.random) }
        let actors = try (0..<3).map { Actor(try Peer(cluster, home: loop(), session: loop()), $0) }
        for actor in actors {
            try actor.reopen(taking: 0)
            cluster.settle()
            try actor.client.peer.join("r")
        }
        for _ in 0..<200 {
            let actor = actors[Int.random(in: 0..<3, using: &cluster.random)]
            switch Int.random(in: 0..<15, using: &cluster.random) {
            case 0: try actor.reopen(taking: Int.random(in: 0...5, using: &cluster.random))
            case 1, 2: try actor.client.take(Int.random(in: 0...9, using: &cluster.random))
            case 3: actor.client.block()
            case 4: actor.client.unblock()
            case 5: cluster.advance(seconds: 1)
            case 6: actor.client.acknowledge()
            default: actor.talk(to: actors[(actor.number + Int.random(in: 1...2, using: &cluster.random)) % 3])
            }
            for _ in 0..<Int.random(in: 0...6, using: &cluster.random) { cluster.deliverOne() }
            try actor.client.collect()
        }
        try finish(actors, cluster)
        for actor in actors { try check(actor, actors) }
    }

    private func finish(_ actors: [Actor], _ cluster: Cluster) throws {
        cluster.settle()
        cluster.outlets.forEach { $0.blocked = [] }
        // What one is told may be news for another, and a poll brings no more than the window.
        for _ in 0..<4 {
            for actor in actors {
                try actor.reopen(taking: .max)
                var seen = -1
                while seen != actor.client.events.count {
                    seen = actor.client.events.count
                    cluster.settle()
                    try actor.client.take(.max)
                    cluster.settle()
                }
                try actor.client.collect()
            }
        }
    }

    private func check(_ actor: Actor, _ actors: [Actor]) throws {
        // A client that was told so may lack what its full log forgot after it was sent.
        let mayLack = actors.contains { $0.client.resumptions.contains("partial") }
        for message in actor.sent {
            let result = try #require(actor.client.results[message.id], "\(message.id) was never answered")
            let got = actors[message.to].count(["msg", "offer"], message.id)
            let told = actor.count(["expired", "superseded", "error"], message.id)
            let glare = actor.count(["glare"], message.id)
            #expect(got <= 1 && told <= 1 && glare <= 1, "\(message.id) comes twice")
            guard result == "ok" else {
                #expect(result == "queue_full" || message.isRepeated && result == "stale", "\(message.id): \(result)")
                if !message.isRepeated { #expect(got + told + glare == 0) }
                continue
            }
            #expect(got + told <= 1, "\(message.id) got \(got) told \(told)")
            if !mayLack { #expect(got + told + glare >= 1, "\(message.id) is lost") }
        }
        for other in actors where other !== actor {
            let inOrder = Set(other.sent.filter { !$0.isRepeated }.map(\.id))
            let order = actor.client.events.filter { ["msg", "offer"].contains($0["t"] as? String) }
                .compactMap { $0["id"] as? String }.filter { inOrder.contains($0) }
                .compactMap { Int($0.split(separator: "-").last ?? "") }
            #expect(order == order.sorted())
        }
    }
}
