import HelioHTTP
import HeliographTesting
import Testing

/// The order in which responses are served (RFC 9218 section 10).
@Suite("Priorities over HTTP/2")
struct SchedulingTests {
    private static let bulk = 300_000

    /// How a response comes: whole, or pulled in pieces of 15,000 bytes.
    enum Source: CaseIterable, Sendable { case whole, pulled }

    /// Answers with as many bytes as the path says, and keeps what it saw of the priority.
    private final class Files: Handler {
        let source: Source
        var seen: [Int32: Priority] = [:]
        var onRequest: (Exchange) -> Void = { _ in }

        init(_ source: Source = .whole) { self.source = source }

        func request(_ exchange: Exchange) {
            seen[exchange.id] = exchange.priority
            onRequest(exchange)
            var left = Int(exchange.path.dropFirst()) ?? 0
            guard source == .pulled else {
                exchange.respond(.ok, contentType: "a/b", bytes: [UInt8](repeating: 1, count: left))
                return
            }
            exchange.respond(.ok, contentType: "a/b") { exchange in
                let next = min(left, 15_000)
                left -= next
                exchange.write([UInt8](repeating: 1, count: next))
                return left > 0
            }
        }
    }

    /// Queues that one drain empties: what is pulled is asked for again and again.
    private let small = limits { $0.responseHighWaterMark = 20_000 }

    /// A peer whose windows never close.
    private func peer(_ handler: any Handler, limits: Limits = Limits()) -> RawPeer {
        let peer = RawPeer(handler: handler, limits: limits, settings: [(id: 4, value: 0x7fff_ffff)])
        peer.send(FrameBuilder.windowUpdate(stream: 0, by: 0x7fff_0000))
        return peer
    }

    private func ask(_ stream: UInt32, _ count: Int, _ priority: String? = nil) -> [UInt8] {
        FrameBuilder.request(stream: stream, path: "/\(count)", priority.map { [("priority", $0)] } ?? [])
    }

    @Test("An urgent response overtakes bulk ones that are under way", arguments: Source.allCases)
    func urgent(source: Source) {
        let peer = peer(Files(source), limits: small)
        peer.sendWithoutReading(ask(1, Self.bulk) + ask(3, Self.bulk, "u=5"))
        peer.readOnce()
        #expect(peer.runs() == [1])
        let before = peer.frames.count
        peer.sendWithoutReading(ask(5, 100, "u=0"))
        peer.read()
        #expect(peer.runs(from: before) == [5, 1, 3])
        #expect(peer.body(1).count == Self.bulk)
        #expect(peer.body(3).count == Self.bulk)
        peer.leave()
    }

    @Test("Of one urgency, those of no use in pieces are served one after the other", arguments: Source.allCases)
    func inOrder(source: Source) {
        let peer = peer(Files(source), limits: small)
        peer.send(ask(1, Self.bulk) + ask(3, Self.bulk) + ask(5, Self.bulk, "u=3"))
        #expect(peer.runs() == [1, 3, 5])
        peer.leave()
    }

    @Test("Those of use in pieces share the connection", arguments: Source.allCases)
    func interleaved(source: Source) {
        let peer = peer(Files(source), limits: small)
        peer.send(ask(1, Self.bulk, "i") + ask(3, Self.bulk, "i") + ask(5, Self.bulk, "i"))
        let runs = peer.runs()
        // Frames of up to 16 KiB, in turn.
        #expect(runs.count > 30)
        for start in stride(from: 0, to: 30, by: 3) { #expect(Set(runs[start..<start + 3]) == [1, 3, 5]) }
        peer.leave()
    }

    @Test("PRIORITY_UPDATE changes the order of what is under way")
    func update() {
        let files = Files()
        let peer = peer(files)
        peer.sendWithoutReading(ask(1, Self.bulk) + ask(3, Self.bulk))
        peer.readOnce()
        let before = peer.frames.count
        peer.sendWithoutReading(FrameBuilder.priorityUpdate(stream: 3, "u=1"))
        peer.read()
        #expect(peer.runs(from: before) == [3, 1])
        peer.leave()
    }

    @Test("PRIORITY_UPDATE before its request holds over the request's own field", arguments: [nil, "u=6, i"])
    func early(field: String?) {
        let files = Files()
        let peer = peer(files)
        peer.sendWithoutReading(
            FrameBuilder.priorityUpdate(stream: 3, "u=5") + FrameBuilder.priorityUpdate(stream: 3, "u=1")
                + ask(1, Self.bulk) + ask(3, Self.bulk, field) + ask(5, Self.bulk, "u=2"))
        peer.read()
        #expect(files.seen == [1: Priority(), 3: Priority(urgency: 1), 5: Priority(urgency: 2)])
        #expect(peer.runs() == [3, 5, 1])
        peer.leave()
    }

    @Test("The handler's word holds over the peer's, whenever that comes")
    func handler() {
        let files = Files()
        files.onRequest = { exchange in
            guard exchange.id == 3 else { return }
            exchange.setPriority(Priority(urgency: 2))
            #expect(exchange.priority == Priority(urgency: 2))
        }
        let peer = peer(files)
        peer.sendWithoutReading(ask(1, Self.bulk) + ask(3, Self.bulk, "u=7"))
        peer.sendWithoutReading(FrameBuilder.priorityUpdate(stream: 3, "u=7"))
        peer.read()
        #expect(peer.runs() == [3, 1])
        peer.leave()
    }

    @Test("A handler changes its mind while the response is on its way")
    func handlerLater() {
        let files = Files()
        var second: Exchange?
        files.onRequest = { if $0.id == 3 { second = $0 } }
        let peer = peer(files)
        peer.sendWithoutReading(ask(1, Self.bulk) + ask(3, Self.bulk))
        peer.readOnce()
        let before = peer.frames.count
        second?.setPriority(Priority(urgency: 0))
        peer.read()
        #expect(peer.runs(from: before) == [3, 1])
        second?.setPriority(Priority(urgency: 1))
        peer.leave()
    }

    @Test("A field that is no priority, or one of several, counts for nothing")
    func badField() {
        let files = Files()
        let peer = peer(files)
        peer.send(ask(1, 1, "u=9") + ask(3, 1, "u=1, junk=") + FrameBuilder.priorityUpdate(stream: 5, "u=9"))
        peer.send(FrameBuilder.request(stream: 5, path: "/1", [("priority", "u=1"), ("priority", "i")]))
        peer.send(FrameBuilder.request(stream: 7, path: "/1", [("priority", "u=1"), ("priority", "!")]))
        #expect(
            files.seen == [
                1: Priority(), 3: Priority(), 5: Priority(urgency: 1, incremental: true), 7: Priority(),
            ])
        peer.leave()
    }

