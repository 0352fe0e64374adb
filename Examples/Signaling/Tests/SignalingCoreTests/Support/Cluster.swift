import Testing

@testable import SignalingCore

/// Nodes in memory, whose mailboxes are emptied in a random order that keeps first in, first out for each pair.
final class Cluster {
    private(set) var nodes: [SignalingNode] = []
    private(set) var outlets: [Outlet] = []
    fileprivate var mailboxes: [[FIFO<LoopMessage>]]
    /// Messages that one mailbox holds; past it a post is refused.
    var capacity = Int.max
    var random: SeededGenerator
    /// Of a message that wants an acknowledgement.
    var lastTag: UInt64 = 0
    private(set) var now = Moment(nanoseconds: 1_000_000_000, unixMilliseconds: 1_700_000_000_000)

    init(
        loops: Int, seed: UInt64 = 1, limits: ServiceLimits = ServiceLimits(), epoch: UInt32 = 1,
        signer: any TicketSigner = TestSigner()
    ) {
        random = SeededGenerator(seed: seed)
        mailboxes = Array(repeating: Array(repeating: FIFO(), count: loops), count: loops)
        let rates = SharedRates(limits: limits, now: now)
        for loop in 0..<loops {
            let outlet = Outlet(loop: loop, cluster: self)
            outlets.append(outlet)
            let random = SeededGenerator(seed: seed &* 31 &+ UInt64(loop))
            nodes.append(
                SignalingNode(
                    loop: loop, of: loops, limits: limits, random: random, signer: signer, rates: rates, epoch: epoch,
                    now: now,
                    outlet: outlet))
        }
    }

    /// Delivers one message of a mailbox chosen at random.
    @discardableResult
    func deliverOne() -> Bool {
        let full = nodes.indices.flatMap { from in nodes.indices.map { (from, $0) } }
            .filter { !mailboxes[$0.0][$0.1].isEmpty }
        guard let (from, to) = full.randomElement(using: &random), let message = mailboxes[from][to].popFirst() else {
            return false
        }
        nodes[to].receive(message, now: now)
        return true
    }

    /// Delivers everything. A loop's tick is what tries again after a refused post.
    func settle() {
        repeat {
            while deliverOne() {}
            tick()
        } while mailboxes.joined().contains { !$0.isEmpty }
    }

    func tick() { for node in nodes { node.tick(now: now) } }

    /// Lets time pass, and all that is due happen.
    func advance(seconds: Int) {
        now.nanoseconds += UInt64(seconds) * 1_000_000_000
        now.unixMilliseconds += Int64(seconds) * 1000
        settle()
    }

    /// What one loop has to do with its connections.
    final class Outlet: NodeOutlet {
        private let loop: Int
        private unowned let cluster: Cluster
        var replies: [RequestKey: Reply] = [:]
        var opened: [StreamID: Resumption] = [:]
        var written: [StreamID: [UInt8]] = [:]
        var ended: [StreamID: StreamEnd] = [:]
        var transports: [StreamID: Transport] = [:]
        /// What was written to a stream, write by write.
        var frames: [StreamID: [[UInt8]]] = [:]
        var paused: Set<StreamID> = []
        /// Streams whose peer takes nothing: a write is queued and answers false.
        var blocked: Set<StreamID> = []

        init(loop: Int, cluster: Cluster) {
            self.loop = loop
            self.cluster = cluster
        }

        func post(_ message: LoopMessage, to loop: Int) -> Bool {
            #expect(loop != self.loop)
            guard cluster.mailboxes[self.loop][loop].count < cluster.capacity else { return false }
            cluster.mailboxes[self.loop][loop].append(message)
            return true
        }

        func reply(_ request: RequestKey, _ reply: Reply) {
            #expect(replies[request] == nil, "answered twice")
            replies[request] = reply
        }

        func startStream(_ stream: StreamID, _ transport: Transport, _ resumption: Resumption) {
            opened[stream] = resumption
            transports[stream] = transport
        }

        func write(_ stream: StreamID, _ bytes: [UInt8]) -> Bool {
            #expect(transports[stream] != nil && ended[stream] == nil)
            frames[stream, default: []].append(bytes)
            written[stream, default: []] += bytes
            return !blocked.contains(stream)
        }

        func endStream(_ stream: StreamID, _ reason: StreamEnd) {
            #expect(ended[stream] == nil, "ended twice")
            ended[stream] = reason
        }

        /// What became of messages, by their tags.
        var results: [UInt64: [UInt8]] = [:]

        func acknowledge(_ stream: StreamID, _ tag: UInt64, _ result: [UInt8]) { results[tag] = result }

