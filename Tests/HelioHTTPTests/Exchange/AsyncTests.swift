import HelioHTTP
import HeliographTesting
import Testing

/// The async face, with the session driven from the same actor as its tasks.
@MainActor
@Suite("The async face of an exchange")
struct AsyncTests {
    /// Runs `body` for each exchange in a task of its own, on the main actor.
    @MainActor
    private final class Tasks {
        private var started = 0
        private var ended = 0

        func handler(_ body: @escaping @MainActor (Exchange) async -> Void) -> RecordingHandler {
            RecordingHandler { exchange in
                // The suite, the session and its handlers are all on the main actor.
                nonisolated(unsafe) let exchange = exchange
                MainActor.assumeIsolated {
                    unsafe exchange.pullBody()
                    self.started += 1
                    Task { @MainActor in
                        await body(unsafe exchange)
                        self.ended += 1
                    }
                }
            }
        }

        /// Waits for all tasks. One that waits for what never comes is a failure, not a test that hangs.
        func finish(sourceLocation: SourceLocation = #_sourceLocation) async {
            for _ in 0..<10_000 where ended < started { await Task.yield() }
            #expect(ended == started, sourceLocation: sourceLocation)
        }
    }

    @MainActor
    private final class Gate { var isOpen = false }

    /// Lets tasks run until they wait.
    private func settle() async { for _ in 0..<20 { await Task.yield() } }

    @Test("A body is collected while it comes")
    func collectBody() async {
        let tasks = Tasks()
        let handler = tasks.handler { exchange in
            let size = (try? await exchange.collectBody(upTo: 1 << 20))?.count ?? -1
            exchange.respond(.ok, contentType: "text/plain", "\(size)")
        }
        let peer = RawPeer(handler: handler)
        peer.post(1)
        for _ in 0..<40 {
            peer.send(FrameBuilder.data(stream: 1, [UInt8](repeating: 1, count: 10_000)))
            await settle()
            peer.read()
        }
        peer.send(FrameBuilder.data(stream: 1, [1], endsStream: true))
        await tasks.finish()
        peer.read()
        #expect(String(decoding: peer.body(1), as: UTF8.self) == "400001")
        #expect(handler.closed == [.finished])
        peer.leave()
    }

    @Test("A body past the limit is an error, announced or not, and is counted", arguments: [true, false])
    func collectTooMuch(announced: Bool) async {
        let tasks = Tasks()
        var errors: [ExchangeError] = []
        let handler = tasks.handler { exchange in
            do throws(ExchangeError) {
                _ = try await exchange.collectBody(upTo: 2)
            } catch {
                errors.append(error)
                exchange.respond(.contentTooLarge)
            }
        }
        let peer = RawPeer(handler: handler)
        peer.post(1, announced ? [("content-length", "3")] : [])
        peer.send(FrameBuilder.data(stream: 1, [1, 2, 3]))
        await tasks.finish()
        peer.read()
        #expect(errors == [.bodyTooLarge(limit: 2)])
        #expect(peer.isAnswered(1))
        #expect(peer.tripped(.bodySize) == 1)
        peer.leave()
    }

