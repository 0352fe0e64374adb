import HelioHTTP
import HeliographTesting
import Testing

@Suite("Beginnings and ends of exchanges and sessions")
struct LifecycleTests {
    // MARK: Shutdown

    @Test("A shutdown admits every stream, then, when its PING has come back, no more; open streams finish")
    func shutdownByPing() {
        var kept: [Exchange] = []
        let handler = RecordingHandler { kept.append($0) }
        let peer = RawPeer(handler: handler)
        peer.get(1)
        peer.server.session.beginShutdown(now: peer.server.clock.now)
        peer.read()
        #expect(peer.frames.filter { $0.isType(.goaway) }.map { $0.number() } == [0x7fff_ffff])
        let ping = peer.frames.last { $0.isType(.ping) }
        peer.get(3)
        #expect(kept.count == 2)
        #expect(!peer.server.session.isFinished)
        // A stream that comes with the PING is not begun: the GOAWAY names an older one.
        peer.send(FrameBuilder.ping(ping?.payload ?? [], isAck: true) + FrameBuilder.request(stream: 5))
        #expect(kept.count == 2)
        #expect(peer.reset(5) == .refusedStream)
        let last = peer.frames.last { $0.isType(.goaway) }
        #expect(last?.number() == 3)
        #expect(last?.number(at: 4) == HTTP2ErrorCode.noError.rawValue)
        peer.get(7)
        #expect(kept.count == 2)
        for exchange in kept {
            #expect(!peer.server.session.isFinished)
            exchange.respond(.ok)
            peer.read()
        }
        #expect(peer.server.session.isFinished)
        #expect(handler.closed == [.finished, .finished])
        #expect(peer.tripped(.concurrentStreams) == 0)
        kept.removeAll()
        peer.leave()
    }

    @Test("A shutdown goes on by itself when the PING does not come back")
    func shutdownByTime() {
        let peer = RawPeer()
        peer.server.session.beginShutdown(now: peer.server.clock.now)
        peer.read()
        #expect(peer.server.session.nextDeadline(now: peer.server.clock.now) == peer.server.clock.now + 1_000_000_000)
        // A second call changes nothing.
        peer.server.session.beginShutdown(now: peer.server.clock.now)
        peer.advance(by: .milliseconds(999))
        #expect(!peer.server.session.isFinished)
        peer.advance(by: .milliseconds(1))
        #expect(peer.frames.filter { $0.isType(.goaway) }.map { $0.number() } == [0x7fff_ffff, 0])
        #expect(peer.server.session.isFinished)
        #expect(peer.server.session.nextDeadline(now: peer.server.clock.now) == UInt64.max)
        peer.leave()
    }

    @Test("A peer's GOAWAY lets its streams finish, then the session is")
    func peerGoaway() {
        var kept: Exchange?
        let handler = RecordingHandler { kept = $0 }
        let peer = RawPeer(handler: handler)
        peer.get(1)
        peer.send(FrameBuilder.frame(.goaway, [0, 0, 0, 0, 0, 0, 0, 0]))
        #expect(!peer.server.session.isFinished)
        kept?.respond(.ok, contentType: "text/plain", "late")
        peer.read()
        #expect(String(decoding: peer.body(1), as: UTF8.self) == "late")
        #expect(peer.server.session.isFinished)
        kept = nil
        peer.leave()
    }

    @Test("A session that is closed for a reason tells it to each handler, once")
    func closed() {
        let handler = RecordingHandler { _ in }
        let server = MemorySession(handler: handler)
        let client = TestClient()
        client.request("GET", "/")
        client.request("POST", "/", isOpen: true)
        server.exchange(with: client)
        server.close(.shutdown)
        #expect(handler.closed == [.shutdown, .shutdown])
        #expect(server.resources.liveBlocks == 0)
        #expect(server.resources.shared.counterSnapshot().openStreams == 0)
    }

    @Test("PING is answered with its bytes")
    func ping() {
        let server = MemorySession(handler: hello())
        let client = TestClient()
        client.ping([8, 7, 6, 5, 4, 3, 2, 1])
        server.exchange(with: client)
        #expect(client.pongs == [[8, 7, 6, 5, 4, 3, 2, 1]])
        server.close()
    }