    @Test("A response's own priority field is passed on")
    func responseField() {
        let client = TestClient()
        let server = MemorySession(
            handler: RecordingHandler { exchange in
                exchange.addHeader("priority", "u=1")
                exchange.respond(.noContent)
            })
        let stream = client.request("GET", "/")
        server.exchange(with: client)
        #expect(client[stream]["priority"] == "u=1")
        server.close()
    }

    @Test("A tunnel shares the connection with others of its kind")
    func tunnels() {
        let handler = RecordingHandler { exchange in
            exchange.openTunnel()
            exchange.write([UInt8](repeating: 1, count: 60_000))
        }
        let peer = peer(handler)
        let connect = { (stream: UInt32) in
            FrameBuilder.headers(
                stream: stream, [(":method", "CONNECT"), (":authority", "example.com:443")],
                flags: FrameBuilder.endHeaders)
        }
        peer.send(connect(1) + connect(3))
        #expect(Array(peer.runs().prefix(4)) == [1, 3, 1, 3])
        peer.leave()
    }

    @Test("Priorities of streams that do not come are bounded")
    func earlyFlood() {
        let peer = peer(Files(), limits: limits { $0.maxConcurrentStreams = 20 })
        for index in UInt32(0)..<20 { peer.send(FrameBuilder.priorityUpdate(stream: 2 * index + 1, "u=1")) }
        #expect(peer.goaway == nil)
        peer.send(FrameBuilder.priorityUpdate(stream: 41, "u=1"))
        #expect(peer.goaway == .protocolError)
        #expect(peer.tripped(.earlyPriorities) == 1)
        peer.leave()
    }

    @Test("Early priorities go with the streams that take them")
    func earlyReused() {
        let files = Files()
        let peer = peer(files, limits: limits { $0.maxConcurrentStreams = 20 })
        for index in UInt32(0)..<200 {
            let stream = 2 * index + 1
            peer.send(FrameBuilder.priorityUpdate(stream: stream, "u=1") + ask(stream, 10))
        }
        #expect(peer.goaway == nil)
        #expect(files.seen.count == 200)
        #expect(files.seen.values.allSatisfy { $0.urgency == 1 })
        peer.leave()
    }

    @Test("PRIORITY_UPDATE of a closed stream, or without sense, changes nothing", arguments: [1, 7, 1000])
    func ignoredUpdates(cut: Int) {
        let files = Files()
        let peer = peer(files)
        peer.send(ask(1, 1))
        let value = String(repeating: "x", count: 300) + ", u=1"
        peer.server.receive(
            FrameBuilder.priorityUpdate(stream: 1, "u=1") + FrameBuilder.priorityUpdate(stream: 3, "\u{0}")
                + FrameBuilder.priorityUpdate(stream: 3, value) + FrameBuilder.priorityUpdate(stream: 5, "u=2")
                + ask(3, 1) + ask(5, 1),
            cut: cut)
        peer.read()
        #expect(peer.goaway == nil)
        #expect(files.seen == [1: Priority(), 3: Priority(), 5: Priority(urgency: 2)])
        peer.leave()
    }

    @Test(
        "PRIORITY_UPDATE that breaks the rules ends the connection (RFC 9218 section 7.1)",
        arguments: [
            (FrameBuilder.priorityUpdate(stream: 0, "u=1"), HTTP2ErrorCode.protocolError),
            (FrameBuilder.priorityUpdate(stream: 2, "u=1"), .protocolError),
            (FrameBuilder.frame(.priorityUpdate, stream: 1, [0, 0, 0, 1]), .protocolError),
            (FrameBuilder.frame(.priorityUpdate, [0, 0, 1]), .frameSizeError),
            (FrameBuilder.frame(.priorityUpdate), .frameSizeError),
        ])
    func brokenUpdates(bytes: [UInt8], code: HTTP2ErrorCode) {
        let peer = peer(Files())
        peer.send(bytes)
        #expect(peer.goaway == code)
        peer.leave()
    }
}
