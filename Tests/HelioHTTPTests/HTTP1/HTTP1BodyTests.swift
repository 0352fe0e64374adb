import HelioHTTP
import HeliographTesting
import Testing

@Suite("Bodies over HTTP/1.1")
struct HTTP1BodyTests {
    private static let post = "POST / HTTP/1.1\nHost: h\n"

    @Test(
        "A body comes whole by its length or in chunks, with its trailers", arguments: [1, 2, 5, Int.max],
        [true, false])
    func request(cut: Int, isChunked: Bool) {
        var body = ""
        var trailers: [String] = []
        let handler = RecordingHandler { _ in }
        handler.onBody = { body += String(decoding: $1, as: UTF8.self) }
        handler.onEnd = {
            trailers = $0.trailers?.fields.map { "\($0.name)=\($0.value)" } ?? []
            $0.respond(.ok)
        }
        let peer = TextPeer(handler: handler)
        let framed =
            isChunked
            ? "Transfer-Encoding: chunked\n\n6\nhello \n5;a=b\nworld\n0\nX-Sum: 1\nHost: evil\n\n"
            : "Content-Length: 11\n\nhello world"
        for _ in 0..<2 {
            body = ""
            #expect(peer.send(Self.post + framed, cut: cut) == "HTTP/1.1 200 OK\ncontent-length: 0\n\n")
            #expect(body == "hello world")
            #expect(trailers == (isChunked ? ["x-sum=1"] : []))
        }
        #expect(handler.closed == [.finished, .finished])
        peer.leave()
    }

    @Test("A response of unknown length is chunked, with trailers; over HTTP/1.0 the connection's end ends it")
    func response() {
        let handler = RecordingHandler { $0.start(.ok, contentType: "t/t") }
        var kept: Exchange?
        handler.onRequest = {
            $0.start(.ok, contentType: "t/t")
            kept = $0
        }
        let peer = TextPeer(handler: handler)
        #expect(
            peer.send("GET / HTTP/1.1\nHost: h\n\n")
                == "HTTP/1.1 200 OK\ncontent-type: t/t\ntransfer-encoding: chunked\n\n")
        kept?.write("hello")
        kept?.write(" world, again")
        #expect(peer.read() == "12\nhello world, again\n")
        kept?.write("!")
        kept?.finish(trailers: [("x-sum", "1")])
        #expect(peer.read() == "1\n!\n0\nx-sum: 1\n\n")
        #expect(!peer.isFinished)

