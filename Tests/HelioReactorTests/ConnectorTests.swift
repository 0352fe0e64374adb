internal import CLinux
internal import Foundation
internal import Testing

@testable internal import HelioReactor

@Suite struct ConnectorTests {
    private typealias Outcome = Result<SocketAddress, ConnectError>

    /// Connects, and waits for the peer's address or the error.
    private static func connect(
        _ loop: EventLoop, _ addresses: [SocketAddress], _ options: ConnectOptions = ConnectOptions()
    ) -> Outcome {
        outcome(loop) { completion in
            Connector.connect(to: addresses, of: "test:1", on: loop, options: options, completion: completion)
        }
    }

    private static func reached(_ outcome: Outcome) -> SocketAddress? {
        switch outcome {
        case .success(let address): return address
        case .failure(let error):
            Issue.record(error)
            return nil
        }
    }

    private static func outcome(
        _ loop: EventLoop, _ begin: @escaping @Sendable (@escaping Connector.Completion) -> Connector
    ) -> Outcome {
        let result = OnLoop<[Outcome]>([])
        let isDone = Shared(0)
        onLoop(loop) {
            let isWithinCall = OnLoop(true)
            _ = begin { connected in
                #expect(!isWithinCall.value && loop.isCurrent)
                switch consume connected {
                case .success(let socket):
                    if let peer = try? socket.peerAddress() { result.value.append(.success(peer)) }
                case .failure(let error): result.value.append(.failure(error))
                }
                isDone.change { $0 += 1 }
            }
            isWithinCall.value = false
        }
        #expect(isDone.wait { $0 == 1 })
        #expect(onLoop(loop) { loop.watchedDescriptors } == 0)
        #expect(onLoop(loop) { loop.armedTimers } == 0)
        #expect(isDone.value == 1, "called once")
        return result.value[0]
    }

    /// An address whose connections are refused: it was bound, and is not any more.
    private static func refused(_ host: String = "127.0.0.1") throws -> SocketAddress {
        let address = try #require(SocketAddress(host: host, port: 0))
        return try ListeningSocket.bind(address, count: 1)[0].address
    }

    /// A listener whose queue is full, so that the kernel drops what comes: nothing answers, as in a black hole.
    private final class BlackHole: Sendable {
        let socket: ListeningSocket
        private let fillers: [Int32]

        init(_ host: String = "127.0.0.1") throws {
            socket = try ListeningSocket.bind(#require(SocketAddress(host: host, port: 0)), count: 1, backlog: 0)[0]
            var fillers: [Int32] = []
            for _ in 0..<4 {
                let filler = helio_stream_socket(socket.address.family)
                _ = unsafe socket.address.withSockaddr { unsafe helio_connect(filler, $0, $1) }
                fillers.append(filler)
            }
            self.fillers = fillers
            usleep(20_000)
        }

        deinit { for filler in fillers { close(filler) } }
    }

    @Test(arguments: ["127.0.0.1", "::1"]) func connectsOverTCP(host: String) throws {
        let listening = try ListeningSocket.bind(#require(SocketAddress(host: host, port: 0)), count: 1)[0]
        try withGroup { group in
            #expect(Self.reached(Self.connect(group[0], [listening.address])) == listening.address)
        }
    }

    @Test func connectsToAUnixSocket() throws {
        let address = try #require(SocketAddress(unixPath: temporaryPath()))
        let listening = try ListeningSocket.bind(address, count: 1)
        try withGroup { group in
            #expect(Self.reached(Self.connect(group[0], [address])) == address)
        }
        withExtendedLifetime(listening) {}
    }

    @Test func theSocketIsReadyForUseAndUnwatched() throws {
        let listening = try ListeningSocket.bind(localhost(), count: 1)[0]
        let sent = Shared<[Bool]>([])
        try withGroup { group in
            let loop = group[0]
            onLoop(loop) {
                final class Idle: EventSource {}
                Connector.connect(to: [listening.address], on: loop) { result in
                    guard case .success(let socket) = consume result else { return sent.change { $0 = [false] } }
                    let token = try? loop.watch(socket.descriptor, .connection, Idle())
                    let outcome = unsafe [UInt8(1)].withUnsafeBytes { unsafe socket.send($0) }
                    if let token { loop.forget(token) }
                    sent.change { $0 = [token != nil, outcome == .bytes(1)] }
                }
            }
            #expect(sent.wait { $0 == [true, true] })
        }
    }

    @Test func aRefusedPortIsAnErrorThatNamesTargetAndReason() throws {
        let address = try Self.refused()
        try withGroup { group in
            guard case .failure(let error) = Self.connect(group[0], [address]) else {
                Issue.record("connected")
                return
            }
            #expect(error.reason == .failed)
            #expect(error.attempts.map(\.error.code) == [ECONNREFUSED])
            #expect(error.description == "cannot connect to test:1: \(address): connect: Connection refused")
        }
    }

    @Test func aMissingUnixSocketIsAnError() throws {
        let address = try #require(SocketAddress(unixPath: temporaryPath()))
        try withGroup { group in
            guard case .failure(let error) = Self.connect(group[0], [address]) else {
                Issue.record("connected")
                return
            }
            #expect(error.attempts.map(\.error.code) == [ENOENT])
        }
    }

    @Test func noAddressIsAnError() throws {
        try withGroup { group in
            guard case .failure(let error) = Self.connect(group[0], []) else {
                Issue.record("connected")
                return
            }
            #expect(error.description == "cannot connect to test:1: it has no address")
        }
    }

    @Test func silenceEndsAtTheTimeout() throws {
        let hole = try BlackHole()
        try withGroup { group in
            let start = helio_monotonic_ns()
            let options = ConnectOptions(timeout: .milliseconds(120))
            guard case .failure(let error) = Self.connect(group[0], [hole.socket.address], options) else {
                Issue.record("connected")
                return
            }
            #expect(error.reason == .timedOut(.milliseconds(120)))
            #expect(helio_monotonic_ns() - start >= 119_000_000)
        }
    }

    @Test func familiesTakeTurnsBeginningWithIPv6() throws {
        let hosts = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "2001:db8::1", "2001:db8::2"]
        let addresses = try hosts.map { try #require(SocketAddress(host: $0, port: 1)) }
        #expect(
            Connector.interleaved(addresses).map(\.host)
                == ["2001:db8::1", "10.0.0.1", "2001:db8::2", "10.0.0.2", "10.0.0.3"])
        #expect(Connector.interleaved([]).isEmpty)
    }

