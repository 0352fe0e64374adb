import HelioHTTP
import HeliographTesting
import Testing

@Suite("Bodies that are read while they are sent")
struct BodySourceTests {
    /// Counts up, and does what it is told at certain places.
    final class Counter: BodySource {
        var remaining: Int
        private(set) var position = 0
        /// Where it has nothing for now.
        var pauseAt = Int.max
        var failAt = Int.max
        private(set) var readers = 0
        var largestRead = 0

        init(_ count: Int) { remaining = count }

        func read(into region: UnsafeMutableRawBufferPointer, for exchange: Exchange) -> BodyRead {
            readers += 1
            if position >= failAt { return .failed }
            if position >= pauseAt { return .later }
            let count = min(region.count, remaining, min(pauseAt, failAt) - position)
            for index in 0..<count { unsafe region[index] = UInt8(truncatingIfNeeded: position + index) }
            position += count
            remaining -= count
            largestRead = max(largestRead, count)
            return .bytes(count)
        }
    }

    static func expected(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0) } }

    private func serve(_ source: Counter) -> RecordingHandler {
        RecordingHandler { $0.respond(.ok, contentType: "a/b", reading: source) }
    }

    @Test(
        "All of it arrives, with its length, and the source goes with the exchange",
        arguments: [0, 1, 16_384, 16_385, 1_000_000])
    func whole(count: Int) {
        weak var held: Counter?
        let handler = RecordingHandler { exchange in
            let source = Counter(count)
            held = source
            exchange.respond(.ok, contentType: "a/b", reading: source)
        }
        let server = MemorySession(handler: handler)
        let client = TestClient()
        let stream = client.request("GET", "/")
        server.exchange(with: client)
        #expect(client[stream]["content-length"] == "\(count)")
        #expect(client[stream].body == Self.expected(count))
        #expect(client[stream].isComplete)
        #expect(handler.closed == [.finished])
        #expect(held == nil)
        server.close()
    }

    @Test("No more is read than the peer has a window for, and none of it waits in the queue")
    func window() {
        let source = Counter(1_000_000)
        var open: Exchange?
        let handler = serve(source)
        handler.onRequest = {
            open = $0
            $0.respond(.ok, contentType: "a/b", reading: source)
        }
        let server = MemorySession(handler: handler)
        let client = TestClient(streamWindow: 20_000, automaticWindowUpdates: false)
        let stream = client.request("GET", "/")
        server.exchange(with: client)
        #expect(source.position == 20_000)
        #expect(open?.queuedBytes == 0)
        #expect(source.largestRead <= 16_384)
        client.consume(stream: stream, 20_000)
        server.exchange(with: client)
        #expect(source.position == 40_000)
        server.close()
        #expect(handler.closed == [.connectionLost])
    }

    @Test("A peer that takes nothing of it is cut off; a source that has nothing is waited for")
    func timeouts() {
        let (stuck, slow) = (Counter(100_000), Counter(100_000))
        slow.pauseAt = 10_000
        let handler = RecordingHandler { exchange in
            exchange.respond(.ok, contentType: "a/b", reading: exchange.pathIs("/slow") ? slow : stuck)
        }
        let server = MemorySession(handler: handler)
        let client = TestClient(streamWindow: 20_000, automaticWindowUpdates: false)
        let (slowStream, stuckStream) = (client.request("GET", "/slow"), client.request("GET", "/stuck"))
        server.exchange(with: client)
        server.advance(by: .seconds(61))
        server.exchange(with: client)
        #expect(client[stuckStream].resetCode == HTTP2ErrorCode.cancel.rawValue)
        #expect(client[slowStream].resetCode == nil)
        #expect(handler.closed == [.limit(.sendTimeout)])
        server.close()
    }

    @Test("One that has nothing goes on when it says so")
    func later() {
        let source = Counter(50_000)
        source.pauseAt = 20_000
        var open: Exchange?
        let handler = serve(source)
        handler.onRequest = {
            open = $0
            $0.respond(.ok, contentType: "a/b", reading: source)
        }
        let server = MemorySession(handler: handler)
        let client = TestClient()
        let stream = client.request("GET", "/")
        server.exchange(with: client)
        #expect(client[stream].body.count == 20_000)
        let readers = source.readers
        server.exchange(with: client)
        #expect(source.readers == readers)
        source.pauseAt = Int.max
        open?.sourceIsReady()
        server.exchange(with: client)
        #expect(client[stream].body == Self.expected(50_000))
        #expect(client[stream].isComplete)
        server.close()
    }

    @Test("One that fails resets its stream and no other, and not on the peer's account", arguments: [0, 20_000])
    func failure(place: Int) {
        let handler = RecordingHandler { exchange in
            let source = Counter(50_000)
            source.failAt = exchange.pathIs("/good") ? Int.max : place
            exchange.respond(.ok, contentType: "a/b", reading: source)
        }
        let server = MemorySession(
            handler: handler, limits: limits { $0.inducedResetRate = .init(burst: 1, perSecond: 1) })
        let client = TestClient()
        for _ in 0..<10 {
            let (bad, good) = (client.request("GET", "/bad"), client.request("GET", "/good"))
            server.exchange(with: client)
            #expect(client[bad].resetCode == HTTP2ErrorCode.internalError.rawValue)
            #expect(client[bad].body == Self.expected(place))
            #expect(client[good].isComplete)
        }
        #expect(client.goaways.isEmpty)
        #expect(handler.closed.filter { $0 == .reset(.internalError) }.count == 10)
        server.close()
    }

    @Test("HEAD has the length and reads nothing", arguments: ["HEAD"])
    func head(method: String) {
        let source = Counter(1000)
        let server = MemorySession(handler: serve(source))
        let client = TestClient()
        let stream = client.request(method, "/")
        server.exchange(with: client)
        #expect(client[stream]["content-length"] == "1000")
        #expect(client[stream].body.isEmpty && client[stream].isComplete)
        #expect(source.readers == 0)
        server.close()
    }

    @Test("Nothing can be written behind it")
    func nothingBehind() {
        let source = Counter(1000)
        let handler = RecordingHandler {
            $0.respond(.ok, contentType: "a/b", reading: source)
            #expect(!$0.write("more"))
            #expect(!$0.finish())
        }
        let server = MemorySession(handler: handler)
        let client = TestClient()
        let stream = client.request("GET", "/")
        server.exchange(with: client)
        #expect(client[stream].body == Self.expected(1000))
        server.close()
    }

    @Test("Many at once each get their own bytes")
    func many() {
        let server = MemorySession(
            handler: RecordingHandler { $0.respond(.ok, contentType: "a/b", reading: Counter(70_000)) })
        let client = TestClient()
        let streams = (0..<50).map { _ in client.request("GET", "/") }
        server.exchange(with: client)
        for stream in streams { #expect(client[stream].body == Self.expected(70_000)) }
        server.close()
    }

    @Test("A peer that resets in the middle lets the source go")
    func peerResets() {
        weak var held: Counter?
        let handler = RecordingHandler { exchange in
            let source = Counter(1_000_000)
            held = source
            exchange.respond(.ok, contentType: "a/b", reading: source)
        }
        let server = MemorySession(handler: handler)
        let client = TestClient(automaticWindowUpdates: false)
        let stream = client.request("GET", "/")
        server.exchange(with: client)
        #expect(held != nil)
        client.reset(stream)
        server.exchange(with: client)
        #expect(held == nil)
        server.close()
    }

    /// As it is, behind a mark.
    private final class Marker: ContentEncoder {
        func encode(_ bytes: RawSpan, isLast: Bool, _ emit: (RawSpan) -> Void) {
            emit(bytes)
            if isLast { unsafe emit([UInt8(ascii: ".")].span.bytes) }
        }
    }

    private final class Encoding: ExchangeObserver {
        func responseStarts(_ exchange: Exchange, _ status: Status) { exchange.encode(with: Marker()) }
    }

    @Test("It goes through an encoder where there is one, also when it pauses and when it fails")
    func encoded() {
        let source = Counter(200_000)
        source.pauseAt = 100_000
        var open: Exchange?
        let handler = RecordingHandler { exchange in
            open = exchange
            exchange.observe(by: Encoding())
            exchange.respond(.ok, contentType: "a/b", reading: source)
        }
        let server = MemorySession(handler: handler)
        let client = TestClient()
        let stream = client.request("GET", "/")
        server.exchange(with: client)
        source.pauseAt = Int.max
        open?.sourceIsReady()
        server.exchange(with: client)
        #expect(client[stream]["content-length"] == nil)
        #expect(client[stream].body == Self.expected(200_000) + [UInt8(ascii: ".")])
        #expect(client[stream].isComplete)
        let failing = Counter(200_000)
        failing.failAt = 100_000
        handler.onRequest = { exchange in
            exchange.observe(by: Encoding())
            exchange.respond(.ok, contentType: "a/b", reading: failing)
        }
        let cut = client.request("GET", "/")
        server.exchange(with: client)
        #expect(client[cut].resetCode == HTTP2ErrorCode.internalError.rawValue)
        server.close()
    }
}