    @Test("A body is echoed as a sequence; what no task has taken holds the peer to its window")
    func bodySequence() async {
        let tasks = Tasks()
        let handler = tasks.handler { exchange in
            exchange.start(.ok)
            do {
                for try await chunk in exchange.body { try await exchange.send(chunk) }
                exchange.finish()
            } catch { Issue.record(error) }
        }
        let server = MemorySession(
            handler: handler,
            limits: limits {
                $0.streamWindow = 65_535
                $0.responseHighWaterMark = 10_000
            })
        let client = TestClient()
        let body = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 / 3) }
        let stream = client.request("POST", "/", body: body)
        server.exchange(with: client)
        #expect(client[stream].body.isEmpty)
        for _ in 0..<500 where !client[stream].isComplete {
            await settle()
            server.exchange(with: client)
        }
        #expect(client[stream].isComplete)
        let isSame = client[stream].body == body
        #expect(isSame)
        await tasks.finish()
        server.close()
        #expect(server.resources.liveBlocks == 0)
    }

    @Test("send waits until the queue is below its low-water mark")
    func sendWaits() async {
        let tasks = Tasks()
        var sent = 0
        let handler = tasks.handler { exchange in
            exchange.start(.ok)
            do throws(ExchangeError) {
                for _ in 0..<3 {
                    try await exchange.send([UInt8](repeating: 1, count: 1000))
                    sent += 1
                }
                try await exchange.send("text")
                exchange.finish()
            } catch { Issue.record(error) }
        }
        let peer = RawPeer(
            handler: handler, limits: limits { $0.responseHighWaterMark = 1000 }, settings: [(id: 4, value: 0)])
        peer.get(1)
        await settle()
        #expect(sent == 1)
        peer.send(FrameBuilder.windowUpdate(stream: 1, by: 1499))
        await settle()
        #expect(sent == 1)
        peer.send(FrameBuilder.windowUpdate(stream: 1, by: 1))
        await settle()
        #expect(sent == 2)
        peer.send(FrameBuilder.windowUpdate(stream: 1, by: 10_000))
        await tasks.finish()
        peer.read()
        #expect(sent == 3)
        #expect(peer.body(1).count == 3004)
        peer.leave()
    }

    /// What a task may be waiting for when its exchange ends.
    enum Wait: CaseIterable, Sendable { case chunk, collect, send }

    @Test("A task that waits is told when the peer resets", arguments: Wait.allCases)
    func resetWhileWaiting(wait: Wait) async {
        let error = await ending(wait) { $0.send(FrameBuilder.reset(stream: 1, code: 8)) }
        #expect(error == .closed(.reset(.cancel)))
    }

    @Test("A task that waits is told when the connection goes", arguments: Wait.allCases)
    func connectionLostWhileWaiting(wait: Wait) async {
        let error = await ending(wait) { $0.server.session.close(.connectionLost) }
        #expect(error == .closed(.connectionLost))
    }

    private func ending(_ wait: Wait, _ end: (RawPeer) -> Void) async -> ExchangeError? {
        let tasks = Tasks()
        var caught: ExchangeError?
        var later: ExchangeError?
        let handler = tasks.handler { exchange in
            do throws(ExchangeError) {
                switch wait {
                case .chunk: _ = try await exchange.nextChunk()
                case .collect: _ = try await exchange.collectBody(upTo: 100)
                case .send:
                    exchange.start(.ok)
                    try await exchange.send([UInt8](repeating: 0, count: 1000))
                }
            } catch { caught = error }
            // Whatever is tried after the end throws the same, at once.
            do throws(ExchangeError) { try await exchange.send("late") } catch { later = error }
        }
        let peer = RawPeer(
            handler: handler, limits: limits { $0.responseHighWaterMark = 10 }, settings: [(id: 4, value: 0)])
        peer.post(1)
        await settle()
        #expect(caught == nil)
        end(peer)
        await tasks.finish()
        #expect(later == caught)
        peer.leave()
        #expect(handler.closed.count == 1)
        return caught
    }

    @Test("What came before the end of a complete request can still be read after its exchange has ended")
    func readAfterEnd() async {
        let tasks = Tasks()
        var body: [UInt8]?
        let handler = tasks.handler { exchange in
            await self.settle()
            body = try? await exchange.collectBody(upTo: 10)
        }
        let peer = RawPeer(handler: handler)
        peer.post(1)
        peer.send(FrameBuilder.data(stream: 1, [1, 2, 3], endsStream: true))
        peer.send(FrameBuilder.reset(stream: 1, code: 8))
        await tasks.finish()
        #expect(body == [1, 2, 3])
        peer.leave()
    }

    @Test("A task that writes without end is stopped by a HEAD")
    func endlessHead() async {
        let tasks = Tasks()
        var error: ExchangeError?
        let handler = tasks.handler { exchange in
            exchange.start(.ok)
            do throws(ExchangeError) { for _ in 0..<1000 { try await exchange.send("more") } } catch let end {
                error = end
            }
        }
        let peer = RawPeer(handler: handler)
        peer.send(FrameBuilder.request(stream: 1, method: "HEAD"))
        await tasks.finish()
        peer.read()
        #expect(error == .closed(.finished))
        #expect(peer.body(1).isEmpty)
        peer.leave()
    }

    @Test("A task that waits for a body that does not come times out; one that does something else does not")
    func bodyTimeout() async {
        let tasks = Tasks()
        let gate = Gate()
        var error: ExchangeError?
        let handler = tasks.handler { exchange in
            while !gate.isOpen { await Task.yield() }
            do throws(ExchangeError) { _ = try await exchange.nextChunk() } catch let end { error = end }
        }
        let peer = RawPeer(handler: handler)
        peer.post(1)
        await settle()
        peer.advance(by: .seconds(1000))
        #expect(handler.closed.isEmpty)
        gate.isOpen = true
        await settle()
        let deadline = peer.server.session.nextDeadline(now: peer.server.clock.now)
        #expect(deadline == peer.server.clock.now + 60_000_000_000)
        peer.advance(by: .seconds(60))
        await tasks.finish()
        #expect(error == .closed(.limit(.bodyTimeout)))
        peer.leave()
    }
}
