import HelioTLS
import HeliographTesting
import Testing

@testable import Heliograph
@testable import HelioReactor

extension LiveTests {
    /// How a server ends.
    @Suite struct StopTests {
        /// Answers when it is told to.
        private final class Held: Handler {
            let loop: EventLoop
            let reasons: Shared<[CloseReason]>

            init(_ loop: EventLoop, _ reasons: Shared<[CloseReason]>) {
                self.loop = loop
                self.reasons = reasons
            }
            func request(_ exchange: Exchange) { if exchange.pathIs("/now") { exchange.respond(.ok) } }
            func end(_ exchange: Exchange) { if exchange.pathIs("/upload") { exchange.respond(.created) } }
            func closed(_ exchange: Exchange, _ reason: CloseReason) { reasons.change { $0.append(reason) } }
        }

        @Test func openStreamsFinishAndNewConnectionsAreRefused() async throws {
            let reasons = Shared<[CloseReason]>([])
            try await withServer {
                Held($0, reasons)
            } _: { live in
                let address = try live.address
                let client = try live.connect()
                let upload = client.http.request("POST", "/upload", isOpen: true)
                try client.handshake()
                #expect(try await live.settled { $0.http.openStreams == 1 } != nil)
                let idle = try live.connect().handshake()
                async let stopping: Void = live.server.stop(within: .seconds(30))
                try #require(try client.run { !$0.http.goaways.isEmpty })
                try #require(try client.run { $0.http.goaways.count == 2 })
                #expect(client.http.goaways.map(\.lastStream) == [Int32.max, upload])
                #expect(try idle.run { $0.isClosed }, "nothing holds it")
                #expect(idle.tls?.isPeerClosed == true)
                idle.close()
                #expect(throws: Errno.self) { try LiveClient(to: address, tls: nil) }
                client.http.send([1], on: upload, finished: true)
                #expect(try client.response(upload).status == 201)
                #expect(try client.run { $0.isClosed })
                #expect(client.tls?.isPeerClosed == true && !client.isReset)
                client.close()
                await stopping
                #expect(reasons.value == [.finished])
                #expect(live.log.lines.suffix(2).map { $0.prefix(13) } == ["info stopping", "info stopped "])
            }
        }

        @Test func whatIsLeftAtTheDeadlineIsClosed() async throws {
            let reasons = Shared<[CloseReason]>([])
            try await withServer {
                Held($0, reasons)
            } _: { live in
                let clients = try (0..<5).map { _ in
                    let client = try live.connect()
                    client.http.request("GET", "/never")
                    return try client.handshake()
                }
                #expect(try await live.settled { $0.http.openStreams == 5 } != nil)
                await live.server.stop(within: .milliseconds(50))
                #expect(reasons.value == Array(repeating: .shutdown, count: 5))
                for client in clients { #expect(try client.run { $0.isClosed }) }
            }
        }

        @Test func aSecondStopHurriesTheFirstAndALaterOneDoesNotSlowIt() async throws {
            try await withServer {
                Held($0, Shared([]))
            } _: { live in
                let client = try live.connect()
                client.http.request("GET", "/never")
                try client.handshake()
                async let first: Void = live.server.stop(within: .seconds(600))
                try #require(try client.run { !$0.http.goaways.isEmpty })
                async let second: Void = live.server.stop(within: .milliseconds(100))
                async let third: Void = live.server.stop(within: .seconds(600))
                _ = await (first, second, third)
                #expect(try client.run { $0.isClosed })
            }
        }

        @Test func aRunEndsGracefullyWhenItsTaskIsCancelled() async throws {
            let (configuration, _) = try LiveServer.configuration()
            let server = Server(configuration) { Held($0, Shared([])) }
            let running = Task { try await server.run(stoppingWithin: .seconds(30)) }
            while server.addresses.isEmpty { try await Task.sleep(for: .milliseconds(1)) }
            let client = try LiveClient(
                to: #require(server.addresses.first), tls: Identity.shared.clientContext())
            #expect(try client.get("/now").status == 200)
            running.cancel()
            #expect(try client.run { $0.isClosed })
            #expect(client.http.goaways.map(\.code) == [0] && client.tls?.isPeerClosed == true)
            client.close()
            try await running.value
            await server.stopped()
        }

        @Test func aRunOfACancelledTaskEndsAtOnce() async throws {
            let (configuration, _) = try LiveServer.configuration()
            let server = Server(configuration) { Held($0, Shared([])) }
            let running = Task {
                unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                try await server.run()
            }
            try await running.value
        }

        @Test func aServerThatWasStoppedBeforeItsStartDoesNotStart() async throws {
            let (configuration, _) = try LiveServer.configuration()
            let server = Server(configuration) { Held($0, Shared([])) }
            await server.stop()
            #expect(throws: ServerError.self) { try server.start() }
            #expect(server.addresses.isEmpty)
        }

        @Test func startsAndStopsThatRaceLeaveNothingRunning() async throws {
            for round in 0..<30 {
                let (configuration, _) = try LiveServer.configuration(isSecure: false, threads: 2)
                let server = Server(configuration) { Held($0, Shared([])) }
                let starting = Task.detached { try? server.start() }
                if round % 3 > 0 { try await Task.sleep(for: .microseconds(round * 20)) }
                await server.stop(within: .zero)
                _ = await starting.value
                let address = server.addresses.first
                if let address { #expect(throws: Errno.self) { try LiveClient(to: address, tls: nil) } }
            }
        }

        @Test func aClientInItsHandshakeDoesNotHoldTheStop() async throws {
            try await withServer {
                Held($0, Shared([]))
            } _: { live in
                let client = try live.connect()
                client.sendRaw(Array(try client.output().prefix(100)))
                #expect(try await live.settled { $0.connections.open == 1 } != nil)
                await live.server.stop(within: .seconds(600))
                #expect(try client.run { $0.isClosed })
            }
        }
    }
}
