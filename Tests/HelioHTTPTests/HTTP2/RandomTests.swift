import HelioHTTP
import HeliographTesting
import Testing

/// Random cuts and random damage, from seeds that a failure prints.
@Suite("Random input to an HTTP/2 session")
struct RandomTests {
    /// Frames of every kind that a client may send, on several streams.
    private static let script: [UInt8] = {
        let long = (0..<1500).map { UInt8(truncatingIfNeeded: $0) }
        let block = FrameBuilder.headerBlock(MalformedTests.Request.get + [("x-cut", "1")])
        let parts: [[UInt8]] = [
            FrameBuilder.preface, FrameBuilder.settings([(id: 4, value: 100_000), (id: 1, value: 0)]),
            FrameBuilder.frame(.settings, flags: FrameBuilder.ack), FrameBuilder.windowUpdate(stream: 0, by: 1 << 20),
            FrameBuilder.request(stream: 1, path: "/a?b", [("x-a", "1"), ("cookie", "c=d")]),
            FrameBuilder.request(
                stream: 3, method: "POST", path: "/echo", [("x-b", String(repeating: "v", count: 300))],
                endsStream: false),
            FrameBuilder.frame(.headers, flags: FrameBuilder.endStream, stream: 5, Array(block[..<20])),
            FrameBuilder.frame(.continuation, stream: 5, Array(block[20..<25])),
            FrameBuilder.frame(.continuation, flags: FrameBuilder.endHeaders, stream: 5, Array(block[25...])),
            FrameBuilder.ping(), FrameBuilder.data(stream: 3, long),
            FrameBuilder.frame(type: 0x42, stream: 3, [1, 2, 3]),
            FrameBuilder.request(stream: 7, method: "PUT", path: "/reset", endsStream: false),
            FrameBuilder.data(stream: 7, [1, 2, 3]), FrameBuilder.windowUpdate(stream: 3, by: 5000),
            FrameBuilder.frame(.priority, stream: 1, [0, 0, 0, 0, 16]),
            FrameBuilder.frame(.priorityUpdate, [0, 0, 0, 3] + Array("u=1".utf8)),
            FrameBuilder.reset(stream: 7, code: 8), FrameBuilder.data(stream: 3, []),
            FrameBuilder.frame(.data, flags: 8, stream: 3, [3] + [7, 7] + [0, 0, 0]),
            FrameBuilder.headers(stream: 3, [("x-trailer", "t")]),
            FrameBuilder.request(stream: 9, method: "HEAD", path: "/last"),
            FrameBuilder.ping([8, 8, 8, 8, 8, 8, 8, 8]),
        ]
        return parts.flatMap { $0 }
    }()

    /// What a run shows: it is the same in any cut.
    private struct Outcome: Equatable {
        /// Requests, their ends and bodies, in order. A body's pieces depend on the cut, its sum does not.
        var events: [String] = []
        /// When an exchange is told of its end depends on the cut, that it is does not.
        var closed: Set<String> = []
        /// All that the peer gets, but for when windows open; bodies are joined.
        var frames: [RawFrame] = []
        var body: [UInt8] = []
        var liveBlocks = 0
    }

    private static func run(_ cuts: [Int]) -> Outcome {
        var outcome = Outcome()
        var bodies: [Int32: [UInt8]] = [:]
        let handler = RecordingHandler { exchange in
            let fields = exchange.headers.fields.map { "\($0.name)=\($0.value)" }.joined(separator: ";")
            outcome.events.append("\(exchange.id) \(exchange.method) \(exchange.target) \(fields)")
            exchange.start(.ok, contentType: "a/b")
        }
        handler.onBody = { exchange, bytes in
            bodies[exchange.id, default: []] += bytes
            exchange.write(bytes)
        }
        handler.onEnd = { exchange in
            let sum = (bodies[exchange.id] ?? []).reduce(7) { $0 &* 31 &+ Int($1) }
            outcome.events.append("\(exchange.id) end \(sum) \(exchange.trailers?["x-trailer"] ?? "-")")
            exchange.finish(trailers: [("x-end", "1")])
        }
        handler.onClosed = { outcome.closed.insert("\($0.id)") }
        let server = MemorySession(handler: handler)
        var start = 0
        for cut in cuts + [script.count] {
            server.receive(Array(script[start..<cut]))
            start = cut
        }
        let frames = RawFrame.parse(server.output())
        server.close()
        outcome.frames = frames.filter { !$0.isType(.data) && !$0.isType(.windowUpdate) }
        outcome.body = frames.filter { $0.isType(.data) && $0.stream == 3 }.flatMap(\.payload)
        outcome.liveBlocks = server.resources.liveBlocks
        return outcome
    }

