import HelioTLS
import HeliographTesting
import Testing

@testable import Heliograph
@testable import HelioReactor

/// How connections of a client begin and end.
@Suite(.serialized) struct ClientConnectionTests {
    // MARK: TLS

    @Test func aCertificateThatNobodyVouchesForIsRefused() async throws {
        try await withServer(makeHandler: { _ in Hello() }) { live in
            try await withClient({ $0.trust = .system }) { client async throws in
                let message = try await client.failure(live.request())
                #expect(message.contains("its certificate does not verify: self-signed certificate"))
            }
        }
    }

    @Test func aCertificateOfAnotherNameIsRefused() async throws {
        let other = try Identity(names: ["example.org", "127.0.0.9"])
        try await withServer({ $0.security = .custom(other.configuration) }, makeHandler: { _ in Hello() }) { live in
            try await withClient({ $0.trust = .authorities(other.chain) }) { client async throws in
                let byName = try await client.failure(live.request())
                #expect(byName.contains("hostname mismatch"))
                let byAddress = try await client.failure(live.request(host: "127.0.0.1"))
                #expect(byAddress.contains("IP address mismatch"))
            }
            try await withClient({ $0.trust = .insecure }) { client async throws in
                let answer = try await client.answer(live.request())
                #expect(answer.status == 200)
            }
        }
    }

    @Test func anAddressInTheCertificateIsEnough() async throws {
        try await withServer(makeHandler: { _ in Hello() }) { live in
            try await withClient { client async throws in
                let answer = try await client.answer(live.request(host: "127.0.0.1"))
                #expect(answer.status == 200)
            }
        }
    }

    @Test func aClientShowsItsCertificateWhereItIsAskedFor() async throws {
        let own = try Identity(names: ["client.test"])
        var configuration = try Identity.shared.configuration
        configuration.clientAuthentication = .required(authorities: own.chain)
        let security = TransportSecurity.custom(configuration)
        try await withServer({ $0.security = security }, makeHandler: { _ in Hello() }) { live in
            try await withClient { client async throws in
                let message = try await client.failure(live.request())
                #expect(message.contains("connection ended") || message.contains("certificate required"))
            }
        }
    }

    @Test func aSecondConnectionResumesTheFirstOnesSession() async throws {
        try await withServer(makeHandler: { _ in Hello() }) { live in
            try await withClient({ $0.limits.idleTimeout = .milliseconds(20) }) { client async throws in
                let answer = try await client.answer(live.request())
                #expect(answer.status == 200)
                #expect(try await live.settled { $0.connections.open == 0 } != nil)
                let again = try await client.answer(live.request())
                #expect(again.status == 200)
                let counters = try await live.snapshot().connections
                #expect(counters.handshakes == 2 && counters.resumptions == 1)
            }
        }
    }

    @Test func aServerWithoutTheProtocolIsTold() async throws {
        try await withServer(isSecure: false, makeHandler: { _ in Hello() }) { live in
            try await withClient { client async throws in
                let message = try await client.failure(live.request())
                #expect(message.contains("no TLS with https://localhost:"))
            }
        }
    }

    // MARK: Failing to connect

    @Test func aPortWithoutAListenerIsToldOfToAllThatWait() async throws {
        try await withClient { client async throws in
            let silent = try SilentPort()
            silent.close()
            let ends = Shared<[String]>([])
            let request = ClientRequest(authority: "127.0.0.1:\(silent.port)")
            try await client.run {
                let handler = CountingClientHandler(ends)
                for _ in 0..<10 { try client.pool.send(request, to: handler) }
            }
            #expect(try await ends.settled { $0.count == 10 })
            #expect(ends.value.allSatisfy { $0.contains("cannot connect to 127.0.0.1:") && $0.contains("refused") })
        }
    }

    @Test func aNameWithoutAnAddressIsToldOf() async throws {
        try await withClient { client async throws in
            let message = try await client.failure(ClientRequest(authority: "no-such-host.invalid"))
            #expect(message.contains("cannot resolve no-such-host.invalid"))
        }
    }