    @Test("The owner is told once that there is output, until the next drain")
    func ownerIsTold() {
        final class Owner: HTTPSessionOwner {
            var calls = 0
            func sessionNeedsDrain() { calls += 1 }
        }
        let owner = Owner()
        var kept: [Exchange] = []
        let resources = HTTP2Resources(limits: Limits())
        let session = HTTP2Session(
            resources: resources, handler: RecordingHandler { kept.append($0) }, owner: owner, now: 1)
        let region = UnsafeMutableRawBufferPointer.allocate(byteCount: 40_000, alignment: 16)
        defer { unsafe region.deallocate() }
        #expect(session.wantsDrain)
        #expect(unsafe session.drain(into: region, now: 1) > 0)
        #expect(!session.wantsDrain)
        let bytes =
            FrameBuilder.preface + FrameBuilder.settings() + FrameBuilder.request(stream: 1)
            + FrameBuilder.request(stream: 3)
        unsafe bytes.withUnsafeBytes { unsafe session.receive($0, now: 2) }
        #expect(owner.calls == 1)
        _ = unsafe session.drain(into: region, now: 2)
        for exchange in kept { exchange.respond(.ok) }
        #expect(owner.calls == 2)
        #expect(kept.first?.owner === owner)
        _ = unsafe session.drain(into: region, now: 3)
        #expect(!session.wantsDrain)
        #expect(kept.first?.owner == nil)
        session.close(.connectionLost)
        #expect(session.isFinished)
        #expect(resources.liveBlocks == 0)
    }

    // MARK: Exchanges that have ended

    @Test("What is asked of an exchange after its end is refused")
    func keptAfterEnd() throws {
        var kept: [Exchange] = []
        let handler = RecordingHandler {
            kept.append($0)
            $0.respond(.ok)
        }
        let peer = RawPeer(handler: handler)
        peer.get(1)
        let exchange = try #require(kept.first)
        #expect(exchange.isClosed)
        #expect(!exchange.respond(.ok))
        #expect(!exchange.start(.ok))
        #expect(!exchange.write("x"))
        #expect(!exchange.finish())
        exchange.addHeader("x", "y")
        exchange.reset()
        exchange.resumeBody()
        exchange.collectBody(upTo: 1) { _, _ in Issue.record("there is no body any more") }
        peer.read()
        #expect(peer.reset(1) == nil)
        #expect(handler.closed == [.finished])
        // A kept exchange is not given to the next stream, and its request stays readable.
        peer.send(FrameBuilder.request(stream: 3, path: "/second"))
        #expect(kept.last !== exchange)
        #expect(kept.count == 2)
        #expect(exchange.path == "/")
        kept.removeAll()
        peer.leave()
    }

    @Test("A handler that keeps its exchange is let go with it")
    func noCycle() {
        weak var handler: RecordingHandler?
        do {
            var kept: [Exchange] = []
            let strong = RecordingHandler {
                kept.append($0)
                $0.respond(.ok)
            }
            handler = strong
            let peer = RawPeer(handler: strong)
            peer.get(1)
            peer.get(3)
            #expect(kept.count == 2)
            peer.leave()
        }
        #expect(handler == nil)
    }

    @Test("An exchange that is used again carries nothing over")
    func pooled() throws {
        var identities: [ObjectIdentifier] = []
        var heads: [[String]] = []
        var body: [UInt8] = []
        let handler = RecordingHandler { exchange in
            identities.append(ObjectIdentifier(exchange))
            heads.append(exchange.headers.fields.map(\.name))
            #expect(exchange.trailers == nil)
            #expect(!exchange.isResponseStarted)
            #expect(!exchange.isClosed)
            #expect(exchange.queuedBytes == 0)
            #expect(!exchange.isRequestComplete)
            if exchange.path == "/first" {
                exchange.setBodyTimeout(nil)
                exchange.addHeader("x-first", "1")
                exchange.start(.ok)
                exchange.write("first")
                exchange.pauseBody()
            }
        }
        handler.onBody = { body += $1 }
        handler.onEnd = { exchange in
            if exchange.path != "/first" { exchange.respond(.ok, contentType: "text/plain", "second") }
        }
        let peer = RawPeer(handler: handler)
        peer.send(
            FrameBuilder.request(
                stream: 1, method: "POST", path: "/first", [("x-a", "1"), ("x-b", "2")], endsStream: false)
                + FrameBuilder.data(stream: 1, [1, 2, 3]) + FrameBuilder.headers(stream: 1, [("x-t", "1")]))
        peer.send(FrameBuilder.reset(stream: 1, code: 8))
        peer.send(FrameBuilder.request(stream: 3, method: "PUT", path: "/second", [("x-c", "3")], endsStream: false))
        peer.send(FrameBuilder.data(stream: 3, [9], endsStream: true))
        try #require(identities.count == 2)
        #expect(identities[0] == identities[1])
        #expect(heads == [["x-a", "x-b"], ["x-c"]])
        #expect(body == [9])
        #expect(String(decoding: peer.body(3), as: UTF8.self) == "second")
        #expect(handler.closed == [.reset(.cancel), .finished])
        peer.leave()
    }

    @Test("A block of headers that someone keeps is not written over")
    func keptHeaders() {
        var kept: [HeaderBlock] = []
        let handler = RecordingHandler {
            kept.append($0.headers)
            $0.respond(.ok)
        }
        let peer = RawPeer(handler: handler)
        peer.get(1, [("x", "first")])
        peer.get(3, [("x", "second")])
        #expect(kept.map { $0["x"] } == ["first", "second"])
        kept.removeAll()
        peer.leave()
    }