    @Test func ipv6WinsWhenBothAnswer() throws {
        let six = try ListeningSocket.bind(#require(SocketAddress(host: "::1", port: 0)), count: 1)[0]
        let four = try ListeningSocket.bind(localhost(), count: 1)[0]
        try withGroup { group in
            #expect(Self.reached(Self.connect(group[0], [four.address, six.address])) == six.address)
        }
    }

    @Test func anAttemptThatFailsDoesNotLetTheNextWait() throws {
        let six = try Self.refused("::1")
        let four = try ListeningSocket.bind(localhost(), count: 1)[0]
        try withGroup { group in
            // With a delay as long as the timeout, only the failure can have started the second.
            let options = ConnectOptions(timeout: .seconds(5), attemptDelay: .seconds(60))
            #expect(Self.reached(Self.connect(group[0], [four.address, six], options)) == four.address)
        }
    }

    @Test func aSilentAttemptIsOvertakenAfterTheDelay() throws {
        let hole = try BlackHole("::1")
        let four = try ListeningSocket.bind(localhost(), count: 1)[0]
        try withGroup { group in
            let start = helio_monotonic_ns()
            let options = ConnectOptions(timeout: .seconds(5), attemptDelay: .milliseconds(60))
            #expect(
                Self.reached(Self.connect(group[0], [hole.socket.address, four.address], options)) == four.address)
            let elapsed = helio_monotonic_ns() - start
            #expect(elapsed >= 59_000_000 && elapsed < 4_000_000_000)
        }
    }

    @Test func cancelEndsItOnce() throws {
        let hole = try BlackHole()
        try withGroup { group in
            let loop = group[0]
            let outcome = Self.outcome(loop) { completion in
                let connector = Connector.connect(to: [hole.socket.address], on: loop, completion: completion)
                loop.schedule(after: .milliseconds(10)) {
                    connector.cancel()
                    connector.cancel()
                }
                return connector
            }
            guard case .failure(let error) = outcome else {
                Issue.record("connected")
                return
            }
            #expect(error.reason == .cancelled)
        }
    }

    @Test func theEndOfTheLoopCancels() throws {
        let hole = try BlackHole()
        let reasons = Shared<[ConnectError.Reason]>([])
        let group = try EventLoopGroup(threads: 1)
        onLoop(group[0]) {
            _ = Connector.connect(to: [hole.socket.address], on: group[0]) { result in
                if case .failure(let error) = consume result { reasons.change { $0.append(error.reason) } }
            }
        }
        group.stop()
        #expect(reasons.value == [.cancelled])
    }

    // MARK: Names

    @Test func resolvesANameAndConnects() throws {
        let listening = try ListeningSocket.bind(localhost(), count: 1)[0]
        let port = try #require(listening.address.port)
        let pool = BlockingPool()
        defer { pool.stop() }
        let resolver = Resolver(pool: pool)
        try withGroup { group in
            for host in ["localhost", "127.0.0.1"] {
                let outcome = Self.outcome(group[0]) {
                    Connector.connect(host: host, port: port, on: group[0], resolver: resolver, completion: $0)
                }
                #expect(Self.reached(outcome) == listening.address)
            }
        }
    }

    @Test(arguments: ["no-such-host.invalid", "", "a\0b"]) func anUnknownNameIsAnError(host: String) throws {
        let pool = BlockingPool()
        defer { pool.stop() }
        try withGroup { group in
            let outcome = Self.outcome(group[0]) {
                Connector.connect(host: host, port: 1, on: group[0], resolver: Resolver(pool: pool), completion: $0)
            }
            guard case .failure(let error) = outcome, case .unresolved(let cause) = error.reason else {
                Issue.record("resolved")
                return
            }
            #expect(cause.host == host)
            #expect(error.description.hasPrefix("cannot connect to \(host):1: cannot resolve \(host): "))
        }
    }

    @Test func numericHostsNeedNoThread() async throws {
        let pool = BlockingPool()
        let resolver = Resolver(pool: pool)
        let addresses = try await resolver.resolve(host: "::1", port: 9)
        #expect(addresses.map(\.description) == ["[::1]:9"])
        #expect(pool.threads == 0)
        let local = try await resolver.resolve(host: "localhost", port: 9)
        #expect(!local.isEmpty && local.allSatisfy { $0.isLoopback && $0.port == 9 })
        #expect(Set(local).count == local.count)
        pool.stop()
    }

    @Test func aPoolThatIsFullIsAnErrorOfTheName() throws {
        let pool = BlockingPool()
        pool.stop()
        try withGroup { group in
            let outcome = Self.outcome(group[0]) {
                Connector.connect(
                    host: "localhost", port: 1, on: group[0], resolver: Resolver(pool: pool), completion: $0)
            }
            guard case .failure(let error) = outcome, case .unresolved(let cause) = error.reason else {
                Issue.record("resolved")
                return
            }
            #expect(!cause.isUnknownHost)
        }
    }
}
