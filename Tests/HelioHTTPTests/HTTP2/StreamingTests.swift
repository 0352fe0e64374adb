import HelioHTTP
import HeliographTesting
import Testing

@Suite("Bodies that stream over HTTP/2")
struct StreamingTests {
    @Test("Request and response stream at the same time")
    func bothWays() {
        let server = MemorySession(handler: Echo())
        let client = TestClient()
        let stream = client.request("POST", "/", isOpen: true)
        server.exchange(with: client)
        #expect(client[stream].status == 200)
        for word in ["one", "two", "three"] {
            client.send(Array(word.utf8), on: stream)
            server.exchange(with: client)
            #expect(client[stream].text.hasSuffix(word))
            #expect(!client[stream].isComplete)
        }
        client.send([], on: stream, finished: true)
        server.exchange(with: client)
        #expect(client[stream].text == "onetwothree")
        #expect(client[stream].isComplete)
        server.close()
        #expect(server.resources.liveBlocks == 0)
    }

    @Test("A paused handler lets one window in and no more; other streams go on; resumed, it gets all in order")
    func pausedRequest() {
        var paused: Exchange?
        var sizes: [String: Int] = [:]
        var bytes: [UInt8] = []
        let handler = RecordingHandler { exchange in
            guard exchange.path == "/paused" else { return }
            exchange.pauseBody()
            paused = exchange
        }
        handler.onBody = { exchange, chunk in
            sizes[exchange.path, default: 0] += chunk.count
            if exchange === paused { bytes += chunk }
        }
        handler.onEnd = { $0.respond(.ok) }
        let server = MemorySession(
            handler: handler,
            limits: limits {
                $0.streamWindow = 100_000
                $0.connectionWindow = 150_000
            })
        let client = TestClient()
        server.exchange(with: client)
        let body = (0..<250_000).map { UInt8(truncatingIfNeeded: $0 / 3) }
        let stuck = client.request("POST", "/paused", body: body)
        let free = client.request("POST", "/free", body: body)
        server.exchange(with: client)
        #expect(client[free].status == 200)
        #expect(sizes["/free"] == 250_000)
        #expect(sizes["/paused"] == nil)
        #expect(client[stuck].status == nil)
        #expect(server.session.openStreams == 1)
        paused?.resumeBody()
        #expect(sizes["/paused"] == 100_000)
        server.exchange(with: client)
        #expect(client[stuck].status == 200)
        #expect(bytes == body)
        server.close()
        #expect(server.resources.liveBlocks == 0)
    }

    @Test("A handler that pauses at each chunk and is resumed gets every byte once")
    func pausedAtEachChunk() {
        var current: Exchange?
        var bytes: [UInt8] = []
        let handler = RecordingHandler { _ in }
        handler.onBody = { exchange, chunk in
            bytes += chunk
            exchange.pauseBody()
            current = exchange
        }
        handler.onEnd = { $0.respond(.ok) }
        let server = MemorySession(handler: handler)
        let client = TestClient()
        let body = (0..<500_000).map { UInt8(truncatingIfNeeded: $0 / 5) }
        let stream = client.request("POST", "/", body: body)
        server.exchange(with: client)
        var turns = 0
        while let exchange = current, client[stream].status == nil {
            current = nil
            turns += 1
            exchange.resumeBody()
            server.exchange(with: client)
        }
        #expect(turns > 10)
        #expect(bytes == body)
        #expect(client[stream].status == 200)
        server.close()
    }

    @Test("A peer that does not read makes write answer false; drained comes once, at the low-water mark")
    func pausedResponse() {
        var kept: Exchange?
        var drains = 0
        let handler = RecordingHandler {
            $0.start(.ok)
            kept = $0
        }
        handler.onDrained = { _ in drains += 1 }
        let peer = RawPeer(
            handler: handler, limits: limits { $0.responseHighWaterMark = 1000 }, settings: [(id: 4, value: 0)])
        peer.get(1)
        #expect(kept?.write([UInt8](repeating: 1, count: 1000)) == true)
        #expect(kept?.write([UInt8](repeating: 2, count: 1)) == false)
        #expect(kept?.write([UInt8](repeating: 3, count: 99)) == false)
        peer.read()
        #expect(kept?.queuedBytes == 1100)
        peer.send(FrameBuilder.windowUpdate(stream: 1, by: 599))
        #expect(drains == 0)
        peer.send(FrameBuilder.windowUpdate(stream: 1, by: 1))
        #expect(drains == 1)
        peer.send(FrameBuilder.windowUpdate(stream: 1, by: 10_000))
        #expect(drains == 1)
        #expect(kept?.write([UInt8](repeating: 4, count: 100)) == true)
        kept?.finish()
        peer.read()
        #expect(peer.body(1).count == 1200)
        #expect(drains == 1)
        #expect(handler.closed == [.finished])
        kept = nil
        peer.leave()
    }

