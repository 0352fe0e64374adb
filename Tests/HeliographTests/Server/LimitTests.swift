import CLinux
import HeliographTesting
import Testing

@testable import HelioTLS
@testable import Heliograph
@testable import HelioReactor

extension LiveTests {
    /// The limits that belong to the connection and its loop, each crossed and counted.
    @Suite struct LimitTests {
        /// `/` answers with the number of the loop's iteration; `/written` writes until it is told to stop, and never again.
        private final class Body: Handler {
            let written: Shared<Int>
            let reasons: Shared<[CloseReason]>
            private let block = pattern(16 * 1024)

            init(written: Shared<Int> = Shared(0), reasons: Shared<[CloseReason]> = Shared([])) {
                self.written = written
                self.reasons = reasons
            }

            func request(_ exchange: Exchange) {
                switch exchange.path {
                case "/written":
                    exchange.start(.ok)
                    write(exchange)
                default: exchange.respond(.ok, contentType: "a/b", "\(exchange.connection?.eventLoop.iteration ?? 0)")
                }
            }

            private func write(_ exchange: Exchange) {
                repeat { written.change { $0 += block.count } } while exchange.write(block)
            }

            func drained(_ exchange: Exchange) { write(exchange) }
            func closed(_ exchange: Exchange, _ reason: CloseReason) { reasons.change { $0.append(reason) } }
        }

        @Test func aHandshakeThatStallsIsEnded() async throws {
            try await withServer {
                $0.limits.handshakeTimeout = .milliseconds(50)
            } makeHandler: { _ in
                Body()
            } _: { live in
                let silent = try live.connect()
                let stalled = try live.connect()
                stalled.sendRaw(Array(try stalled.output().dropLast(10)))
                for client in [silent, stalled] { #expect(try client.run(speaking: false) { $0.isClosed }) }
                let snapshot = try await live.snapshot()
                #expect(snapshot.connections.limitsTripped == [.handshakeTimeout: 2])
                #expect(snapshot.connections.handshakeFailures == 2)
            }
        }

        @Test func aReaderThatTakesNothingIsClosedAndHoldsABoundedAmount() async throws {
            let (written, reasons) = (Shared(0), Shared<[CloseReason]>([]))
            try await withServer {
                $0.limits.sendTimeout = .milliseconds(200)
            } makeHandler: { _ in
                Body(written: written, reasons: reasons)
            } _: { live in
                let client = try live.connect(window: 1 << 30, receiveBuffer: 4096)
                try client.handshake()
                client.http.request("GET", "/written")
                try client.flush()
                #expect(try await reasons.settled { !$0.isEmpty })
                #expect([.limit(.sendTimeout), .connectionLost].contains(reasons.value[0]))
                #expect(try await live.settled { $0.connections.open == 0 } != nil)
                let snapshot = try await live.snapshot()
                #expect(snapshot.connections.limitsTripped == [.sendTimeout: 1])
                #expect(snapshot.nghttp2Blocks == 0)
                // What the kernel took, one flush sealed ahead, and the queue: far less than would be there without a bound.
                #expect(written.value < 6 << 20, "\(written.value) bytes written")
            }
        }

        @Test func aReaderThatIsOnlySlowGetsAllOfIt() async throws {
            try await withServer { _ in
                RecordingHandler()
            } _: { live in
                let client = try live.connect(receiveBuffer: 4096)
                let response = try client.get("/big")
                #expect(response.body.count == 3 << 20)
                #expect(try await live.snapshot().connections.bytesSent > 3 << 20)
            }
        }

        @Test func aFullLoopPausesAcceptingUntilAConnectionCloses() async throws {
            try await withServer {
                $0.limits.maxConnectionsPerLoop = 3
            } makeHandler: { _ in
                Body()
            } _: { live in
                let clients = try (0..<3).map { _ in try live.connect().handshake() }
                let waiting = try (0..<2).map { _ in try live.connect() }
                for client in waiting { try client.flush() }
                let full = try await live.snapshot()
                #expect(full.connections.open == 3)
                #expect(full.connections.limitsTripped == [.connections: 1])
                #expect(full.descriptors == 3, "the listener is not watched")
                clients[0].close()
                #expect(try waiting[0].get("/").status == 200)
                #expect(try await live.snapshot().connections.open == 3)
                clients[1].kill()
                #expect(try waiting[1].get("/").status == 200)
                let snapshot = try await live.snapshot()
                #expect(snapshot.connections.limitsTripped == [.connections: 3])
                #expect(
                    live.log.lines.count { $0.hasPrefix("warning this loop is full") } == 1, "told once, for a while")
            }
        }

        @Test func aFloodOfKeyUpdatesIsCountedAndClosed() async throws {
            try await withServer { _ in
                Body()
            } _: { live in
                let client = try live.connect()
                #expect(try client.get("/").status == 200)
                for _ in 0..<20 {
                    try #require(client.tls).updateKeys()
                    client.http.ping([1, 2, 3, 4, 5, 6, 7, 8])
                    client.sendRaw(try client.output())
                }
                #expect(try client.run { $0.isClosed })
                #expect(try await live.snapshot().connections.limitsTripped == [.keyUpdates: 1])
            }
        }

        /// Two hundred handshakes come at once, four are let go on in each iteration: so a request of an established
        /// connection that comes with them is answered after few of them, and all come to their end.
        @Test func aStormOfHandshakesDoesNotStallWhoIsConnected() async throws {
            let limit = 4
            let storm = 200
            try await withServer {
                $0.limits.maxHandshakesPerIteration = limit
            } makeHandler: { _ in
                Body()
            } _: { live in
                let client = try live.connect()
                #expect(try client.get("/").status == 200)
                let address = try live.address
                let comers = try (0..<storm).map { _ in
                    try LiveClient(to: address, tls: Identity.shared.clientContext())
                }
                #expect(try await live.settled { $0.connections.open == storm + 1 } != nil)
                // The loop is held for as long as it takes to send all, so that it finds them in one iteration.
                let first = try Held(live.server)
                for comer in comers { try comer.flush() }
                let stream = client.http.request("GET", "/")
                try client.flush()
                let start = first.release()
                let answered = try #require(UInt64(try client.response(stream).text))
                // One epoll_wait reports 256 at most: the request is in it.
                #expect(answered - start <= 2, "answered in iteration \(answered), the storm came in \(start)")
                for comer in comers { try comer.handshake() }
                let end = try #require(UInt64(try client.get("/").text))
                #expect(end - start >= UInt64(2 * storm / limit) - 2, "each has two reads, four in an iteration")
                #expect(try await live.snapshot().connections.handshakes == storm + 1)
            }
        }
    }
}

/// Keeps a server's first loop from going on.
private final class Held: Sendable {
    private let isHeld = ConditionLock(true)
    private let iteration = ConditionLock<UInt64?>(nil)

    init(_ server: Server) throws {
        let loop = try #require(server.firstLoop)
        loop.execute { [self] in
            iteration.signal { $0 = loop.iteration }
            isHeld.wait { $0 ? nil : () }
        }
        iteration.wait { $0.map { _ in () } }
    }

    /// Lets it go on. Returns the number of the iteration that was held.
    func release() -> UInt64 {
        isHeld.signal { $0 = false }
        return iteration.wait { $0 }
    }
}