        func pauseReading(_ stream: StreamID) { #expect(paused.insert(stream).inserted) }

        func resumeReading(_ stream: StreamID) { #expect(paused.remove(stream) != nil) }

        /// Relays, as a response names them.
        var links: [String] = []

        func iceLinks(for identity: Identity) -> [String] { links }

        /// What tokens of messages are found to be.
        var verdict = Result<Identity, TokenRefusal>.failure(TokenRefusal(.tokenKey, "no key"))
        private(set) var tokens: [[UInt8]] = []

        func verify(_ check: TokenCheck) {
            tokens.append(check.token)
            cluster.nodes[loop].verified(check, verdict, now: cluster.now)
        }
    }
}

/// A client of a cluster. Its requests go over one connection, on the loop `home`.
final class Peer {
    let cluster: Cluster
    let home: Int
    let sid: String
    let token: [UInt8]
    /// With which it comes back.
    let ticket: String
    private(set) var stream: StreamID?

    init(_ cluster: Cluster, home: Int = 0, session: Int? = nil, identity: Identity = .development) throws {
        self.cluster = cluster
        self.home = home
        let node = cluster.nodes[session ?? home]
        let request = node.nextRequest()
        node.createSession(request, identity, now: cluster.now)
        let welcome = try object(try #require(cluster.outlets[session ?? home].replies[request]).body)
        sid = try #require(welcome["sid"] as? String)
        token = Array(try #require(welcome["token"] as? String).utf8)
        ticket = try #require(welcome["resume"] as? String)
    }

    // MARK: Up

    func post(_ body: String) -> RequestKey {
        let request = cluster.nodes[home].nextRequest()
        let body = Array(body.utf8)
        cluster.nodes[home].postMessages(request, session: sid, token: token, body: body, now: cluster.now)
        return request
    }

    /// Nil while it is not answered.
    func reply(_ request: RequestKey) -> Reply? { cluster.outlets[request.loop].replies[request] }

    /// Posts, waits, and gives the error codes of the messages, "ok" for none.
    @discardableResult
    func send(_ body: String) throws -> [String] {
        let request = post(body)
        cluster.settle()
        return try results(request)
    }

    func results(_ request: RequestKey) throws -> [String] {
        let reply = try #require(self.reply(request))
        #expect(reply.status == 202)
        let results = try #require(try object(reply.body)["results"] as? [JSONFields])
        return results.map { result in
            result["ok"] as? Bool == true ? "ok" : (result["error"] as? JSONFields)?["code"] as? String ?? "?"
        }
    }

    @discardableResult
    func join(_ room: String) throws -> [String] {
        try send("{\"t\":\"join\",\"room\":\"\(room)\",\"body\":{\"name\":\"\(sid)\"}}")
    }

    func bye() -> RequestKey {
        let request = cluster.nodes[home].nextRequest()
        cluster.nodes[home].deleteSession(request, session: sid, token: token, now: cluster.now)
        return request
    }

    // MARK: Down

    @discardableResult
    func open(on loop: Int? = nil, after last: String? = nil) -> StreamID {
        let node = cluster.nodes[loop ?? home]
        let request = node.nextRequest()
        node.openStream(request, session: sid, token: token, after: last.flatMap { EventID($0) }, now: cluster.now)
        stream = request
        return request
    }

    /// The peer's end of the stream breaks.
    func cut() {
        guard let stream else { return }
        cluster.nodes[stream.loop].streamClosed(stream, now: cluster.now)
        self.stream = nil
    }

    func resumption(_ stream: StreamID) -> Resumption? { cluster.outlets[stream.loop].opened[stream] }

    func isEnded(_ stream: StreamID) -> Bool { cluster.outlets[stream.loop].ended[stream] != nil }

    /// All events that were written to the stream.
    func events(of stream: StreamID) throws -> [JSONFields] {
        let text = String(decoding: cluster.outlets[stream.loop].written[stream] ?? [], as: UTF8.self)
        return try text.split(separator: "\n\n").filter { !$0.hasPrefix(":") }.map { event in
            let lines = event.split(separator: "\n", omittingEmptySubsequences: false)
            try #require(lines.count == 2 && lines[0].hasPrefix("id: 1.") && lines[1].hasPrefix("data: "))
            let object = try object(String(lines[1].dropFirst(6)))
            #expect(object["seq"] as? Int == Int(lines[0].dropFirst(6)))
            return object
        }
    }

    func events() throws -> [JSONFields] { try events(of: try #require(stream)) }

    func types() throws -> [String] { try events().map { $0["t"] as? String ?? "?" } }
}
