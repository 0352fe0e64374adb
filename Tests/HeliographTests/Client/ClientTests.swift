import HelioTLS
import HeliographTesting
import Testing

@testable import Heliograph
@testable import HelioReactor

/// The client against our own server, over real sockets.
@Suite(.serialized) struct ClientTests {
    @Test func aRequestOverTLSGetsItsAnswer() async throws {
        try await withServer(makeHandler: { _ in Hello() }) { live in
            try await withClient { client async throws in
                let answer = try await client.answer(live.request())
                #expect(answer.status == 200 && answer.text == "Hello, World!" && answer.version == .http2)
            }
        }
    }

    @Test func plaintextIsSpokenWithPriorKnowledge() async throws {
        try await withServer(isSecure: false, makeHandler: { _ in Hello() }) { live in
            try await withClient { client async throws in
                let answer = try await client.answer(live.request(scheme: "http"))
                #expect(answer.text == "Hello, World!")
            }
        }
    }

    @Test func aUnixSocketIsConnectedTo() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/socket"
        try await withServer({ $0.endpoints = [.unix(path: path)] }, makeHandler: { _ in Hello() }) { _ in
            try await withClient({ $0.unixSocket = path }) { client async throws in
                let answer = try await client.answer(ClientRequest(authority: "localhost"))
                #expect(answer.status == 200)
            }
        }
    }

    @Test func requestsShareOneConnection() async throws {
        try await withServer(makeHandler: { _ in Hello() }) { live in
            try await withClient { client async throws in
                for _ in 0..<50 { #expect(try await client.answer(live.request()).status == 200) }
                #expect(try await live.snapshot().connections.accepted == 1)
            }
        }
    }

    @Test func fiveHundredRequestsAtOnceShareTheConnectionsThatAreAllowed() async throws {
        try await withServer(makeHandler: { _ in Hello() }) { live in
            try await withClient({ $0.limits.maxConnectionsPerOrigin = 3 }) { client async throws in
                let request = live.request()
                let answered = try await client.run {
                    try await withThrowingTaskGroup(of: Int.self) { group in
                        for _ in 0..<500 {
                            group.addTask { try await client.request(request).collect(upTo: 100).count }
                        }
                        return try await group.reduce(0) { $0 + ($1 == 13 ? 1 : 0) }
                    }
                }
                #expect(answered == 500)
                #expect(try await live.snapshot().connections.accepted <= 3)
            }
        }
    }

    @Test func eachExchangeCanHaveAConnectionOfItsOwn() async throws {
        let waiting = Shared<[String]>([])
        try await withServer(makeHandler: { _ in Silent(waiting) }) { live in
            let change: (inout ClientConfiguration) -> Void = {
                $0.limits.maxConcurrentStreams = 1
                $0.limits.maxConnectionsPerOrigin = 100
            }
            try await withClient(change) { client async throws in
                let request = live.request()
                try await client.run {
                    let handler = CountingClientHandler(Shared([]))
                    for _ in 0..<100 { try client.pool.send(request, to: handler) }
                }
                #expect(try await live.settled { $0.connections.open == 100 && $0.http.openStreams == 100 } != nil)
            }
        }
    }

    @Test func aBodyIsStreamedBothWaysAtOnce() async throws {
        try await withServer(makeHandler: { _ in Mirror() }) { live in
            try await withClient { client async throws in
                let request = live.request(.post, "/echo")
                let count = try await client.run {
                    let response = try await client.request(request) { exchange in
                        for _ in 0..<500 { try await exchange.send([UInt8](repeating: 1, count: 10_000)) }
                    }
                    var count = 0
                    for try await chunk in response.body { count += chunk.count }
                    return count
                }
                #expect(count == 5_000_000)
            }
        }
    }

    @Test func aBodyGivenWholeComesBackWhole() async throws {
        try await withServer(makeHandler: { _ in Mirror() }) { live in
            try await withClient { client async throws in
                let body = [UInt8](repeating: 5, count: 3_000_000)
                let answer = try await client.answer(live.request(.put, "/", body: body))
                #expect(answer.count == 3_000_000)
            }
        }
    }

    @Test func aBodyOverTheCallersLimitEndsTheExchange() async throws {
        try await withServer(makeHandler: { _ in Mirror() }) { live in
            try await withClient { client async throws in
                let request = live.request(.put, "/", body: [UInt8](repeating: 5, count: 1_000_000))
                await #expect(throws: ClientError.self) {
                    try await client.run { try await client.request(request).collect(upTo: 1000).count }
                }
                #expect(try await live.settled { $0.http.openStreams == 0 } != nil)
            }
        }
    }

    @Test func aCancelledTaskEndsItsExchange() async throws {
        let ends = Shared<[String]>([])
        try await withServer(makeHandler: { _ in Silent(ends) }) { live in
            try await withClient { client async throws in
                let request = live.request()
                let task = Task { try await client.answer(request) }
                #expect(try await live.settled { $0.http.openStreams == 1 } != nil)
                task.cancel()
                await #expect(throws: ClientError.self) { try await task.value }
                #expect(try await ends.settled { $0 == ["reset(CANCEL)"] })
            }
        }
    }

    @Test func aResponseThatNobodyReadsEndsItsExchange() async throws {
        try await withServer(makeHandler: { _ in Mirror() }) { live in
            try await withClient { client async throws in
                let request = live.request(.post, "/", body: [UInt8](repeating: 5, count: 10_000_000))
                let status = try await client.run { try await client.request(request).status }
                #expect(status == 200)
                #expect(try await live.settled { $0.http.openStreams == 0 } != nil)
            }
        }
    }

    @Test func aRequestHasItsTime() async throws {
        let ends = Shared<[String]>([])
        try await withServer(makeHandler: { _ in Silent(ends) }) { live in
            try await withClient { client async throws in
                var request = live.request()
                // Long enough for a slow machine's handshake: the server is to see the request, and its end.
                request.timeout = .seconds(2)
                let message = try await client.failure(request)
                #expect(message == "the limit request_timeout was crossed")
                #expect(try await ends.settled { $0 == ["reset(CANCEL)"] })
            }
        }
    }

    @Test func theAddressThatConnectionsComeFromIsChosen() async throws {
        try await withAsyncServer { exchange in
            let connection = exchange.connection
            // Long enough for the second request to need a connection of its own.
            try await connection?.eventLoop.sleep(for: .milliseconds(100))
            exchange.respond(.ok, contentType: "text/plain", connection?.peerAddress?.host ?? "")
        } _: { live in
            let change: (inout ClientConfiguration) -> Void = { configuration in
                configuration.localAddresses = (2...3).compactMap { SocketAddress(host: "127.0.0.\($0)", port: 0) }
                configuration.limits.maxConcurrentStreams = 1
                configuration.trust = .insecure
            }
            try await withClient(change) { client async throws in
                let request = live.request(host: "127.0.0.1")
                let hosts = try await client.run {
                    async let first = client.request(request)
                    async let second = client.request(request)
                    let (one, two) = (try await first, try await second)
                    return Set([
                        String(decoding: try await one.collect(upTo: 100), as: UTF8.self),
                        String(decoding: try await two.collect(upTo: 100), as: UTF8.self),
                    ])
                }
                #expect(hosts == ["127.0.0.2", "127.0.0.3"])
            }
        }
    }

    @Test func aHandlerOfAServerAsksAnotherOnItsOwnLoop() async throws {
        try await withServer(makeHandler: { _ in Hello() }) { behind in
            let request = behind.request()
            let group = try EventLoopGroup(threads: 1)
            var configuration = ClientConfiguration()
            configuration.trust = .authorities(try Identity.shared.chain)
            let client = try Client(on: group, configuration: configuration)
            let (serverConfiguration, _) = try LiveServer.configuration()
            let front = Server(serverConfiguration) { exchange in
                let response = try await client.request(request)
                exchange.respond(.ok, contentType: "text/plain", bytes: try await response.collect(upTo: 100))
            }
            try front.start(on: group)
            try await withClient { outer async throws in
                let url = "https://localhost:\(front.port ?? 0)/"
                let answer = try await outer.answer(ClientRequest(.get, url))
                #expect(answer.text == "Hello, World!")
            }
            await client.stop(within: .zero)
            await front.stop(within: .zero)
            await group.stopped()
        }
    }
}

/// Counts the ends of its exchanges.
final class CountingClientHandler: ClientHandler {
    let ends: Shared<[String]>
    init(_ ends: Shared<[String]>) { self.ends = ends }
    func closed(_ exchange: ClientExchange, _ error: ClientError?) {
        ends.change { $0.append(error.map { "\($0)" } ?? "done \(exchange.status)") }
    }
}
