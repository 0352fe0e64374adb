import HelioHTTP
import HeliographTesting
import Testing

/// Sizes and numbers: what is just within a limit is served, what crosses it is refused and counted.
@Suite("Sizes and numbers of an HTTP/2 session")
struct SizeTests {
    /// RFC 9113 section 6.5.2: names, values and 32 for each field.
    private static func listSize(_ fields: [(String, String)]) -> Int {
        let pseudo = [(":method", "GET"), (":scheme", "https"), (":authority", "localhost"), (":path", "/")]
        return (pseudo + fields).reduce(0) { $0 + $1.0.utf8.count + $1.1.utf8.count + 32 }
    }

    @Test("A header list of the limit is served, one byte more is answered with 431")
    func headerListSize() {
        let handler = hello()
        let peer = RawPeer(handler: handler, limits: limits { $0.maxHeaderListSize = 1000 })
        let room = 1000 - Self.listSize([("x", "")])
        peer.get(1, [("x", String(repeating: "v", count: room))])
        #expect(handler.requests == 1)
        peer.get(3, [("x", String(repeating: "v", count: room + 1))])
        #expect(handler.requests == 1)
        #expect(peer.isAnswered(3))
        #expect(peer.tripped(.headerListSize) == 1)
        #expect(peer.goaway == nil)
        peer.get(5)
        #expect(handler.requests == 2)
        peer.leave()
    }

    @Test("431 is what a client sees of a header list that is too large, and the connection goes on")
    func headerListStatus() {
        let server = MemorySession(handler: hello(), limits: limits { $0.maxHeaderListSize = 1000 })
        let client = TestClient()
        let large = client.request("POST", "/", [("x", String(repeating: "v", count: 2000))], isOpen: true)
        let small = client.request("GET", "/")
        server.exchange(with: client)
        #expect(client[large].status == 431)
        #expect(client[large].resetCode == 0)
        #expect(client[small].status == 200)
        server.close()
        #expect(server.resources.liveBlocks == 0)
    }

    @Test("Past four times the header list size the connection ends")
    func headerListFlood() {
        let handler = hello()
        let peer = RawPeer(handler: handler, limits: limits { $0.maxHeaderListSize = 1000 })
        let room = 4000 - Self.listSize([("x", "")])
        peer.get(1, [("x", String(repeating: "v", count: room))])
        #expect(peer.goaway == nil)
        peer.get(3, [("x", String(repeating: "v", count: room + 1))])
        #expect(peer.goaway == .enhanceYourCalm)
        #expect(peer.tripped(.headerListSize) == 2)
        #expect(handler.requests == 0)
        peer.leave()
    }

    @Test("A small block that grows by the compression's table is counted by what it grows to")
    func headerBomb() {
        let peer = RawPeer(limits: limits { $0.maxHeaderListSize = 16 * 1024 })
        // A field of 4,000 bytes into the table (RFC 7541 section 6.2.1), then a reference to it, a byte each.
        let value = [UInt8](repeating: 0x61, count: 3900)
        let literal: [UInt8] = [0x40, 1, 0x78, 127] + [0xbd, 0x1d] + value
        let block =
            FrameBuilder.headerBlock([(":method", "GET"), (":scheme", "https"), (":path", "/")]) + literal
            + [UInt8](repeating: 0x80 | 62, count: 10_000)
        peer.send(
            FrameBuilder.frame(.headers, flags: FrameBuilder.endHeaders | FrameBuilder.endStream, stream: 1, block))
        #expect(peer.goaway == .enhanceYourCalm)
        #expect(peer.tripped(.headerListSize) == 1)
        peer.leave()
    }

    @Test("A field more than the limit is answered with 431")
    func headerCount() {
        let handler = hello()
        let peer = RawPeer(handler: handler, limits: limits { $0.maxHeaderCount = 10 })
        let fields = (0..<10).map { ("x-\($0)", "") }
        peer.get(1, fields)
        #expect(handler.requests == 1)
        peer.get(3, fields + [("one-more", "")])
        #expect(handler.requests == 1)
        #expect(peer.isAnswered(3))
        #expect(peer.tripped(.headerCount) == 1)
        peer.leave()
    }

