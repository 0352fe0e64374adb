import HelioHTTP
import HeliographTesting
import Testing

@Suite("Bodies that are read while they are sent, over HTTP/1.1")
struct HTTP1SourceTests {
    private typealias Counter = BodySourceTests.Counter

    private static let get = Array("GET / HTTP/1.1\r\nHost: h\r\n\r\n".utf8)

    private func head(_ length: Int) -> [UInt8] {
        Array("HTTP/1.1 200 OK\r\ncontent-type: a/b\r\ncontent-length: \(length)\r\n\r\n".utf8)
    }

    @Test("All of it arrives, and the next request has its turn", arguments: [0, 1, 65_536, 1_000_000])
    func whole(count: Int) {
        let handler = RecordingHandler { $0.respond(.ok, contentType: "a/b", reading: Counter(count)) }
        let server = HTTP1MemorySession(handler: handler)
        server.receive(Self.get + Self.get)
        let response = head(count) + BodySourceTests.expected(count)
        #expect(server.output() == response + response)
        #expect(handler.closed == [.finished, .finished])
        server.close()
    }

    @Test("One that has nothing goes on when it says so, and nobody's time runs meanwhile")
    func later() {
        let source = Counter(50_000)
        source.pauseAt = 20_000
        var open: Exchange?
        let handler = RecordingHandler {
            open = $0
            $0.respond(.ok, contentType: "a/b", reading: source)
        }
        let server = HTTP1MemorySession(handler: handler)
        server.receive(Self.get)
        var bytes = server.output()
        #expect(bytes.count == head(50_000).count + 20_000)
        server.advance(by: .seconds(100))
        #expect(!server.session.wantsDrain)
        source.pauseAt = Int.max
        open?.sourceIsReady()
        bytes += server.output()
        #expect(bytes == head(50_000) + BodySourceTests.expected(50_000))
        #expect(handler.closed == [.finished])
        open = nil
        server.close()
    }

    @Test("One that fails ends the connection before its length is met")
    func failure() {
        let source = Counter(50_000)
        source.failAt = 20_000
        let handler = RecordingHandler { $0.respond(.ok, contentType: "a/b", reading: source) }
        let server = HTTP1MemorySession(handler: handler)
        server.receive(Self.get + Self.get)
        #expect(server.output().count == head(50_000).count + 20_000)
        #expect(handler.closed == [.reset(.internalError)])
        #expect(server.session.isFinished)
        server.close()
    }

    @Test("HEAD reads nothing")
    func head() {
        let source = Counter(1000)
        let server = HTTP1MemorySession(
            handler: RecordingHandler { $0.respond(.ok, contentType: "a/b", reading: source) })
        server.receive(Array("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n".utf8))
        #expect(server.output() == head(1000))
        #expect(source.readers == 0)
        server.close()
    }

    @Test("Without its length in the head it has one all the same")
    func withoutLength() {
        final class Remover: ExchangeObserver {
            func responseStarts(_ exchange: Exchange, _ status: Status) { exchange.removeHeader("content-length") }
        }
        let handler = RecordingHandler {
            $0.observe(by: Remover())
            $0.respond(.ok, contentType: "a/b", reading: Counter(100_000))
        }
        let server = HTTP1MemorySession(handler: handler)
        server.receive(Self.get)
        #expect(server.output() == head(100_000) + BodySourceTests.expected(100_000))
        server.close()
    }

    /// Lets its first bytes be passed.
    private final class Passable: BodySource {
        let inner: Counter
        let readEnd: Int
        init(_ count: Int, readEnd: Int) {
            inner = Counter(count)
            self.readEnd = readEnd
        }
        var remaining: Int { inner.remaining }
        var isPassable: Bool { inner.remaining > readEnd }
        func read(into region: UnsafeMutableRawBufferPointer, for exchange: Exchange) -> BodyRead {
            unsafe inner.read(into: region, for: exchange)
        }
    }

    @Test("What may be passed is left to the owner, behind the head and before the end")
    func passing() {
        var options = SessionOptions()
        options.passesSources = true
        let handler = RecordingHandler {
            $0.respond(.ok, contentType: "a/b", reading: Passable(300_000, readEnd: 5000))
        }
        let server = HTTP1MemorySession(handler: handler, options: options)
        server.receive(Self.get + Self.get)
        var bytes: [UInt8] = []
        var passed = 0
        for _ in 0..<100 where server.session.wantsDrain {
            bytes += server.drainOnce()
            server.session.passSource(now: server.clock.now) { source, exchange in
                var piece = [UInt8](repeating: 0, count: min(100_000, source.remaining - 5000))
                let read = unsafe piece.withUnsafeMutableBytes { unsafe source.read(into: $0, for: exchange) }
                bytes += piece
                passed += piece.count
                return read
            }
        }
        let response = head(300_000) + BodySourceTests.expected(300_000)
        #expect(bytes == response + response)
        #expect(passed == 2 * 295_000)
        #expect(handler.closed == [.finished, .finished])
        server.close()
    }

    @Test("A peer that takes none of it is cut off")
    func timeout() {
        var options = SessionOptions()
        options.passesSources = true
        let handler = RecordingHandler {
            $0.respond(.ok, contentType: "a/b", reading: Passable(300_000, readEnd: 5000))
        }
        let server = HTTP1MemorySession(handler: handler, options: options)
        server.receive(Self.get)
        _ = server.drainOnce()
        server.session.passSource(now: server.clock.now) { _, _ in nil }
        // As a connection's timer does, which dates what has begun.
        #expect(server.session.nextDeadline(now: server.clock.now) == server.clock.now + 60_000_000_000)
        server.advance(by: .seconds(61))
        #expect(handler.closed == [.limit(.sendTimeout)])
        server.close()
    }
}
