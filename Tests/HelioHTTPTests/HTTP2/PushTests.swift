import HelioHTTP
import HeliographTesting
import Testing

@Suite("Server push")
struct PushTests {
    /// A page that pushes its style sheet, from a handler that knows both.
    private func site(_ pushed: @escaping (Exchange) -> Void = { _ in }) -> RecordingHandler {
        RecordingHandler { exchange in
            if exchange.path == "/style.css" {
                pushed(exchange)
                exchange.respond(.ok, contentType: "text/css", "body{}")
            } else {
                exchange.push("/style.css?v=1", headers: [("accept", "text/css")])
                exchange.respond(.ok, contentType: "text/html", "<link>")
            }
        }
    }

    @Test("A push is routed to the server's handler and comes with its request's fields")
    func routed() {
        var seen: [String] = []
        let handler = site { pushed in
            seen = ["\(pushed.method)", pushed.scheme, pushed.authority, pushed.target, pushed.query ?? ""]
            #expect(pushed.isPushed)
            #expect(pushed.id == 2)
            #expect(pushed.headers["accept"] == "text/css")
        }
        var ends = 0
        handler.onEnd = { _ in ends += 1 }
        let server = MemorySession(handler: handler)
        let client = TestClient()
        let page = client.request("GET", "/")
        server.exchange(with: client)
        #expect(client[page].text == "<link>")
        #expect(client.promises.count == 1)
        #expect(client.promises.first?.parent == page)
        #expect(
            client.promises.first?.fields.map { "\($0.name) \($0.value)" } == [
                ":method GET", ":scheme https", ":authority localhost", ":path /style.css?v=1", "accept text/css",
            ])
        #expect(client[2].status == 200)
        #expect(client[2].text == "body{}")
        #expect(client[2].isComplete)
        #expect(seen == ["GET", "https", "localhost", "/style.css?v=1", "v=1"])
        #expect(handler.closed == [.finished, .finished])
        #expect(ends == 2)
        #expect(server.resources.shared.counterSnapshot().requests == 2)
        server.close()
        #expect(server.resources.liveBlocks == 0)
    }

    @Test("A promise is kept by whoever made it, whenever that is")
    func promised() {
        var pushed: Exchange?
        let events = RecordingHandler { _ in Issue.record("a promise is nobody's request") }
        let handler = RecordingHandler { exchange in
            pushed = exchange.promise("/later", method: .head, to: events)
            exchange.respond(.noContent)
        }
        let server = MemorySession(handler: handler)
        let client = TestClient()
        client.request("GET", "/")
        server.exchange(with: client)
        #expect(client.promises.first?[":method"] == "HEAD")
        #expect(client[2].status == nil)
        #expect(server.session.openStreams == 1)
        pushed?.respond(.ok, contentType: "text/plain", "not sent")
        server.exchange(with: client)
        #expect(client[2].status == 200)
        #expect(client[2].body.isEmpty)
        #expect(client[2]["content-length"] == "8")
        #expect(client[2].isComplete)
        #expect(events.closed == [.finished])
        #expect(handler.closed == [.finished])
        #expect(pushed?.respond(.ok) == false)
        server.close()
    }

    @Test("Trailers and 1xx come with a push as with any response")
    func wholeResponse() {
        let handler = RecordingHandler { exchange in
            if let pushed = exchange.promise("/p") {
                pushed.sendInformational(.earlyHints, headers: [("link", "</a>")])
                pushed.start(.ok)
                pushed.write("body")
                pushed.finish(trailers: [("x-sum", "1")])
            }
            exchange.respond(.noContent)
        }
        let server = MemorySession(handler: handler)
        let client = TestClient()
        client.request("GET", "/")
        server.exchange(with: client)
        #expect(client[2].text == "body")
        #expect(client[2].trailers.first?.value == "1")
        server.close()
    }

    @Test("A peer that takes no pushes gets none", arguments: [(id: UInt16(2), value: UInt32(0)), (id: 3, value: 0)])
    func disabled(setting: (id: UInt16, value: UInt32)) {
        var answers: [Bool] = []
        let handler = RecordingHandler { exchange in
            answers = [exchange.canPush, exchange.push("/x"), exchange.promise("/x") != nil]
            exchange.respond(.noContent)
        }
        let peer = RawPeer(handler: handler, settings: [setting])
        peer.get(1)
        #expect(answers == [false, false, false])
        #expect(peer.last(.pushPromise) == nil)
        #expect(handler.requests == 1)
        peer.leave()
    }

    @Test("A peer that refuses a push ends that alone, and its reset is no flood")
    func refused() {
        let handler = RecordingHandler { exchange in
            if exchange.isPushed {
                exchange.start(.ok)
            } else {
                exchange.push("/p")
                exchange.respond(.ok, contentType: "a/b", "page")
            }
        }
        let peer = RawPeer(handler: handler, limits: limits { $0.peerResetRate = .init(burst: 1, perSecond: 1) })
        for index in UInt32(0)..<10 {
            peer.get(2 * index + 1)
            peer.send(FrameBuilder.reset(stream: 2 * index + 2, code: 8))
            #expect(peer.body(2 * index + 1).count == 4)
        }
        #expect(handler.closed == (0..<20).map { $0 % 2 == 0 ? .finished : .reset(.cancel) })
        #expect(peer.goaway == nil)
        #expect(peer.tripped(.peerResetRate) == 0)
        // One that is answered already is the peer's own affair.
        peer.get(21)
        peer.get(23)
        peer.send(FrameBuilder.reset(stream: 22, code: 8))
        peer.send(FrameBuilder.reset(stream: 22, code: 8))
        #expect(peer.goaway == nil)
        peer.send(FrameBuilder.reset(stream: 22, code: 8))
        #expect(peer.goaway == .enhanceYourCalm)
        peer.leave()
    }

    @Test("A push pushes nothing")
    func depth() {
        var answers: [Bool] = []
        let handler = RecordingHandler { exchange in
            if exchange.isPushed { answers += [exchange.canPush, exchange.promise("/y") != nil] }
            answers.append(exchange.push("/x"))
            exchange.respond(.noContent)
        }
        let server = MemorySession(handler: handler)
        let client = TestClient()
        client.request("GET", "/")
        server.exchange(with: client)
        #expect(answers == [false, false, false, true])
        #expect(client.promises.count == 1)
        server.close()
    }

    @Test("Pushes under way are bounded by the limit and by the peer", arguments: [true, false])
    func bounded(byLimit: Bool) {
        var pushes: [Exchange] = []
        let handler = RecordingHandler { exchange in
            while let pushed = exchange.promise("/\(pushes.count)") { pushes.append(pushed) }
            #expect(!exchange.canPush)
            exchange.start(.ok)
        }
        let peer = RawPeer(
            handler: handler, limits: limits { $0.maxConcurrentPushes = byLimit ? 3 : 16 },
            settings: [(id: 3, value: byLimit ? 100 : 3)])
        peer.get(1)
        #expect(pushes.count == 3)
        #expect(peer.tripped(.concurrentPushes) == (byLimit ? 1 : 0))
        pushes[1].respond(.noContent)
        peer.read()
        peer.get(3)
        #expect(pushes.count == 4)
        #expect(pushes.last?.id == 8)
        peer.leave()
    }

    @Test("Pushes do not count among the streams that the peer may open")
    func ownCount() {
        let handler = RecordingHandler { exchange in
            exchange.push("/p")
            if !exchange.isPushed { exchange.start(.ok) }
        }
        let peer = RawPeer(handler: handler, limits: limits { $0.maxConcurrentStreams = 2 })
        peer.get(1)
        peer.get(3)
        #expect(handler.requests == 4)
        peer.get(5)
        #expect(handler.requests == 4)
        #expect(peer.tripped(.concurrentStreams) == 1)
        peer.leave()
    }

    @Test("Nothing is promised once the response is sent, or either side has said goodbye")
    func tooLate() {
        var page: Exchange?
        let handler = RecordingHandler { exchange in
            page = exchange
            exchange.start(.ok)
        }
        let peer = RawPeer(handler: handler)
        peer.get(1)
        #expect(page?.canPush == true)
        page?.finish()
        #expect(page?.promise("/x") == nil)
        peer.read()
        #expect(page?.canPush == false)
        peer.get(3)
        #expect(page?.canPush == true)
        peer.send(FrameBuilder.frame(.goaway, [0, 0, 0, 0, 0, 0, 0, 0]))
        #expect(page?.canPush == false)
        #expect(page?.push("/x") == false)
        peer.leave()
        #expect(page?.canPush == false)

        let leaving = RawPeer(handler: handler)
        leaving.get(1)
        leaving.server.session.beginShutdown(now: leaving.server.clock.now)
        #expect(page?.push("/x") == false)
        leaving.leave()
    }

    @Test("A push whose page is reset before it is promised ends unseen")
    func parentReset() {
        var pushed: Exchange?
        let events = RecordingHandler { _ in }
        let handler = RecordingHandler { exchange in
            pushed = exchange.promise("/p", to: events)
            pushed?.respond(.ok, contentType: "a/b", "x")
            exchange.reset(.cancel)
        }
        let peer = RawPeer(handler: handler)
        peer.get(1)
        #expect(events.closed.count == 1)
        #expect(events.closed != [.finished])
        #expect(pushed?.isClosed == true)
        #expect(peer.last(.pushPromise) == nil || peer.reset(2) != nil)
        #expect(peer.goaway == nil)
        peer.get(3)
        peer.leave()
    }

    @Test("A push that its maker resets is reset")
    func ownReset() {
        let events = RecordingHandler { _ in }
        let peer = RawPeer(
            handler: RecordingHandler { exchange in
                exchange.promise("/p", to: events)?.reset(.cancel)
                exchange.respond(.noContent)
            })
        peer.get(1)
        #expect(peer.last(.pushPromise)?.stream == 1)
        #expect(peer.reset(2) == .cancel)
        #expect(events.closed == [.reset(.cancel)])
        peer.leave()
    }

    @Test("A push that begins when the peer has said goodbye is reset")
    func goodbyeBeforeResponse() {
        var pushed: Exchange?
        let events = RecordingHandler { _ in }
        let peer = RawPeer(
            handler: RecordingHandler { exchange in
                pushed = exchange.promise("/p", to: events)
                exchange.start(.ok)
            })
        peer.get(1)
        peer.send(FrameBuilder.frame(.goaway, [0, 0, 0, 2, 0, 0, 0, 0]))
        pushed?.respond(.ok, contentType: "a/b", "x")
        peer.read()
        #expect(events.closed == [.reset(.cancel)])
        #expect(peer.reset(2) == .cancel)
        peer.leave()
    }

    @Test("A promise too large to be sent ends its push and nothing else")
    func tooLarge() {
        let events = RecordingHandler { _ in }
        let peer = RawPeer(
            handler: RecordingHandler { exchange in
                let huge = String(repeating: "x", count: 70_000)
                exchange.promise("/p", headers: [("x", huge)], to: events)?.respond(.ok, contentType: "a/b", "y")
                exchange.respond(.ok, contentType: "a/b", "page")
            })
        peer.get(1)
        #expect(peer.last(.pushPromise) == nil)
        #expect(events.closed == [.reset(.internalError)])
        #expect(peer.body(1).count == 4)
        peer.get(3)
        #expect(peer.body(3).count == 4)
        peer.leave()
    }

    @Test("What is no target is not promised", arguments: ["", "style.css", "/a b", "/\r\nx", "/é", "*", "https://x/"])
    func badTarget(target: String) {
        let server = MemorySession(
            handler: RecordingHandler { exchange in
                #expect(!exchange.push(target))
                exchange.respond(.noContent)
            })
        let client = TestClient()
        client.request("GET", "/")
        server.exchange(with: client)
        #expect(client.promises.isEmpty)
        server.close()
    }

    @Test("A push that the peer takes nothing of ends in time; the connection goes with those that are left")
    func sendTimeout() {
        let handler = RecordingHandler { exchange in
            if exchange.isPushed {
                exchange.respond(.ok, contentType: "a/b", bytes: [UInt8](repeating: 1, count: 10))
            } else {
                exchange.push("/p")
                exchange.respond(.noContent)
            }
        }
        let peer = RawPeer(handler: handler, settings: [(id: 4, value: 0)])
        peer.get(1)
        peer.advance(by: .seconds(1))
        peer.advance(by: .seconds(60))
        #expect(peer.reset(2) == .cancel)
        #expect(handler.closed == [.finished, .limit(.sendTimeout)])
        peer.leave()
    }

    @Test("The peer's word on a push's priority counts")
    func priority() {
        var pushed: [Exchange] = []
        let handler = RecordingHandler { exchange in
            for _ in 0..<2 { if let push = exchange.promise("/p") { pushed.append(push) } }
            exchange.respond(.noContent)
        }
        let peer = RawPeer(handler: handler)
        peer.get(1)
        peer.send(FrameBuilder.priorityUpdate(stream: 4, "u=1"))
        #expect(pushed.map(\.priority.urgency) == [3, 1])
        for push in pushed { push.respond(.ok, contentType: "a/b", bytes: [UInt8](repeating: 1, count: 20_000)) }
        peer.read()
        #expect(peer.runs() == [4, 2])
        peer.leave()
    }
}