    @Test("Trailers have the limits of headers, and end an exchange that crosses them")
    func trailers() {
        let handler = RecordingHandler { _ in }
        let peer = RawPeer(
            handler: handler,
            limits: limits {
                $0.maxHeaderListSize = 600
                $0.maxHeaderCount = 5
            })
        let large = String(repeating: "v", count: 300)
        peer.post(1, [("x", large)])
        peer.send(FrameBuilder.headers(stream: 1, [("y", large)]))
        #expect(peer.tripped(.headerListSize) == 0)
        peer.post(3)
        peer.send(FrameBuilder.headers(stream: 3, [("y", large), ("z", large)]))
        #expect(handler.closed == [.limit(.headerListSize)])
        #expect(peer.isAnswered(3))
        peer.post(5)
        peer.send(FrameBuilder.headers(stream: 5, (0..<6).map { ("x-\($0)", "") }))
        #expect(handler.closed == [.limit(.headerListSize), .limit(.headerCount)])
        #expect(peer.tripped(.headerCount) == 1)
        peer.leave()
    }

    @Test("A ninth CONTINUATION ends the connection")
    func continuations() {
        for count in [8, 9] {
            let handler = hello()
            let peer = RawPeer(handler: handler)
            let block = FrameBuilder.headerBlock(MalformedTests.Request.get)
            var bytes = FrameBuilder.frame(.headers, flags: FrameBuilder.endStream, stream: 1, block)
            for index in 1...count {
                bytes += FrameBuilder.frame(
                    .continuation, flags: index == count ? FrameBuilder.endHeaders : 0, stream: 1, [])
            }
            peer.send(bytes)
            #expect(handler.requests == (count == 8 ? 1 : 0))
            #expect(peer.goaway == (count == 8 ? nil : .enhanceYourCalm))
            #expect(peer.tripped(.continuations) == (count == 8 ? 0 : 1))
            peer.leave()
        }
    }

    @Test(
        "A stream too many is refused, or ends the connection of a peer that knew the number", arguments: [false, true])
    func concurrentStreams(acknowledged: Bool) {
        let handler = RecordingHandler { _ in }
        let peer = RawPeer(
            handler: handler, limits: limits { $0.maxConcurrentStreams = 3 }, acknowledges: acknowledged)
        for stream in [UInt32(1), 3, 5] { peer.get(stream) }
        #expect(peer.tripped(.concurrentStreams) == 0)
        peer.get(7)
        #expect(handler.requests == 3)
        #expect(peer.tripped(.concurrentStreams) == 1)
        if acknowledged {
            #expect(peer.goaway == .protocolError)
        } else {
            #expect(peer.reset(7) == .refusedStream)
            #expect(peer.goaway == nil)
        }
        peer.leave()
    }

    @Test("A body over the limit of collectBody is answered with 413", arguments: [false, true])
    func bodySize(announced: Bool) {
        var bodies: [[UInt8]] = []
        let handler = RecordingHandler { exchange in
            exchange.collectBody(upTo: 10) { exchange, body in
                bodies.append(body)
                exchange.respond(.ok)
            }
        }
        let server = MemorySession(handler: handler)
        let client = TestClient()
        let fields = { (length: Int) in announced ? [("content-length", String(length))] : [] }
        let within = client.request("POST", "/", fields(10), body: [UInt8](repeating: 7, count: 10))
        let past = client.request("POST", "/", fields(11), body: [UInt8](repeating: 7, count: 11))
        server.exchange(with: client)
        #expect(bodies == [[UInt8](repeating: 7, count: 10)])
        #expect(client[within].status == 200)
        #expect(client[past].status == 413)
        #expect(handler.closed.contains(.limit(.bodySize)))
        #expect(handler.closed.count == 2)
        #expect(server.resources.shared.counterSnapshot().limitsTripped == [.bodySize: 1])
        server.close()
        #expect(server.resources.liveBlocks == 0)
    }

    @Test("A body past the limit under a response that has begun is reset")
    func bodySizeAfterResponse() {
        let handler = RecordingHandler {
            $0.start(.ok)
            $0.collectBody(upTo: 1) { _, _ in Issue.record("the body is too large") }
        }
        let peer = RawPeer(handler: handler)
        peer.post(1)
        peer.send(FrameBuilder.data(stream: 1, [1, 2]))
        #expect(peer.reset(1) == .cancel)
        #expect(handler.closed == [.limit(.bodySize)])
        peer.leave()
    }