    // MARK: Handlers within events

    @Test("A handler may answer others, and itself in vain, from within closed")
    func answersInsideClosed() {
        var waiting: Exchange?
        let handler = RecordingHandler { if $0.path == "/waits" { waiting = $0 } }
        handler.onClosed = { exchange in
            #expect(!exchange.respond(.ok))
            waiting?.respond(.ok, contentType: "text/plain", "woken")
            waiting = nil
        }
        let peer = RawPeer(handler: handler)
        peer.send(FrameBuilder.request(stream: 1, path: "/waits"))
        peer.get(3)
        peer.send(FrameBuilder.reset(stream: 3, code: 8))
        #expect(String(decoding: peer.body(1), as: UTF8.self) == "woken")
        #expect(handler.closed == [.reset(.cancel), .finished])
        peer.leave()
    }

    @Test("A handler may reset other exchanges from within an event; what was on its way to them is dropped")
    func resetsOthers() {
        var open: [Exchange] = []
        var bodies = 0
        let handler = RecordingHandler { exchange in
            guard exchange.path == "/kill" else {
                open.append(exchange)
                exchange.start(.ok)
                exchange.write("x")
                return
            }
            for other in open { other.reset(.internalError) }
            for other in open { #expect(!other.write("late")) }
            exchange.respond(.ok)
        }
        handler.onBody = { _, _ in bodies += 1 }
        let peer = RawPeer(handler: handler)
        peer.post(1)
        peer.post(3)
        peer.send(
            FrameBuilder.request(stream: 5, path: "/kill") + FrameBuilder.data(stream: 1, [1])
                + FrameBuilder.data(stream: 3, [1], endsStream: true))
        #expect(bodies == 0)
        #expect(peer.reset(1) == .internalError)
        #expect(peer.reset(3) == .internalError)
        #expect(handler.closed == [.reset(.internalError), .reset(.internalError), .finished])
        #expect(peer.frames.filter { $0.isType(.resetStream) }.count == 2)
        open.removeAll()
        peer.leave()
    }

    @Test(
        "A handler that resets its exchange in an event gets closed at once, and no event more",
        arguments: ["body", "end", "drained"])
    func resetsItself(event: String) {
        var events: [String] = []
        let note = { (exchange: Exchange, name: String) in
            events.append(name)
            if name == event { exchange.reset(.cancel) }
        }
        let handler = RecordingHandler { exchange in
            exchange.start(.ok)
            exchange.write([UInt8](repeating: 0, count: 100))
        }
        handler.onBody = { exchange, _ in note(exchange, "body") }
        handler.onEnd = { note($0, "end") }
        handler.onDrained = { note($0, "drained") }
        handler.onClosed = { _ in events.append("closed") }
        let peer = RawPeer(
            handler: handler, limits: limits { $0.responseHighWaterMark = 10 },
            settings: event == "drained" ? [] : [(id: 4, value: 0)])
        peer.post(1)
        peer.send(FrameBuilder.data(stream: 1, [1]) + FrameBuilder.data(stream: 1, [2], endsStream: true))
        switch event {
        case "body": #expect(events == ["body", "closed"])
        case "end": #expect(events == ["body", "body", "end", "closed"])
        default: #expect(events == ["drained", "closed"])
        }
        #expect(peer.reset(1) == .cancel)
        #expect(handler.closed == [.reset(.cancel)])
        peer.leave()
    }

    @Test("An exchange handed to an object of its own sends that object its events")
    func handedOver() {
        let second = RecordingHandler { $0.start(.ok) }
        second.onBody = { exchange, bytes in exchange.write(bytes) }
        second.onEnd = { $0.finish() }
        let first = RecordingHandler { $0.hand(to: second) }
        let server = MemorySession(handler: first)
        let client = TestClient()
        let stream = client.request("POST", "/", body: [1, 2, 3])
        server.exchange(with: client)
        #expect(client[stream].body == [1, 2, 3])
        #expect(first.requests == 1 && second.requests == 1)
        #expect(first.closed.isEmpty)
        #expect(second.closed == [.finished])
        server.close()
    }

    @Test("The counters follow requests and open streams")
    func counters() {
        let handler = RecordingHandler { if $0.path == "/answered" { $0.respond(.ok) } }
        let peer = RawPeer(handler: handler)
        peer.get(1)
        peer.send(FrameBuilder.request(stream: 3, path: "/answered"))
        let counters = peer.server.resources.shared.counterSnapshot()
        #expect(counters.requests == 2)
        #expect(counters.openStreams == 1)
        #expect(peer.server.session.openStreams == 1)
        peer.leave()
    }
}
