import HelioHTTP
import HeliographTesting
import Testing

/// What takes too long ends. Each deadline is asked first, so that a timer which trusts it would have come in time.
@Suite("Timeouts of an HTTP/2 session")
struct TimeoutTests {
    /// Lets time pass up to just before the deadline, then to it.
    private func reachDeadline(of peer: RawPeer, before check: () -> Void = {}) {
        let now = peer.server.clock.now
        let deadline = peer.server.session.nextDeadline(now: now)
        guard deadline != UInt64.max, deadline > now else {
            Issue.record("no deadline ahead")
            return
        }
        peer.advance(by: .nanoseconds(Int64(deadline - now - 1)))
        check()
        peer.advance(by: .nanoseconds(1))
    }

    @Test("A client that sends no SETTINGS gets SETTINGS_TIMEOUT")
    func preface() {
        let server = MemorySession(handler: hello())
        server.receive(Array(FrameBuilder.preface.prefix(10)))
        #expect(server.session.nextDeadline(now: server.clock.now) == server.clock.now + 10_000_000_000)
        server.advance(by: .milliseconds(9_999))
        #expect(!server.session.isFinished)
        server.advance(by: .milliseconds(1))
        let frames = RawFrame.parse(server.output())
        #expect(frames.first?.isType(.settings) == true)
        #expect(frames.last?.isType(.goaway) == true)
        #expect(frames.last?.number(at: 4) == HTTP2ErrorCode.settingsTimeout.rawValue)
        #expect(server.session.isFinished)
        #expect(server.session.nextDeadline(now: server.clock.now) == UInt64.max)
        #expect(server.resources.shared.counterSnapshot().limitsTripped == [.prefaceTimeout: 1])
        server.close()
        #expect(server.resources.liveBlocks == 0)
    }

