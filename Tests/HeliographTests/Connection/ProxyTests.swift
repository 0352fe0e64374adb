import HeliographTesting
import Testing

@testable import Heliograph

/// A connection that a proxy's header comes first on, in memory.
@Suite("Connections from a proxy")
struct ProxyTests {
    private let handler = RecordingHandler()

    private func peer(isSecure: Bool = true, limits: Limits = Limits()) throws -> MemoryPeer {
        try MemoryPeer(
            handler: handler, isSecure: isSecure, limits: limits, options: ConnectionOptions(takesProxyHeader: true))
    }

    @Test("A header, then the protocol, in any cut", arguments: [true, false], [1, 7, 28, 29, Int.max])
    func header(isSecure: Bool, cut: Int) throws {
        let peer = try peer(isSecure: isSecure)
        let stream = peer.client.request("GET", "/hello")
        let first = try ProxyBytes.binary(fields: [(0x02, Array("a.example".utf8))]) + peer.clientOutput()
        peer.deliver(first) { min($0, cut) }
        try peer.exchange()
        #expect(peer.client[stream].text == "Hello, World!")
        let header = try #require(peer.core.proxy?.header)
        #expect(header.source?.description == "192.0.2.1:56324" && header.authority == "a.example")
        #expect(peer.resources.counters.proxyRefusals == 0)
    }

    @Test("Without a header nothing is answered, and the connection ends", arguments: [true, false])
    func missing(isSecure: Bool) throws {
        let peer = try peer(isSecure: isSecure)
        peer.client.request("GET", "/hello")
        peer.deliver(try peer.clientOutput())
        #expect(peer.core.isFinished)
        #expect(peer.drainOnce().isEmpty)
        #expect(peer.core.proxy?.error == .missing)
        #expect(peer.resources.counters.proxyRefusals == 1)
        #expect(peer.resources.counters.handshakeFailures == 0)
        #expect(handler.events.isEmpty)
    }

    @Test("A header that is too long is counted by its limit")
    func length() throws {
        var limits = Limits()
        limits.maxProxyHeader = 20
        let peer = try peer(limits: limits)
        peer.deliver(ProxyBytes.binary(fields: [(0x04, [UInt8](repeating: 0, count: 6))]))
        #expect(peer.core.isFinished)
        #expect(peer.resources.counters.limitsTripped == [.proxyHeader: 1])
        #expect(peer.resources.counters.proxyRefusals == 1)
    }

    @Test("A header that takes too long ends the connection; one that came in time gives TLS its own time")
    func timeouts() throws {
        var limits = Limits()
        limits.proxyHeaderTimeout = .seconds(3)
        let late = try peer(limits: limits)
        late.deliver(Array(ProxyBytes.binary().dropLast()))
        #expect(late.core.nextDeadline(now: late.clock.now) == late.clock.now + 3_000_000_000)
        late.advance(by: .milliseconds(2_999))
        #expect(!late.core.isFinished)
        late.advance(by: .milliseconds(1))
        #expect(late.core.isFinished)
        #expect(late.resources.counters.limitsTripped == [.proxyHeaderTimeout: 1])

        let early = try peer(limits: limits)
        early.advance(by: .milliseconds(2_000))
        early.deliver(ProxyBytes.binary())
        #expect(early.core.isHandshaking)
        early.advance(by: .milliseconds(9_999))
        #expect(!early.core.isFinished)
        early.advance(by: .milliseconds(1))
        #expect(early.resources.counters.limitsTripped == [.handshakeTimeout: 1])
        #expect(early.resources.counters.handshakeFailures == 1)
    }

    @Test("Where none is required a header is a fault of the protocol")
    func unexpected() throws {
        let peer = try MemoryPeer(handler: handler)
        peer.deliver(ProxyBytes.binary())
        #expect(peer.core.fault != nil)
        #expect(peer.core.proxy == nil)
    }
}

extension LiveTests {
    @Suite struct ProxyEndpointTests {
        private func start(_ trusted: [AddressRange]) throws -> LiveServer {
            try LiveServer.start(isSecure: false) { configuration in
                configuration.endpoints[0].proxyProtocol = .required(from: trusted)
            } makeHandler: { _ in
                ClosureHandler { exchange in
                    let connection = exchange.connection
                    let proxy = connection?.proxyAddress?.host ?? "none"
                    exchange.respond(
                        .ok, contentType: "text/plain",
                        "\(connection?.peerAddress?.description ?? "none") \(connection?.peerHost ?? "none") \(proxy)")
                }
            }
        }

        @Test func handlersSeeTheClientAndTheProxy() async throws {
            let live = try start(AddressRange.loopback)
            for (header, expected) in [
                (ProxyBytes.binary(), "192.0.2.1:56324 192.0.2.1 127.0.0.1"),
                (ProxyBytes.line("PROXY TCP6 2001:db8::1 ::1 1 2"), "[2001:db8::1]:1 2001:db8::1 127.0.0.1"),
            ] {
                let client = try live.connect()
                client.sendRaw(header)
                #expect(try client.get("/").text == expected)
            }
            let client = try live.connect()
            client.sendRaw(ProxyBytes.binary(command: 0x20, family: 0, addresses: []))
            let own = try client.get("/").text
            #expect(own.hasPrefix("127.0.0.1:") && own.hasSuffix(" 127.0.0.1 127.0.0.1"))
            await live.server.stop(within: .zero)
        }

        @Test func anyoneElseIsClosedAndCountedAndLoggedOnce() async throws {
            let live = try start([try #require(AddressRange("192.0.2.0/24"))])
            for _ in 0..<3 {
                let client = try live.connect()
                client.sendRaw(ProxyBytes.binary())
                try client.run { $0.isClosed }
                #expect(client.isClosed)
            }
            let snapshot = try await live.snapshot()
            #expect(snapshot.connections.proxyRefusals == 3 && snapshot.connections.accepted == 0)
            #expect(live.log.lines.filter { $0.hasPrefix("warning") }.count == 1)
            await live.server.stop(within: .zero)
        }

        @Test func aClientThatComesPastTheProxyIsClosed() async throws {
            let live = try start(AddressRange.loopback)
            let client = try live.connect()
            client.http.request("GET", "/")
            try client.run { $0.isClosed }
            #expect(client.isClosed)
            #expect(try await live.settled { $0.connections.proxyRefusals == 1 } != nil)
            client.close()
            #expect(try await live.settled { $0.connections.open == 0 } != nil)
            #expect(live.log.lines.contains { $0.contains("does not begin with a PROXY header") })
            await live.server.stop(within: .zero)
        }
    }
}