    @Test("A peer that shrinks its window in the middle gets what it allows, and the rest when it allows more")
    func shrunkWindow() {
        let handler = RecordingHandler {
            $0.respond(.ok, contentType: "a/b", bytes: [UInt8](repeating: 1, count: 1000))
        }
        let peer = RawPeer(handler: handler, settings: [(id: 4, value: 600)])
        peer.get(1)
        #expect(peer.body(1).count == 600)
        peer.send(FrameBuilder.settings([(id: 4, value: 100)]))
        peer.send(FrameBuilder.windowUpdate(stream: 1, by: 500))
        #expect(peer.body(1).count == 600)
        peer.send(FrameBuilder.windowUpdate(stream: 1, by: 50))
        #expect(peer.body(1).count == 650)
        peer.send(FrameBuilder.settings([(id: 4, value: 60_000)]))
        #expect(peer.body(1).count == 1000)
        #expect(handler.closed == [.finished])
        peer.leave()
    }

    @Test("A connection's window holds back all streams, and is shared when it opens")
    func connectionWindow() {
        let handler = RecordingHandler {
            $0.respond(.ok, contentType: "a/b", bytes: [UInt8](repeating: 1, count: 60_000))
        }
        let peer = RawPeer(handler: handler, settings: [(id: 4, value: 1_000_000)])
        peer.get(1)
        peer.get(3)
        #expect(peer.body(1).count + peer.body(3).count == 65_535)
        peer.send(FrameBuilder.windowUpdate(stream: 0, by: 100_000))
        #expect(peer.body(1).count == 60_000)
        #expect(peer.body(3).count == 60_000)
        peer.leave()
    }

    @Test("A pulled response is pulled as the peer takes it")
    func pulled() {
        var pulls = 0
        let handler = RecordingHandler { exchange in
            exchange.respond(.ok, contentType: "a/b", contentLength: 100_000) { exchange in
                pulls += 1
                exchange.write([UInt8](repeating: UInt8(truncatingIfNeeded: pulls), count: 1000))
                return pulls < 100
            }
        }
        let peer = RawPeer(
            handler: handler, limits: limits { $0.responseHighWaterMark = 4000 }, settings: [(id: 4, value: 0)])
        peer.get(1)
        #expect(pulls == 5)
        peer.send(FrameBuilder.windowUpdate(stream: 1, by: 2999))
        #expect(pulls == 5)
        peer.send(FrameBuilder.windowUpdate(stream: 1, by: 1))
        #expect(pulls == 8)
        peer.send(
            FrameBuilder.windowUpdate(stream: 0, by: 1_000_000) + FrameBuilder.windowUpdate(stream: 1, by: 97_000))
        #expect(pulls == 100)
        #expect(peer.body(1) == (1...100).flatMap { [UInt8](repeating: UInt8($0), count: 1000) })
        #expect(handler.closed == [.finished])
        peer.leave()
    }

    @Test("A producer that has nothing is called again when it is resumed")
    func pulledLater() {
        var kept: Exchange?
        var available: [String] = []
        let handler = RecordingHandler { exchange in
            kept = exchange
            exchange.respond(.ok, contentType: "a/b") { exchange in
                guard !available.isEmpty else { return true }
                let text = available.removeFirst()
                exchange.write(text)
                return text != "end"
            }
        }
        let peer = RawPeer(handler: handler)
        peer.get(1)
        #expect(peer.body(1).isEmpty)
        available = ["some", "end"]
        kept?.resumePulling()
        peer.read()
        #expect(String(decoding: peer.body(1), as: UTF8.self) == "someend")
        #expect(handler.closed == [.finished])
        kept = nil
        peer.leave()
    }

    @Test(
        "Responses without a body: HEAD, 204 and 304 send a head only, whatever is written", arguments: [200, 204, 304])
    func bodiless(code: Int) throws {
        let status = try #require(Status(code))
        var written: [Bool] = []
        var pulls = 0
        let handler = RecordingHandler { exchange in
            if exchange.path == "/pulled" {
                exchange.respond(status, contentType: "text/plain") { exchange in
                    pulls += 1
                    exchange.write("body")
                    return true
                }
            } else if exchange.path == "/whole" {
                exchange.respond(status, contentType: "text/plain", "body")
            } else {
                exchange.start(status)
                written.append(exchange.write("body"))
                exchange.finish(trailers: [("x-sum", "1")])
            }
        }
        let server = MemorySession(handler: handler)
        let client = TestClient()
        let method = code == 200 ? "HEAD" : "GET"
        let streams = ["/pulled", "/whole", "/written"].map { client.request(method, $0) }
        server.exchange(with: client)
        for stream in streams {
            #expect(client[stream].status == code)
            #expect(client[stream].body.isEmpty)
            #expect(client[stream].trailers.isEmpty)
            #expect(client[stream].isComplete)
        }
        #expect(written == [false])
        #expect(pulls == 0)
        #expect(client[streams[1]]["content-length"] == (code == 200 ? "4" : nil))
        #expect(handler.closed == [.finished, .finished, .finished])
        server.close()
        #expect(server.resources.liveBlocks == 0)
    }