    @Test("A header block that does not end gets ENHANCE_YOUR_CALM", arguments: [0, 1])
    func header(continuations: Int) {
        let peer = RawPeer()
        let block = FrameBuilder.headerBlock([(":method", "GET"), (":scheme", "https"), (":path", "/")])
        peer.send(FrameBuilder.frame(.headers, flags: FrameBuilder.endStream, stream: 1, block))
        peer.advance(by: .seconds(5))
        // Each CONTINUATION does not buy more time.
        for _ in 0..<continuations { peer.send(FrameBuilder.frame(.continuation, stream: 1, [])) }
        #expect(peer.server.session.nextDeadline(now: peer.server.clock.now) == peer.server.clock.now + 5_000_000_000)
        reachDeadline(of: peer) { #expect(peer.goaway == nil) }
        #expect(peer.goaway == .enhanceYourCalm)
        #expect(peer.tripped(.headerTimeout) == 1)
        #expect(peer.server.session.isFinished)
        peer.leave()
    }

    @Test("A header block that was refused leaves no timer behind")
    func headerRefused() {
        let peer = RawPeer(handler: RecordingHandler { $0.start(.ok) })
        peer.get(1)
        peer.send(FrameBuilder.headers(stream: 3, [(":method", "GET"), ("Upper", "1")]))
        #expect(peer.reset(3) == .protocolError)
        peer.advance(by: .seconds(30))
        #expect(peer.goaway == nil)
        #expect(peer.tripped(.headerTimeout) == 0)
        peer.leave()
    }

    /// Blocks that are refused as they begin; what follows of them may still stall.
    enum Refused: CaseIterable, Sendable {
        case tooManyStreams, malformed, closedStream

        var stream: UInt32 { self == .malformed ? 3 : 5 }
    }

    @Test(
        "A header block that was refused and then stalls is ended in time, wherever it stalls",
        arguments: Refused.allCases)
    func refusedStall(refused: Refused) {
        for part in [0, 1, 2] {
            let peer = RawPeer(
                handler: RecordingHandler { $0.start(.ok) }, limits: limits { $0.maxConcurrentStreams = 2 },
                acknowledges: false)
            peer.get(1)
            if case .tooManyStreams = refused { peer.get(3) }
            if case .closedStream = refused {
                peer.send(
                    FrameBuilder.request(stream: refused.stream) + FrameBuilder.reset(stream: refused.stream, code: 8))
            }
            let block = FrameBuilder.headerBlock([("Upper", "1"), ("x", String(repeating: "y", count: 50))])
            let begin = FrameBuilder.frame(.headers, stream: refused.stream, block)
            let end = FrameBuilder.frame(.continuation, flags: FrameBuilder.endHeaders, stream: refused.stream, block)
            // It stops at the end of HEADERS, within the last CONTINUATION, or not at all.
            peer.send(begin)
            if part > 0 { peer.send(Array(end.dropLast(part == 1 ? 3 : 0))) }
            guard peer.goaway == nil else { continue }
            peer.advance(by: .seconds(9))
            #expect(peer.goaway == nil)
            peer.advance(by: .seconds(1))
            #expect(peer.tripped(.headerTimeout) == (part == 2 ? 0 : 1), "stalled at \(part)")
            #expect(peer.goaway == (part == 2 ? nil : .enhanceYourCalm))
            peer.leave()
        }
    }

    @Test("A header block's time ends with its last byte, in any cut")
    func headerCuts() {
        let request = FrameBuilder.headers(
            stream: 1, [(":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/")], flags: 1)
        let rest = FrameBuilder.frame(
            .continuation, flags: FrameBuilder.endHeaders, stream: 1, FrameBuilder.headerBlock([("x", "y")]))
        for cut in 1..<(request + rest).count {
            let peer = RawPeer(handler: RecordingHandler { $0.start(.ok) })
            peer.server.receive(request + rest, cut: cut)
            peer.advance(by: .seconds(30))
            #expect(peer.isAnswered(1))
            #expect(peer.goaway == nil)
            peer.leave()
        }
    }

    @Test("A body that does not come is answered with 408")
    func body() {
        let handler = RecordingHandler { _ in }
        let peer = RawPeer(handler: handler)
        peer.post(1)
        peer.advance(by: .seconds(30))
        peer.send(FrameBuilder.data(stream: 1, [1]))
        reachDeadline(of: peer) { #expect(handler.closed.isEmpty) }
        #expect(handler.closed == [.limit(.bodyTimeout)])
        #expect(peer.server.clock.now == 1_000_000_000 + 90_000_000_000)
        #expect(peer.isAnswered(1))
        #expect(peer.reset(1) == .noError)
        #expect(peer.tripped(.bodyTimeout) == 1)
        #expect(peer.goaway == nil)
        peer.leave()
    }

    @Test("A body that stops under a response is reset with CANCEL")
    func bodyAfterResponse() {
        let handler = RecordingHandler { $0.start(.ok) }
        let peer = RawPeer(handler: handler)
        peer.post(1)
        reachDeadline(of: peer)
        #expect(handler.closed == [.limit(.bodyTimeout)])
        #expect(peer.reset(1) == .cancel)
        peer.leave()
    }

    @Test("A handler that has paused, or waits for ever, is not hurried")
    func bodyLifted() {
        let handler = RecordingHandler {
            if $0.path == "/paused" { $0.pauseBody() } else { $0.setBodyTimeout(nil) }
        }
        let peer = RawPeer(handler: handler)
        peer.send(FrameBuilder.request(stream: 1, method: "POST", path: "/paused", endsStream: false))
        peer.send(FrameBuilder.request(stream: 3, method: "POST", path: "/patient", endsStream: false))
        peer.advance(by: .seconds(100_000))
        #expect(handler.closed.isEmpty)
        peer.leave()
    }

    @Test("A paused body's time begins when it is resumed")
    func bodyResumed() {
        var kept: Exchange?
        let handler = RecordingHandler {
            $0.pauseBody()
            kept = $0
        }
        let peer = RawPeer(handler: handler)
        peer.post(1)
        peer.advance(by: .seconds(1000))
        kept?.resumeBody()
        reachDeadline(of: peer) { #expect(handler.closed.isEmpty) }
        #expect(handler.closed == [.limit(.bodyTimeout)])
        #expect(peer.server.clock.now == 1_000_000_000 + 1_060_000_000_000)
        peer.leave()
    }

    @Test("A handler's own body timeout counts")
    func bodyOwn() {
        let handler = RecordingHandler { $0.setBodyTimeout(.seconds(5)) }
        let peer = RawPeer(handler: handler)
        peer.post(1)
        reachDeadline(of: peer)
        #expect(peer.server.clock.now == 6_000_000_000)
        #expect(handler.closed == [.limit(.bodyTimeout)])
        peer.leave()
    }

    @Test("A peer that takes nothing of a response has it cancelled")
    func send() {
        let handler = RecordingHandler { $0.respond(.ok, contentType: "a/b", bytes: [UInt8](repeating: 1, count: 10)) }
        let peer = RawPeer(handler: handler, settings: [(id: 4, value: 1)])
        peer.get(1)
        #expect(peer.body(1) == [1])
        peer.advance(by: .seconds(59))
        peer.send(FrameBuilder.windowUpdate(stream: 1, by: 1))
        #expect(peer.body(1) == [1, 1])
        reachDeadline(of: peer) { #expect(handler.closed.isEmpty) }
        #expect(peer.reset(1) == .cancel)
        #expect(handler.closed == [.limit(.sendTimeout)])
        #expect(peer.tripped(.sendTimeout) == 1)
        #expect(peer.tripped(.inducedResetRate) == 0)
        peer.leave()
    }

    @Test("A connection without streams is told GOAWAY(NO_ERROR); PING does not keep it")
    func idle() {
        let peer = RawPeer()
        peer.advance(by: .seconds(100))
        peer.get(1)
        peer.advance(by: .seconds(100))
        peer.send(FrameBuilder.ping())
        #expect(peer.goaway == nil)
        reachDeadline(of: peer) { #expect(peer.goaway == nil) }
        #expect(peer.server.clock.now == 1_000_000_000 + 280_000_000_000)
        #expect(peer.goaway == .noError)
        #expect(peer.tripped(.idleTimeout) == 1)
        #expect(peer.server.session.isFinished)
        #expect(peer.server.session.nextDeadline(now: peer.server.clock.now) == UInt64.max)
        peer.advance(by: .seconds(1000))
        #expect(peer.tripped(.idleTimeout) == 1)
        peer.leave()
    }

    @Test("A connection with a stream is not idle")
    func notIdle() {
        let peer = RawPeer(handler: RecordingHandler { $0.start(.ok) })
        peer.get(1)
        #expect(peer.server.session.nextDeadline(now: peer.server.clock.now) == UInt64.max)
        peer.advance(by: .seconds(10_000))
        #expect(peer.goaway == nil)
        peer.leave()
    }

    @Test("The shortest timeout is the shortest of them")
    func shortest() {
        let peer = RawPeer(limits: limits { $0.sendTimeout = .milliseconds(20) })
        #expect(peer.server.session.shortestTimeout == 20_000_000)
        peer.leave()
    }
}
