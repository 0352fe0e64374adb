import HelioTLS
import HeliographTesting
import Testing

@testable import Heliograph
@testable import HelioReactor

extension LiveTests {
    /// The async face on a real loop, over real connections.
    @Suite struct AsyncHandlerTests {
        @Test func aClosureRunsAndResumesOnTheLoop() async throws {
            try await withAsyncServer { exchange in
                let loop = try #require(exchange.connection?.eventLoop)
                var places = [loop.isCurrent]
                let body = try await exchange.collectBody(upTo: 100)
                places.append(loop.isCurrent)
                try await loop.sleep(for: .milliseconds(1))
                places.append(loop.isCurrent)
                exchange.respond(.ok, contentType: "a/b", "\(body.count) \(places)")
            } _: { live in
                let client = try live.connect()
                let stream = client.http.request("POST", "/", isOpen: true)
                try client.handshake()
                client.http.send([1, 2, 3], on: stream, finished: true)
                #expect(try client.response(stream).text == "3 [true, true, true]")
            }
        }

        @Test func aClosureThatThrowsIsAnsweredBy500AndLoggedWithoutItsText() async throws {
            struct Secret: Error, CustomStringConvertible { var description: String { "a token of the peer" } }
            let (configuration, log) = try LiveServer.configuration()
            let live = try LiveServer(Server(configuration) { exchange in throw Secret() }, log)
            #expect(try live.connect().get("/").status == 500)
            let lines = log.lines.filter { $0.hasPrefix("error") }
            #expect(lines == ["error a handler threw error=Secret"])
            await live.server.stop(within: .zero)
        }

        @Test func aClosureThatThrowsInTheMiddleOfAResponseResetsTheStreamAlone() async throws {
            struct Broken: Error {}
            try await withAsyncServer { exchange in
                guard exchange.pathIs("/broken") else { return _ = exchange.respond(.ok) }
                exchange.start(.ok)
                try await exchange.send("half")
                throw Broken()
            } _: { live in
                let client = try live.connect()
                #expect(try client.get("/broken").closeCode == HTTP2ErrorCode.internalError.rawValue)
                #expect(try client.get("/").status == 200)
            }
        }

        @Test func aClosureThatAnswersNothingIsAnsweredBy500() async throws {
            try await withAsyncServer { _ in
            } _: { live in
                let response = try live.connect().get("/")
                #expect(response.status == 500)
            }
        }

        @Test func aBodyOverTheLimitIsAnsweredBy413() async throws {
            try await withAsyncServer { exchange in
                let body = try await exchange.collectBody(upTo: 1000)
                exchange.respond(.ok, contentType: "a/b", "\(body.count)")
            } _: { live in
                let client = try live.connect()
                let streams = [1000, 1001].map { client.http.request("POST", "/", body: pattern($0)) }
                #expect(try client.response(streams[0]).text == "1000")
                #expect(try client.response(streams[1]).status == 413)
                let snapshot = try await live.snapshot()
                #expect(snapshot.http.limitsTripped == [.bodySize: 1])
            }
        }

        @Test func anEchoStreamsBothWaysWithBackpressure() async throws {
            let most = Shared(0)
            try await withAsyncServer { exchange in
                exchange.start(.ok)
                for try await chunk in exchange.body {
                    most.change { $0 = max($0, exchange.queuedBytes) }
                    try await exchange.send(chunk)
                }
            } _: { live in
                let client = try live.connect()
                let body = pattern(4 << 20)
                let stream = client.http.request("POST", "/", body: body)
                let isSame = try client.response(stream).body == body
                #expect(isSame)
                // The high-water mark, and the chunk that crosses it.
                #expect(most.value <= 64 * 1024 + Limits().streamWindow)
            }
        }

        /// How an exchange ends early, and what its closure sees.
        private func endEarly(_ end: (LiveClient, Int32) throws -> Void) async throws -> [String] {
            let seen = Shared<[String]>([])
            try await withAsyncServer { exchange in
                let loop = try #require(exchange.connection?.eventLoop)
                seen.change { $0.append("began") }
                do {
                    try await loop.sleep(for: .seconds(60))
                } catch {
                    seen.change { $0.append("\(type(of: error)) \(Task.isCancelled) \(loop.isCurrent)") }
                    throw error
                }
            } _: { live in
                let client = try live.connect()
                let stream = client.http.request("GET", "/")
                try client.handshake()
                #expect(try await seen.settled { !$0.isEmpty })
                try end(client, stream)
                #expect(try await seen.settled { $0.count == 2 })
                #expect(!live.log.lines.contains { $0.hasPrefix("error") }, "a peer that leaves is no error")
            }
            return seen.value
        }

        @Test func theClosureIsCancelledWhenThePeerResetsTheStream() async throws {
            let seen = try await endEarly { client, stream in
                client.http.reset(stream)
                try client.flush()
            }
            #expect(seen == ["began", "CancellationError true true"])
        }

        @Test func theClosureIsCancelledWhenTheConnectionIsReset() async throws {
            #expect(try await endEarly { client, _ in client.kill() } == ["began", "CancellationError true true"])
        }

        @Test func theClosureIsCancelledWhenTheConnectionCloses() async throws {
            #expect(try await endEarly { client, _ in client.close() } == ["began", "CancellationError true true"])
        }

        @Test func aClosureThatEndsItsOwnExchangeBeforeItWaitsIsCancelledToo() async throws {
            let seen = Shared<Bool?>(nil)
            try await withAsyncServer { exchange in
                let loop = try #require(exchange.connection?.eventLoop)
                exchange.reset()
                try? await loop.sleep(for: .seconds(60))
                seen.change { $0 = Task.isCancelled }
            } _: { live in
                _ = try live.connect().get("/")
                #expect(try await seen.settled { $0 == true })
            }
        }

        @Test func whatAClosureDoesAfterItsResponseIsNotCancelled() async throws {
            let seen = Shared<Bool?>(nil)
            try await withAsyncServer { exchange in
                let loop = try #require(exchange.connection?.eventLoop)
                exchange.respond(.ok)
                try await loop.sleep(for: .milliseconds(30))
                seen.change { $0 = Task.isCancelled }
            } _: { live in
                let client = try live.connect()
                #expect(try client.get("/").status == 200)
                #expect(try await live.settled { $0.http.openStreams == 0 } != nil)
                #expect(seen.value == nil, "it goes on after the end of its stream")
                #expect(try await seen.settled { $0 == false })
            }
        }

        @Test func theConnectionTellsWhoThePeerIs() async throws {
            try await withAsyncServer { exchange in
                let connection = try #require(exchange.connection)
                let facts: [String?] = [
                    connection.peerAddress.map { "\($0)".split(separator: ":")[0].description },
                    connection.localAddress?.port.map { _ in "port" }, "\(connection.isSecure)", connection.tlsVersion,
                    connection.serverName, connection.peerCertificateSubject,
                    connection.tlsCipher.map { _ in "cipher" },
                ]
                exchange.respond(.ok, contentType: "a/b", facts.map { $0 ?? "-" }.joined(separator: " "))
            } _: { live in
                let response = try live.connect().get("/")
                #expect(response.text == "127.0.0.1 port true TLSv1.3 localhost - cipher")
            }
        }
    }
}