    @Test("Trailers follow an empty body, and a body that waited for the window")
    func trailers() {
        let handler = RecordingHandler { exchange in
            exchange.start(.ok)
            if exchange.path == "/long" { exchange.write([UInt8](repeating: 1, count: 100_000)) }
            exchange.finish(trailers: [("x-sum", exchange.path), ("x-end", "")])
        }
        let server = MemorySession(handler: handler)
        let client = TestClient()
        let streams = ["/empty", "/long"].map { client.request("GET", $0) }
        server.exchange(with: client)
        #expect(client[streams[0]].trailers.map(\.value) == ["/empty", ""])
        #expect(client[streams[1]].trailers.map(\.name) == ["x-sum", "x-end"])
        #expect(client[streams[1]].body.count == 100_000)
        #expect(handler.closed == [.finished, .finished])
        server.close()
        #expect(server.resources.liveBlocks == 0)
    }

    @Test("A body is collected whole, of many chunks or none; with trailers")
    func collected() {
        var bodies: [Int] = []
        let handler = RecordingHandler { exchange in
            exchange.collectBody(upTo: 1 << 20) { exchange, body in
                bodies.append(body.count)
                exchange.respond(.ok, contentType: "a/b", exchange.trailers?["x-sum"] ?? "-")
            }
        }
        handler.onBody = { _, _ in Issue.record("a collected body makes no events") }
        handler.onEnd = { _ in Issue.record("a collected body makes no events") }
        let server = MemorySession(handler: handler)
        let client = TestClient()
        let none = client.request("GET", "/")
        let large = client.request("POST", "/", body: [UInt8](repeating: 1, count: 500_000))
        let trailed = client.request("POST", "/", isOpen: true)
        client.send([1, 2, 3], on: trailed, trailers: [("x-sum", "6")])
        server.exchange(with: client)
        #expect(bodies.sorted() == [0, 3, 500_000])
        #expect(client[none].text == "-")
        #expect(client[large].text == "-")
        #expect(client[trailed].text == "6")
        server.close()
        #expect(server.resources.liveBlocks == 0)
    }

    @Test("A body that was paused first is collected later")
    func collectedLater() {
        var kept: Exchange?
        var body: [UInt8] = []
        let handler = RecordingHandler {
            $0.pauseBody()
            kept = $0
        }
        let peer = RawPeer(handler: handler)
        peer.post(1)
        peer.send(FrameBuilder.data(stream: 1, [1, 2, 3], endsStream: true))
        kept?.collectBody(upTo: 3) { exchange, bytes in
            body = bytes
            exchange.respond(.ok)
        }
        peer.read()
        #expect(body == [1, 2, 3])
        #expect(handler.closed == [.finished])
        kept = nil
        peer.leave()
    }

    @Test("A response from within the body's event ends the exchange early")
    func respondInsideBody() {
        var chunks = 0
        let handler = RecordingHandler { _ in }
        handler.onBody = { exchange, _ in
            chunks += 1
            exchange.respond(.badRequest)
        }
        let peer = RawPeer(handler: handler)
        peer.post(1)
        peer.send(FrameBuilder.data(stream: 1, [1]))
        #expect(peer.isAnswered(1))
        #expect(peer.reset(1) == .noError)
        peer.send(FrameBuilder.data(stream: 1, [2], endsStream: true))
        #expect(chunks == 1)
        #expect(handler.closed == [.finished])
        #expect(peer.goaway == nil)
        peer.leave()
    }

    @Test("Padding is no content, and is given back to the windows")
    func padding() {
        var size = 0
        let handler = RecordingHandler { _ in }
        handler.onBody = { _, chunk in size += chunk.count }
        let peer = RawPeer(
            handler: handler,
            limits: limits {
                $0.streamWindow = 65_535
                $0.connectionWindow = 65_535
            })
        peer.post(1)
        let padded = FrameBuilder.frame(
            .data, flags: 8, stream: 1, [255] + [UInt8](repeating: 1, count: 100) + [UInt8](repeating: 0, count: 255))
        for _ in 0..<1000 { peer.send(padded) }
        #expect(size == 100_000)
        #expect(peer.goaway == nil)
        #expect(peer.reset(1) == nil)
        peer.leave()
    }
}
