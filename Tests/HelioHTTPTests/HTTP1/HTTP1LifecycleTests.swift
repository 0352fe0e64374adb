import HelioHTTP
import HeliographTesting
import Testing

@Suite("The life of an HTTP/1.1 session")
struct HTTP1LifecycleTests {
    private static let get = "GET / HTTP/1.1\nHost: h\n\n"

    /// Lets time pass up to just before the deadline, then to it.
    private func reachDeadline(of peer: TextPeer, before check: () -> Void = {}) -> String {
        let now = peer.server.clock.now
        let deadline = peer.deadline
        guard deadline != UInt64.max, deadline > now else {
            Issue.record("no deadline ahead")
            return ""
        }
        let text = peer.advance(by: .nanoseconds(Int64(deadline - now - 1)))
        check()
        return text + peer.advance(by: .nanoseconds(1))
    }

    // MARK: Time

    @Test("A client that sends nothing is closed without a word")
    func preface() {
        let peer = TextPeer()
        let text = reachDeadline(of: peer) { #expect(!peer.isFinished) }
        #expect(text == "")
        #expect(peer.elapsed == 10_000_000_000)
        #expect(peer.isFinished)
        #expect(peer.tripped(.prefaceTimeout) == 1)
        #expect(peer.deadline == UInt64.max)
        peer.leave()
    }

    @Test("A head that does not end gets 408, however often a byte of it comes")
    func header() {
        let peer = TextPeer()
        peer.send("GET / HTTP/1.1\nHost: h\n")
        for _ in 0..<9 {
            peer.advance(by: .seconds(1))
            peer.send("x: y\n")
        }
        let text = reachDeadline(of: peer) { #expect(!peer.isFinished) }
        #expect(text == "HTTP/1.1 408 Request Timeout\ncontent-length: 0\nconnection: close\n\n")
        #expect(peer.elapsed == 10_000_000_000)
        #expect(peer.isFinished)
        #expect(peer.tripped(.headerTimeout) == 1)
        peer.leave()
    }

    @Test(
        "A body that does not come is answered with 408, or ends the connection under a response",
        arguments: [true, false])
    func body(isStarted: Bool) {
        let handler = RecordingHandler { if isStarted { $0.start(.ok) } }
        let peer = TextPeer(handler: handler)
        peer.send("POST / HTTP/1.1\nHost: h\nContent-Length: 5\n\n")
        peer.advance(by: .seconds(30))
        peer.send("a")
        let text = reachDeadline(of: peer) { #expect(handler.closed.isEmpty) }
        #expect(text == (isStarted ? "" : "HTTP/1.1 408 Request Timeout\ncontent-length: 0\nconnection: close\n\n"))
        #expect(peer.elapsed == 90_000_000_000)
        #expect(handler.closed == [.limit(.bodyTimeout)])
        #expect(peer.isFinished)
        peer.leave()
    }

    @Test("A handler that has paused, or waits for ever, is not hurried")
    func bodyLifted() {
        for isPaused in [true, false] {
            let handler = RecordingHandler { if isPaused { $0.pauseBody() } else { $0.setBodyTimeout(nil) } }
            let peer = TextPeer(handler: handler)
            peer.send("POST / HTTP/1.1\nHost: h\nContent-Length: 5\n\n")
            #expect(peer.deadline == UInt64.max)
            peer.advance(by: .seconds(100_000))
            #expect(handler.closed.isEmpty)
            peer.leave()
        }
    }

    @Test("A peer that takes nothing of a response loses the connection")
    func send() {
        let handler = RecordingHandler {
            $0.respond(.ok, contentType: "t/t", bytes: [UInt8](repeating: 1, count: 200_000))
        }
        let peer = TextPeer(handler: handler)
        peer.server.receive(wire(Self.get))
        #expect(peer.server.drainOnce().count == 64 * 1024)
        #expect(peer.deadline == peer.server.clock.now + 60_000_000_000)
        peer.server.advance(by: .seconds(60))
        #expect(handler.closed == [.limit(.sendTimeout)])
        #expect(peer.read() == "")
        #expect(peer.isFinished)
        #expect(peer.tripped(.sendTimeout) == 1)
        peer.leave()
    }

    @Test("A connection between requests is closed after a while")
    func idle() {
        let peer = TextPeer()
        peer.send(Self.get)
        peer.advance(by: .seconds(100))
        peer.send(Self.get)
        let text = reachDeadline(of: peer) { #expect(!peer.isFinished) }
        #expect(text == "")
        #expect(peer.elapsed == 280_000_000_000)
        #expect(peer.isFinished)
        #expect(peer.tripped(.idleTimeout) == 1)
        peer.leave()
    }

    @Test("The rest of a request that is discarded has its time, too")
    func discarding() {
        let peer = TextPeer()
        peer.send("POST / HTTP/1.1\nHost: h\nContent-Length: 500\n\n")
        peer.advance(by: .seconds(59))
        peer.send("more")
        #expect(!peer.isFinished)
        peer.advance(by: .seconds(1))
        #expect(peer.isFinished)
        #expect(peer.tripped(.bodyTimeout) == 1)
        peer.leave()
    }

    @Test("A handler that takes its time is not hurried")
    func slowHandler() {
        let peer = TextPeer(handler: RecordingHandler { _ in })
        peer.send(Self.get)
        #expect(peer.deadline == UInt64.max)
        peer.advance(by: .seconds(100_000))
        #expect(!peer.isFinished)
        peer.leave()
    }

    // MARK: The end

    @Test("A shutdown ends idle connections at once, and others after their response, which says so")
    func shutdown() {
        let idle = TextPeer()
        idle.send(Self.get)
        idle.server.session.beginShutdown(now: idle.server.clock.now)
        #expect(idle.read() == "")
        #expect(idle.isFinished)
        idle.leave()

        var kept: Exchange?
        let handler = RecordingHandler { kept = $0 }
        let busy = TextPeer(handler: handler)
        busy.send(Self.get + Self.get)
        busy.server.session.beginShutdown(now: busy.server.clock.now)
        #expect(!busy.isFinished)
        kept?.respond(.ok)
        #expect(busy.read() == "HTTP/1.1 200 OK\ncontent-length: 0\nconnection: close\n\n")
        #expect(busy.isFinished)
        #expect(handler.requests == 1)
        busy.leave()
    }

    @Test("The end of the connection ends the exchange")
    func connectionLost() {
        for text in [Self.get, "POST / HTTP/1.1\nHost: h\nContent-Length: 5\n\nhe"] {
            let handler = RecordingHandler { $0.pauseBody() }
            let peer = TextPeer(handler: handler)
            peer.send(text)
            peer.leave()
            #expect(handler.closed == [.connectionLost])
        }
        let handler = RecordingHandler { _ in }
        let peer = TextPeer(handler: handler)
        peer.send("GET / HTT")
        peer.leave()
        #expect(handler.requests == 0)
        #expect(handler.closed.isEmpty)
    }

    @Test("A reset ends the connection in the middle of the response")
    func reset() {
        var kept: Exchange?
        let handler = RecordingHandler {
            $0.start(.ok)
            kept = $0
        }
        let peer = TextPeer(handler: handler)
        peer.send(Self.get)
        kept?.write("lost")
        kept?.reset()
        #expect(handler.closed == [.reset(.cancel)])
        #expect(peer.read() == "")
        #expect(peer.isFinished)
        #expect(kept?.write("later") == false)
        peer.leave()
        #expect(handler.closed.count == 1)
    }

    @Test("A handler that writes faster than the peer reads is stopped at the limit")
    func queuedOutput() {
        let limits = HelioHTTPTests.limits { $0.maxQueuedOutput = 1000 }
        var answers: [Bool] = []
        let handler = RecordingHandler {
            $0.start(.ok)
            for _ in 0..<3 { answers.append($0.write([UInt8](repeating: 1, count: 500))) }
        }
        let peer = TextPeer(handler: handler, limits: limits)
        peer.send(Self.get)
        #expect(answers == [true, true, false])
        #expect(handler.closed == [.limit(.queuedOutput)])
        #expect(peer.isFinished)
        #expect(peer.tripped(.queuedOutput) == 1)
        peer.leave()
    }

    @Test("A write over the high-water mark is followed by `drained`, outside of the serializing")
    func drained() {
        let limits = HelioHTTPTests.limits { $0.responseHighWaterMark = 1000 }
        var log: [String] = []
        let handler = RecordingHandler {
            $0.start(.ok)
            log.append("\($0.write([UInt8](repeating: 1, count: 1001)))")
        }
        handler.onDrained = {
            log.append("drained, \($0.queuedBytes) queued")
            $0.finish()
        }
        handler.onClosed = { _ in log.append("closed") }
        let peer = TextPeer(handler: handler, limits: limits)
        peer.send(Self.get)
        #expect(log == ["false", "drained, 0 queued", "closed"])
        peer.leave()
    }

    @Test("A body that is pulled fills each drain")
    func pulling() {
        let block = [UInt8](repeating: 7, count: 10_000)
        var left = 100
        let handler = RecordingHandler {
            $0.respond(.ok, contentType: "t/t", contentLength: 1_000_000) { exchange in
                while left > 0 {
                    left -= 1
                    if !exchange.write(block) { break }
                }
                return left > 0
            }
        }
        let server = HTTP1MemorySession(handler: handler, room: 64 * 1024)
        server.receive(wire(Self.get))
        var counts: [Int] = []
        while server.session.wantsDrain { counts.append(server.drainOnce().count) }
        #expect(counts.reduce(0, +) > 1_000_000)
        #expect(counts.dropLast().allSatisfy { $0 == 64 * 1024 })
        server.close()
    }

    @Test("A head that no drain has room for ends the connection")
    func headTooLarge() {
        let handler = RecordingHandler {
            $0.addHeader("x", String(repeating: "y", count: 70_000))
            $0.respond(.ok)
        }
        let peer = TextPeer(handler: handler)
        #expect(peer.send(Self.get) == "")
        #expect(peer.isFinished)
        #expect(handler.closed == [.reset(.internalError)])
        peer.leave()
    }

    // MARK: Tunnels

    private static let upgrade = "GET /ws HTTP/1.1\nHost: h\nConnection: Upgrade\nUpgrade: websocket\n\n"

    @Test("A protocol that is accepted has the bytes behind the head, both ways", arguments: [1, Int.max])
    func tunnel(cut: Int) {
        var received = ""
        let handler = RecordingHandler {
            #expect($0.requestedProtocol == "websocket")
            $0.addHeader("sec-websocket-accept", "x")
            $0.openTunnel()
            $0.write("welcome")
        }
        handler.onBody = {
            received += String(decoding: $1, as: UTF8.self)
            $0.write($1)
        }
        let peer = TextPeer(handler: handler)
        let text = peer.send(Self.upgrade + "GET / raw", cut: cut)
        #expect(
            text
                == "HTTP/1.1 101 Switching Protocols\nsec-websocket-accept: x\nconnection: upgrade\nupgrade: websocket\n\n"
                + "welcomeGET / raw")
        #expect(received == "GET / raw")
        #expect(peer.deadline == UInt64.max)
        peer.leave()
        #expect(handler.closed == [.connectionLost])
    }

    @Test("A tunnel that is opened later, or held up, loses nothing, and ends with the connection")
    func tunnelLater() {
        let limits = HelioHTTPTests.limits { $0.streamWindow = 10 }
        var kept: Exchange?
        var received = ""
        let handler = RecordingHandler { kept = $0 }
        handler.onBody = { received += String(decoding: $1, as: UTF8.self) }
        let peer = TextPeer(handler: handler, limits: limits)
        peer.send(Self.upgrade + "early ")
        #expect(peer.server.session.isInputPaused)
        kept?.openTunnel()
        kept?.pauseBody()
        #expect(peer.read().hasPrefix("HTTP/1.1 101 "))
        peer.send("bird and late worm")
        #expect(received == "")
        #expect(peer.server.session.isInputPaused)
        kept?.resumeBody()
        peer.read()
        #expect(received == "early bird and late worm")
        kept?.write("bye")
        kept?.finish()
        #expect(peer.read() == "bye")
        #expect(peer.isFinished)
        #expect(handler.closed == [.finished])
        peer.leave()
    }

    @Test("CONNECT is a tunnel or an end of the connection")
    func connect() {
        let text = "CONNECT example.org:443 HTTP/1.1\nHost: example.org:443\n\n"
        let refusing = TextPeer(handler: RecordingHandler { $0.respond(.forbidden) })
        #expect(refusing.send(text + "raw") == "HTTP/1.1 403 Forbidden\ncontent-length: 0\nconnection: close\n\n")
        #expect(refusing.isFinished)
        refusing.leave()
        let handler = RecordingHandler {
            #expect($0.authority == "example.org:443")
            #expect($0.target == "")
            $0.openTunnel()
        }
        handler.onBody = { $0.write($1) }
        let peer = TextPeer(handler: handler)
        #expect(peer.send(text + "raw") == "HTTP/1.1 200 OK\n\nraw")
        peer.leave()
    }

    @Test("A protocol that is not accepted leaves an ordinary request")
    func notAccepted() {
        let handler = RecordingHandler { _ in }
        handler.onEnd = { $0.respond(.ok) }
        let peer = TextPeer(handler: handler)
        for _ in 0..<2 { #expect(peer.send(Self.upgrade) == "HTTP/1.1 200 OK\ncontent-length: 0\n\n") }
        #expect(!peer.isFinished)
        peer.leave()
    }
}