        #expect(
            peer.send("GET / HTTP/1.0\nConnection: keep-alive\n\n")
                == "HTTP/1.1 200 OK\ncontent-type: t/t\nconnection: close\n\n")
        kept?.write("hello")
        #expect(peer.read() == "hello")
        kept?.finish(trailers: [("x-sum", "1")])
        #expect(peer.read() == "")
        #expect(peer.isFinished)
        #expect(handler.closed == [.finished, .finished])
        peer.leave()
    }

    @Test("A streamed response that is whole before its head is sent has a length")
    func finishedAtOnce() {
        let handler = RecordingHandler {
            $0.start(.ok)
            $0.write("hello")
            $0.finish()
        }
        let peer = TextPeer(handler: handler)
        #expect(peer.send("GET / HTTP/1.1\nHost: h\n\n") == "HTTP/1.1 200 OK\ncontent-length: 5\n\nhello")
        peer.leave()
    }

    @Test(
        "The length that was announced is kept to, or the connection ends",
        arguments: [("hello", "hello", false), ("hell", "hell", true), ("hello world", "hello", true)])
    func announced(written: String, sent: String, ends: Bool) {
        let handler = RecordingHandler {
            $0.start(.ok, contentLength: 5)
            $0.write(written)
            $0.finish()
        }
        let peer = TextPeer(handler: handler)
        #expect(peer.send("GET / HTTP/1.1\nHost: h\n\n") == "HTTP/1.1 200 OK\ncontent-length: 5\n\n\(sent)")
        #expect(peer.isFinished == ends)
        peer.leave()
    }

    @Test("A large response is drained in pieces, chunked or not, and none of it is lost", arguments: [true, false])
    func large(isChunked: Bool) {
        let body = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let handler = RecordingHandler {
            $0.start(.ok, contentLength: isChunked ? nil : body.count)
            $0.write(body)
            if isChunked { $0.finish(trailers: [("x", "y")]) } else { $0.finish() }
        }
        let server = HTTP1MemorySession(handler: handler, room: 32 * 1024)
        server.receive(wire("GET / HTTP/1.1\nHost: h\n\n"))
        var bytes = server.output()
        let headEnd = Array("\r\n\r\n".utf8)
        while !bytes.starts(with: headEnd) { bytes.removeFirst() }
        bytes.removeFirst(4)
        if isChunked {
            var joined: [UInt8] = []
            while let line = bytes.firstIndex(of: 13),
                let size = Int(String(decoding: bytes[..<line], as: UTF8.self), radix: 16),
                size > 0
            {
                joined += bytes[(line + 2)..<(line + 2 + size)]
                bytes.removeFirst(line + 4 + size)
            }
            #expect(bytes == Array("0\r\nx: y\r\n\r\n".utf8))
            #expect(joined == body)
        } else {
            #expect(bytes == body)
        }
        server.close()
    }

    @Test("A paused body is kept up to the window; then input is paused, and goes on as the handler does")
    func backpressure() {
        let limits = HelioHTTPTests.limits { $0.streamWindow = 1000 }
        var kept: Exchange?
        var taken = 0
        let handler = RecordingHandler {
            kept = $0
            $0.pauseBody()
        }
        handler.onBody = { taken += $1.count }
        handler.onEnd = { $0.respond(.ok) }
        let peer = TextPeer(handler: handler, limits: limits)
        peer.send(Self.post + "Content-Length: 5000\n\n")
        #expect(!peer.server.session.isInputPaused)
        peer.send(String(repeating: "x", count: 999))
        #expect(!peer.server.session.isInputPaused)
        peer.send(String(repeating: "x", count: 4001))
        #expect(peer.server.session.isInputPaused)
        #expect(taken == 0)
        kept?.resumeBody()
        #expect(taken == 1000)
        // The rest has its turn when the connection gives it one.
        #expect(peer.read() == "HTTP/1.1 200 OK\ncontent-length: 0\n\n")
        #expect(taken == 5000)
        #expect(!peer.server.session.isInputPaused)
        peer.leave()
    }

    @Test("The echo goes both ways at the pace of the reader")
    func echo() {
        let limits = HelioHTTPTests.limits { $0.responseHighWaterMark = 4096 }
        let handler = Echo()
        let server = HTTP1MemorySession(handler: handler, limits: limits, room: 32 * 1024)
        server.receive(wire(Self.post + "Transfer-Encoding: chunked\n\n"))
        var sent = 0
        // The peer reads nothing: its body is held, and then no more of it is read.
        while !server.session.isInputPaused, sent < 10_000_000 {
            server.receive(wire("400\n\(String(repeating: "e", count: 1024))\n"))
            sent += 1024
        }
        #expect((limits.streamWindow..<(limits.streamWindow + 20_000)).contains(sent))
        var received = 0
        while server.session.wantsDrain {
            received += server.drainOnce().filter { $0 == UInt8(ascii: "e") }.count
            server.receive()
        }
        server.receive(wire("0\n\n"))
        received += server.output().filter { $0 == UInt8(ascii: "e") }.count
        // Hexadecimal sizes and the head have an `e` of their own here and there.
        #expect(received >= sent && received < sent + 1000)
        #expect(handler.closed == [.finished])
        server.close()
    }

    @Test("100 is sent when the body is taken, and not when it is not asked for")
    func expectContinue() {
        var kept: Exchange?
        let handler = RecordingHandler {
            kept = $0
            if $0.path == "/later" { $0.pauseBody() }
        }
        handler.onEnd = { $0.respond(.ok) }
        let peer = TextPeer(handler: handler)
        let fields = "Host: h\nExpect: 100-continue\nContent-Length: 5\n\n"
        #expect(peer.send("POST / HTTP/1.1\n\(fields)") == "HTTP/1.1 100 Continue\n\n")
        #expect(peer.send("hello") == "HTTP/1.1 200 OK\ncontent-length: 0\n\n")
        #expect(peer.send("POST /later HTTP/1.1\n\(fields)") == "")
        kept?.resumeBody()
        #expect(peer.read() == "HTTP/1.1 100 Continue\n\n")
        #expect(peer.send("hello") == "HTTP/1.1 200 OK\ncontent-length: 0\n\n")
        #expect(peer.send("POST / HTTP/1.0\nConnection: keep-alive\n\(fields)") == "")
        #expect(peer.send("hello") == "HTTP/1.1 200 OK\ncontent-length: 0\nconnection: keep-alive\n\n")
        peer.leave()
    }

    @Test("A handler that answers while it reads has its client told to go on first")
    func continueBeforeHead() {
        let peer = TextPeer(handler: Echo())
        let fields = "Expect: 100-continue\nTransfer-Encoding: chunked\n\n"
        #expect(
            peer.send(Self.post + fields)
                == "HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\ntransfer-encoding: chunked\n\n")
        #expect(peer.send("1\nx\n0\n\n") == "1\nx\n0\n\n")
        #expect(!peer.isFinished)
        peer.leave()
    }

    @Test("A client that was answered instead of 100 is not waited for")
    func expectationAnswered() {
        let handler = RecordingHandler { $0.respond(.forbidden) }
        let peer = TextPeer(handler: handler)
        #expect(
            peer.send(Self.post + "Expect: 100-continue\nContent-Length: 5\n\n")
                == "HTTP/1.1 403 Forbidden\ncontent-length: 0\nconnection: close\n\n")
        #expect(peer.isFinished)
        #expect(handler.closed == [.finished])
        peer.leave()
    }

    @Test(
        "A response before the end of its request ends the exchange; the rest is discarded", arguments: [true, false])
    func earlyResponse(isChunked: Bool) {
        let handler = RecordingHandler { $0.respond(.ok) }
        let peer = TextPeer(handler: handler)
        let framed = isChunked ? "Transfer-Encoding: chunked\n\n5\n" : "Content-Length: 5\n\n"
        #expect(peer.send(Self.post + framed + "he") == "HTTP/1.1 200 OK\ncontent-length: 0\n\n")
        #expect(handler.closed == [.finished])
        #expect(peer.server.session.openStreams == 0)
        let rest = isChunked ? "llo\n0\nx: y\n\n" : "llo"
        #expect(peer.send(rest + "GET / HTTP/1.1\nHost: h\n\n") == "HTTP/1.1 200 OK\ncontent-length: 0\n\n")
        #expect(handler.requests == 2)
        peer.leave()
    }

    @Test("More than a bound is not discarded: the connection ends, and says so where it is known")
    func discardBound() {
        let limits = HelioHTTPTests.limits { $0.maxDiscardedBody = 10 }
        let announced = TextPeer(handler: RecordingHandler { $0.respond(.ok) }, limits: limits)
        #expect(announced.send(Self.post + "Content-Length: 11\n\n").contains("connection: close\n"))
        #expect(announced.isFinished)
        announced.leave()

        let peer = TextPeer(handler: RecordingHandler { $0.respond(.ok) }, limits: limits)
        #expect(!peer.send(Self.post + "Transfer-Encoding: chunked\n\nb\n").contains("connection: close\n"))
        peer.send("0123456789")
        #expect(!peer.isFinished)
        peer.send("a")
        #expect(peer.isFinished)
        #expect(peer.tripped(.discardedBody) == 1)
        peer.leave()
    }

    @Test("A body that is damaged ends the exchange: 400 before a response, the connection's end after")
    func damagedBody() {
        for isStarted in [false, true] {
            let handler = RecordingHandler { if isStarted { $0.start(.ok) } }
            let peer = TextPeer(handler: handler)
            peer.send(Self.post + "Transfer-Encoding: chunked\n\n")
            let text = peer.send("x\n")
            #expect(text == (isStarted ? "" : "HTTP/1.1 400 Bad Request\ncontent-length: 0\nconnection: close\n\n"))
            #expect(peer.isFinished)
            #expect(handler.closed == [.reset(.protocolError)])
            #expect(peer.refused(.badRequest) == 1)
            peer.leave()
        }
    }

    @Test("A body over its collector's limit gets 413, and the connection ends")
    func collected() {
        let handler = RecordingHandler { $0.collectBody(upTo: 5) { exchange, _ in exchange.respond(.ok) } }
        let peer = TextPeer(handler: handler)
        #expect(peer.send(Self.post + "Content-Length: 5\n\nhello").hasPrefix("HTTP/1.1 200 OK\n"))
        let text = peer.send(Self.post + "Transfer-Encoding: chunked\n\n6\nhello!\n")
        #expect(text == "HTTP/1.1 413 Content Too Large\ncontent-length: 0\nconnection: close\n\n")
        #expect(handler.closed == [.finished, .limit(.bodySize)])
        #expect(peer.isFinished)
        peer.leave()
    }

    @Test("Trailers over the limits end the exchange like fields do")
    func trailersTooLarge() {
        let handler = RecordingHandler { _ in }
        let peer = TextPeer(handler: handler)
        let text = peer.send(
            Self.post + "Transfer-Encoding: chunked\n\n0\nx: \(String(repeating: "y", count: 17_000))\n")
        #expect(text.hasPrefix("HTTP/1.1 431 "))
        #expect(handler.closed == [.limit(.headerListSize)])
        peer.leave()
    }

    @Test("A flood of small chunks is bounded")
    func smallChunks() {
        let limits = HelioHTTPTests.limits { $0.frameRate = .init(burst: 10, perSecond: 1) }
        let handler = RecordingHandler { _ in }
        let peer = TextPeer(handler: handler, limits: limits)
        peer.send(Self.post + "Transfer-Encoding: chunked\n\n")
        peer.send(String(repeating: "1\nx\n", count: 10))
        #expect(handler.closed.isEmpty)
        #expect(peer.send("1\nx\n").hasPrefix("HTTP/1.1 429 "))
        #expect(handler.closed == [.limit(.frameRate)])
        #expect(peer.tripped(.frameRate) == 1)
        peer.leave()
    }
}
