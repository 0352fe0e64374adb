import Testing

@testable import HelioTLS

@Suite("Session tickets")
struct SessionTicketTests {
    private let identity: Identity
    private let client: TLSContext

    init() throws {
        identity = try Identity.localhost.get()
        client = try TLSContext(client: TLSClientConfiguration(trust: .authorities(identity.chain)), now: testTime)
    }

    private func server(
        _ tickets: SessionTickets?, authentication: ClientAuthentication = .none,
        versions: ClosedRange<TLSVersion> = .tls12 ... .tls13
    ) throws -> TLSContext {
        var configuration = TLSConfiguration(certificates: [identity.certificate])
        configuration.sessionTickets = tickets
        configuration.clientAuthentication = authentication
        configuration.versions = versions
        return try TLSContext(server: configuration, now: testTime)
    }

    private func session(of server: TLSContext) throws -> TLSSession {
        let pair = TLSPair(client: client, server: server).connect()
        try #require(pair.isEstablished && !pair.client.isResumed)
        return try #require(pair.client.session)
    }

    private func resumes(_ session: TLSSession, on server: TLSContext) throws -> Bool {
        let pair = TLSPair(client: client, server: server, session: session).connect()
        try #require(pair.isEstablished)
        #expect(pair.client.isResumed == pair.server.isResumed)
        #expect(pair.server.negotiated("h2"))
        pair.toServer(try pair.client.sealed(bytes("hello")))
        #expect(pair.serverReceived == bytes("hello"))
        return pair.server.isResumed
    }

    @Test("A client with a ticket resumes", arguments: [TLSVersion.tls12, .tls13])
    func resumption(version: TLSVersion) throws {
        let server = try server(SessionTickets(), versions: version...version)
        let session = try session(of: server)
        #expect(try resumes(session, on: server))
    }

    @Test("A client resumes on another node that shares the keys, and on none that does not")
    func sharedKeys() throws {
        let tickets = SessionTickets()
        let session = try session(of: server(tickets))
        let other = SessionTickets()
        #expect(try !resumes(session, on: server(other)))
        try other.importKeys(tickets.exportKeys())
        #expect(try resumes(session, on: server(other)))
    }

    @Test("A ticket outlives the rotation of its key, until the key's time is over")
    func rotation() throws {
        let tickets = SessionTickets(lifetime: 100)
        let server = try server(tickets)
        let session = try session(of: server)
        tickets.rotate(now: 1_000)
        #expect(tickets.exportKeys().count == 160)
        #expect(try resumes(session, on: server))
        tickets.rotate(now: 1_099)
        #expect(try resumes(session, on: server))
        tickets.rotate(now: 1_100)
        #expect(try !resumes(session, on: server))
    }

    @Test("Many rotations keep the number of keys bounded, the newest first")
    func bounded() {
        let tickets = SessionTickets()
        let first = tickets.exportKeys()
        for _ in 0..<100 { tickets.rotate(now: 5) }
        let keys = tickets.exportKeys()
        #expect(keys.count == SessionTickets.maximumKeys * 80)
        let newest = Array(keys[..<80])
        tickets.rotate(now: 6)
        #expect(Array(tickets.exportKeys()[80..<160]) == newest)
        #expect(newest != first)
    }

    @Test("Without ticket keys there is no ticket", arguments: [TLSVersion.tls12, .tls13])
    func disabled(version: TLSVersion) throws {
        let pair = TLSPair(client: client, server: try server(nil, versions: version...version)).connect()
        #expect(pair.isEstablished)
        #expect(pair.client.session == nil)
    }

    @Test("A ticket is no way around client certificates that are asked for since")
    func policyChange() throws {
        let tickets = SessionTickets()
        let session = try session(of: server(tickets))
        let authorities = try Identity.client.get().chain
        #expect(try !resumes(session, on: server(tickets, authentication: .optional(authorities: authorities))))
    }

    @Test("A ticket outlives the replacement of its context, if the keys are kept")
    func replacedContext() throws {
        let tickets = SessionTickets()
        let session = try session(of: server(tickets))
        #expect(try resumes(session, on: server(tickets)))
    }

    @Test("Bytes that are not keys are refused, and the keys stay")
    func badImport() {
        let tickets = SessionTickets()
        let keys = tickets.exportKeys()
        for count in [0, 79, 81, 80 * 17] {
            let error = #expect(throws: TLSError.self) {
                try tickets.importKeys([UInt8](repeating: 1, count: count), source: "/keys")
            }
            #expect(error == .configuration(.ticketKeySize(count), source: "/keys"))
        }
        #expect(tickets.exportKeys() == keys)
    }

    @Test("Keys rotate while other threads make handshakes")
    func concurrentRotation() async throws {
        let tickets = SessionTickets()
        let context = try server(tickets)
        let client = client
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    (0..<20).allSatisfy { _ in TLSPair(client: client, server: context).connect().isEstablished }
                }
            }
            for now in 0..<200 { tickets.rotate(now: Int64(now)) }
            for await isFine in group { #expect(isFine) }
        }
    }
}