    @Test func aServerThatAcceptsAndIsSilentIsGivenUp() async throws {
        let silent = try SilentPort()
        defer { silent.close() }
        try await withClient({ $0.limits.connectTimeout = .milliseconds(50) }) { client async throws in
            let request = ClientRequest(authority: "127.0.0.1:\(silent.port)")
            let message = try await client.failure(request)
            #expect(message == "the limit handshake_timeout was crossed")
        }
    }

    @Test func whatWaitsForAConnectionIsBounded() async throws {
        let ends = Shared<[String]>([])
        try await withServer(makeHandler: { _ in Silent(Shared([])) }) { live in
            let change: (inout ClientConfiguration) -> Void = {
                $0.limits.maxConcurrentStreams = 1
                $0.limits.maxConnectionsPerOrigin = 1
                $0.limits.maxQueuedRequests = 5
                $0.limits.queueTimeout = .milliseconds(50)
            }
            try await withClient(change) { client async throws in
                let request = live.request()
                try await client.run {
                    let handler = CountingClientHandler(ends)
                    for _ in 0..<5 { try client.pool.send(request, to: handler) }
                    #expect(throws: ClientError.self) { _ = try client.pool.send(request, to: handler) }
                }
                // One has its connection; four wait in vain.
                #expect(try await ends.settled { $0.count == 4 })
                #expect(Set(ends.value) == ["the limit queue_timeout was crossed"])
                let tripped = await client.snapshot()[0].http.limitsTripped
                #expect(tripped[.queuedRequests] == 1 && tripped[.queueTimeout] == 4)
            }
        }
    }

    // MARK: Ends

    @Test func aServerThatStopsIsAskedAgainWhenItIsBack() async throws {
        let first = try LiveServer.start(makeHandler: { _ in Hello() })
        let port = try #require(first.server.port)
        let request = first.request()
        try await withClient { client async throws in
            let answer = try await client.answer(request)
            #expect(answer.status == 200)
            await first.server.stop(within: .seconds(1))
            let samePort: (inout ServerConfiguration) -> Void = {
                $0.endpoints = [.tcp(host: "127.0.0.1", port: port)]
            }
            try await withServer(samePort, makeHandler: { _ in Hello() }) { live in
                let answer = try await client.answer(request)
                #expect(answer.status == 200)
                #expect(try await live.snapshot().connections.accepted == 1)
            }
        }
    }

    @Test func aServerThatIsKilledEndsWhatIsOpen() async throws {
        let live = try LiveServer.start(makeHandler: { _ in Silent(Shared([])) })
        try await withClient { client async throws in
            let request = live.request()
            let task = Task { try await client.failure(request) }
            #expect(try await live.settled { $0.http.openStreams == 1 } != nil)
            await live.server.stop(within: .zero)
            let message = try await task.value
            #expect(message.contains("connection ended"))
        }
    }

    @Test func aStoppedClientTakesNothingAndFinishesWhatIsOpen() async throws {
        let held = Shared<[String]>([])
        try await withServer(makeHandler: { _ in Silent(held) }) { live in
            try await withClient { client async throws in
                let request = live.request()
                let task = Task { try await client.failure(request) }
                #expect(try await live.settled { $0.http.openStreams == 1 } != nil)
                await client.stop(within: .milliseconds(50))
                #expect(try await task.value == "the client has been stopped")
                let message = try await client.failure(request)
                #expect(message == "the client has been stopped")
            }
        }
    }

    @Test func aLoopThatEndsUnderItsClientLeavesNothing() async throws {
        try await withServer(makeHandler: { _ in Hello() }) { live in
            let group = try EventLoopGroup(threads: 1)
            var configuration = ClientConfiguration()
            configuration.trust = .authorities(try Identity.shared.chain)
            let client = try Client(on: group, configuration: configuration)
            let answer = try await client.answer(live.request())
            #expect(answer.status == 200)
            await group.stopped()
            await client.stop()
            #expect(try await live.settled { $0.connections.open == 0 } != nil)
        }
    }
}
