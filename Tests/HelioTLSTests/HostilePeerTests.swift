import COpenSSL
import Testing

@testable import HelioTLS

@Suite("Hostile peers")
struct HostilePeerTests {
    private func faultOf(_ input: [UInt8]) throws -> (fault: TLSError?, alert: Int) {
        let pair = try TLSPair()
        pair.toServer(input)
        return (pair.serverError, pair.server.pendingOutput)
    }

    @Test(
        "HTTP without TLS is recognized",
        arguments: [
            "GET / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "OPTIONS * HTTP/1.1\r\n\r\n",
            "CONNECT a:1 HTTP/1.1\r\n",
        ])
    func plainHTTP(text: String) throws {
        #expect(try faultOf(bytes(text)).fault == .peer(.plainHTTP))
    }

    @Test("Bytes that are not TLS are told so")
    func garbage() throws {
        #expect(try faultOf(bytes("ssh-2.0 hello there")).fault == .peer(.notTLS))
        #expect(try faultOf([UInt8](repeating: 0, count: 64)).fault == .peer(.notTLS))
    }

    @Test("A broken hello in a good record is answered with an alert")
    func brokenHello() throws {
        let outcome = try faultOf([22, 3, 1, 0, 10, 1, 0, 0, 6, 3, 3, 1, 2, 3, 4])
        guard case .peer(.violation) = outcome.fault else {
            Issue.record("\(String(describing: outcome.fault))")
            return
        }
        #expect(outcome.alert == 7)
    }

    @Test("Random bytes never trap", arguments: 1...200)
    func random(seed: UInt64) throws {
        var random = SeededGenerator(state: seed)
        let pair = try TLSPair()
        if seed % 2 == 0 { pair.connect() }
        for _ in 0..<20 {
            var input = (0..<Int.random(in: 1...200, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            // Past the look at the first byte, as often as not.
            if seed % 3 == 0 { input = [UInt8.random(in: 20...24, using: &random), 3, 3, 0, 40] + input }
            pair.toServer(input)
        }
        #expect(pair.serverError != nil)
    }

    @Test("A client of TLS 1.2 cannot renegotiate, nor ask without end")
    func renegotiation() throws {
        let pair = try TLSPair(client: { $0.versions = .tls12 ... .tls12 }).connect()
        try #require(pair.isEstablished)
        let noRenegotiation = UInt64(1) << 30
        unsafe _ = SSL_clear_options(pair.client.raw, noRenegotiation)
        try #require(unsafe SSL_renegotiate(pair.client.raw) == 1)
        try pair.client.start()
        let hello = pair.client.takeAllOutput()
        try #require(hello.count > 50)
        pair.toServer(hello)
        // A warning, no handshake; the connection goes on.
        #expect(pair.server.pendingOutput == 31)
        #expect(pair.serverError == nil)
        pair.toClient(pair.server.takeAllOutput())
        #expect(pair.clientError != nil)
    }

    @Test("KeyUpdates are answered, up to the limit, which time refills")
    func keyUpdates() throws {
        let pair = try TLSPair(server: { $0.keyUpdateLimit = KeyUpdateLimit(burst: 3, perSecond: 1) }).connect()
        for _ in 0..<3 { try pair.update() }
        pair.toServer(try pair.client.sealed(bytes("fine")))
        #expect(pair.serverReceived == bytes("fine"))
        pair.toClient(try pair.server.sealed(bytes("fine too")))
        #expect(pair.clientReceived == bytes("fine too"))
        pair.now += 1_000_000_000
        try pair.update()
        #expect(pair.serverError == nil)
        try pair.update()
        #expect(pair.serverError == .peer(.tooManyKeyUpdates))
    }

    @Test("A flood of KeyUpdates in one receive is cut off at the limit")
    func keyUpdateFlood() throws {
        let pair = try TLSPair().connect()
        var flood: [UInt8] = []
        for _ in 0..<1_000 {
            unsafe _ = SSL_key_update(pair.client.raw, SSL_KEY_UPDATE_REQUESTED)
            try pair.client.start()
            flood += pair.client.takeAllOutput()
        }
        pair.toServer(flood)
        #expect(pair.serverError == .peer(.tooManyKeyUpdates))
        // Nine answers of 27 bytes at most, and the close.
        #expect(pair.server.pendingOutput < 10 * 27 + 30)
        #expect(pair.server.pendingOutput > 0)
    }
}

extension TLSPair {
    /// The client asks for new keys in both directions.
    func update() throws {
        try #require(unsafe SSL_key_update(client.raw, SSL_KEY_UPDATE_REQUESTED) == 1)
        try client.start()
        pump()
    }
}