    @Test("Output that nobody takes is bounded over all streams of a connection")
    func queuedOutput() throws {
        var kept: [Exchange] = []
        let handler = RecordingHandler {
            $0.start(.ok)
            kept.append($0)
        }
        let peer = RawPeer(
            handler: handler, limits: limits { $0.maxQueuedOutput = 1000 }, settings: [(id: 4, value: 0)])
        peer.get(1)
        peer.get(3)
        try #require(kept.count == 2)
        kept[0].write([UInt8](repeating: 1, count: 600))
        #expect(kept[1].write([UInt8](repeating: 2, count: 400)))
        #expect(peer.tripped(.queuedOutput) == 0)
        #expect(!kept[1].write([UInt8](repeating: 2, count: 1)))
        peer.read()
        #expect(peer.reset(3) == .enhanceYourCalm)
        #expect(handler.closed == [.limit(.queuedOutput)])
        #expect(peer.tripped(.queuedOutput) == 1)
        // What the closed stream had queued counts no more, nor does what the peer takes.
        #expect(kept[0].write([UInt8](repeating: 1, count: 400)))
        peer.send(FrameBuilder.windowUpdate(stream: 1, by: 1000))
        #expect(peer.body(1).count == 1000)
        #expect(kept[0].write([UInt8](repeating: 1, count: 1000)))
        #expect(peer.tripped(.queuedOutput) == 1)
        kept.removeAll()
        peer.leave()
    }

    @Test("A peer that sends past a stream's window has that stream reset, past the connection's all of it")
    func flowControl() {
        let handler = RecordingHandler { $0.pauseBody() }
        let peer = RawPeer(
            handler: handler,
            limits: limits {
                $0.streamWindow = 65_535
                $0.connectionWindow = 100_000
            })
        let chunk = [UInt8](repeating: 0, count: 16_000)
        peer.post(1)
        for _ in 0..<4 { peer.send(FrameBuilder.data(stream: 1, chunk)) }
        #expect(peer.reset(1) == nil)
        peer.send(FrameBuilder.data(stream: 1, chunk))
        #expect(peer.reset(1) == .flowControlError)
        #expect(handler.closed == [.reset(.flowControlError)])
        // The stream's share of the connection's window has come back: 80,000 bytes are gone by, 64,000 fit again.
        peer.post(3)
        for _ in 0..<4 { peer.send(FrameBuilder.data(stream: 3, chunk)) }
        #expect(peer.goaway == nil)
        peer.post(5)
        for _ in 0..<4 { peer.send(FrameBuilder.data(stream: 5, chunk)) }
        #expect(peer.goaway == .flowControlError)
        peer.leave()
    }

    @Test("Windows and numbers of the limits are announced")
    func announced() {
        let server = MemorySession(
            handler: hello(),
            limits: limits {
                $0.maxConcurrentStreams = 7
                $0.streamWindow = 70_000
                $0.maxHeaderListSize = 5000
                $0.connectionWindow = 90_000
            })
        let frames = RawFrame.parse(server.output())
        let client = TestClient()
        client.receive(frames.isEmpty ? [] : FrameBuilder.frame(.settings, frames[0].payload))
        #expect(client.serverSettings[3] == 7)
        #expect(client.serverSettings[4] == 70_000)
        #expect(client.serverSettings[6] == 5000)
        #expect(client.serverSettings[9] == 1)
        #expect(frames.contains { $0.isType(.windowUpdate) && $0.stream == 0 && $0.number() == 90_000 - 65_535 })
        server.close()
    }

    @Test("A response head that is too large to send resets its stream")
    func responseHead() {
        let handler = RecordingHandler {
            for index in 0..<70 { $0.addHeader("x-\(index)", String(repeating: "v", count: 1000)) }
            $0.respond(.ok, contentType: "text/plain", "x")
        }
        let peer = RawPeer(handler: handler)
        peer.get(1)
        #expect(peer.reset(1) == .internalError)
        #expect(handler.closed == [.reset(.internalError)])
        #expect(peer.goaway == nil)
        peer.leave()
    }
}