    @Test("Random cuts give the same events and the same answer as one piece", arguments: 0..<60 as Range<UInt64>)
    func cuts(seed: UInt64) {
        let whole = Self.run([])
        #expect(whole.events.count == 9)
        #expect(whole.events.contains { $0.hasPrefix("3 end") && $0.hasSuffix(" t") })
        #expect(whole.closed.count == 5)
        #expect(whole.body.count == 1502)
        #expect(whole.liveBlocks == 0)
        var random = SeededGenerator(seed: seed)
        let count = Int.random(in: 1...60, using: &random)
        let cuts = (0..<count).map { _ in Int.random(in: 0...Self.script.count, using: &random) }.sorted()
        let isSame = Self.run(cuts) == whole
        #expect(isSame, "seed \(seed), cuts \(cuts)")
    }

    @Test("A byte at a time gives the same events")
    func bytewise() {
        let isSame = Self.run(Array(1..<Self.script.count)) == Self.run([])
        #expect(isSame)
    }

    /// Damages the script: bytes flipped, cut out, doubled, or put in.
    private static func damage(_ random: inout SeededGenerator) -> [UInt8] {
        var bytes = script
        // The preface is spared half of the time, as nothing gets past a damaged one.
        let first = Bool.random(using: &random) ? FrameBuilder.preface.count : 0
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let position = Int.random(in: first..<bytes.count, using: &random)
            let end = min(bytes.count, position + Int.random(in: 1...40, using: &random))
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes[position] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: bytes.removeSubrange(position..<end)
            case 3: bytes.insert(contentsOf: bytes[position..<end], at: position)
            default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: position)
            }
            if bytes.count <= first + 1 { break }
        }
        return bytes
    }

    @Test("Damaged input never traps, is answered, and leaves nothing", arguments: 0..<20 as Range<UInt64>)
    func damaged(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let resources = HTTP2Resources(limits: Limits())
        for round in 0..<1000 {
            var closed: [Int32: Int] = [:]
            let handler = RecordingHandler { $0.start(.ok) }
            handler.onBody = { exchange, bytes in
                if !exchange.write(bytes) { exchange.pauseBody() }
            }
            handler.onDrained = { $0.resumeBody() }
            handler.onEnd = { $0.finish() }
            handler.onClosed = { closed[$0.id, default: 0] += 1 }
            let server = MemorySession(handler: handler, resources: resources)
            let bytes = Self.damage(&random)
            let half = Int.random(in: 0...bytes.count, using: &random)
            server.receive(Array(bytes[..<half]))
            var output = server.output()
            server.receive(Array(bytes[half...]))
            output += server.output()
            // Whatever has come, time ends it: by an answer, a reset or a GOAWAY.
            server.advance(by: .seconds(100))
            output += server.output()
            let frames = RawFrame.parse(output)
            let isWhole = frames.map { 9 + $0.payload.count }.reduce(0, +) == output.count
            let isAnswered = server.session.openStreams == 0 || frames.contains { $0.isType(.goaway) }
            server.close()
            let isClosedOnce = closed.values.allSatisfy { $0 == 1 } && closed.count == handler.requests
            guard frames.first?.isType(.settings) == true, isWhole, isAnswered, isClosedOnce, resources.liveBlocks == 0
            else {
                Issue.record("seed \(seed), round \(round): \(bytes)")
                continue
            }
        }
        #expect(resources.shared.counterSnapshot().openStreams == 0)
    }
}
