import HelioHTTP
import HeliographTesting
import Testing

/// Random damage in random cuts, with handlers of every kind, at a random pace: nothing traps, and each exchange ends once.
@Suite("Random input to an HTTP/1.1 session")
struct HTTP1RandomTests {
    /// Does something else with each request, now or when it is poked.
    private final class Moody: Handler {
        var random: SeededGenerator
        var open: [Exchange] = []
        var requests = 0
        var closed = 0

        init(seed: UInt64) { random = SeededGenerator(seed: seed) }

        func request(_ exchange: Exchange) {
            requests += 1
            open.append(exchange)
            act(on: exchange)
        }

        func body(_ exchange: Exchange, _ chunk: RawSpan) { act(on: exchange) }
        func end(_ exchange: Exchange) { act(on: exchange) }
        func drained(_ exchange: Exchange) { act(on: exchange) }

        func closed(_ exchange: Exchange, _ reason: CloseReason) {
            closed += 1
            open.removeAll { $0 === exchange }
        }

        func poke() { if let exchange = open.randomElement(using: &random) { act(on: exchange) } }

        private func act(on exchange: Exchange) {
            switch Int.random(in: 0..<14, using: &random) {
            case 0: exchange.pauseBody()
            case 1: exchange.resumeBody()
            case 2: exchange.reset()
            case 3: exchange.sendInformationalIfOpen()
            case 4: exchange.openTunnelIfNew()
            case 5, 6, 7:
                guard !exchange.isClosed, !exchange.isResponseStarted else { fallthrough }
                exchange.respond(.ok, contentType: "t/t", "Hello, World!")
            case 8:
                guard !exchange.isClosed, !exchange.isResponseStarted else { fallthrough }
                exchange.start(.ok, contentLength: Bool.random(using: &random) ? 100 : nil)
            case 9, 10:
                guard exchange.isResponseStarted else { return }
                exchange.write([UInt8](repeating: 1, count: Int.random(in: 0..<70_000, using: &random)))
            case 11:
                guard exchange.isResponseStarted else { return }
                exchange.finish(trailers: [("x", "y")])
            default:
                guard exchange.isResponseStarted else { return }
                exchange.finish()
            }
        }
    }

    @Test("Whatever comes, and whatever the handler does", arguments: Array(1...60) as [UInt64])
    func session(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let limits = HelioHTTPTests.limits {
            $0.streamWindow = 8
            $0.maxDiscardedBody = 20
        }
        for round in 0..<20 {
            let handler = Moody(seed: seed &* 1000 &+ UInt64(round))
            let server = HTTP1MemorySession(handler: handler, limits: limits, room: 32 * 1024)
            var bytes = HTTP1CutTests.pipeline
            for _ in 0..<Int.random(in: 0...2, using: &random) { HTTP1CutTests.damage(&bytes, &random) }
            var position = 0
            while position < bytes.count, !server.session.isFinished {
                switch Int.random(in: 0..<6, using: &random) {
                case 0, 1:
                    let count = min(Int.random(in: 1...60, using: &random), bytes.count - position)
                    // A connection does not read while input is paused.
                    guard !server.session.isInputPaused else { break }
                    server.receive(Array(bytes[position..<position + count]))
                    position += count
                case 2: server.receive()
                case 3: _ = server.drainOnce()
                case 4: server.advance(by: .milliseconds(Int.random(in: 0...3_000, using: &random)))
                default: handler.poke()
                }
            }
            #expect(server.session.openStreams <= 1)
            if Bool.random(using: &random) { _ = server.session.endInput(now: server.clock.now) }
            for _ in 0..<8 { _ = server.drainOnce() }
            server.close()
            #expect(handler.closed == handler.requests, "seed \(seed), round \(round)")
            #expect(handler.open.isEmpty)
            #expect(server.resources.counterSnapshot().openStreams == 0)
        }
    }
}

extension Exchange {
    fileprivate func sendInformationalIfOpen() {
        if !isClosed, !isResponseStarted { sendInformational(.earlyHints, headers: [("link", "</a>")]) }
    }

    fileprivate func openTunnelIfNew() { if !isResponseStarted { openTunnel() } }
}
