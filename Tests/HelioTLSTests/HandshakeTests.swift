import Testing

@testable import HelioTLS

@Suite("Handshakes")
struct HandshakeTests {
    @Test("Both versions carry plaintext both ways", arguments: [TLSVersion.tls12, .tls13])
    func versions(version: TLSVersion) throws {
        let pair = try TLSPair(client: { $0.versions = version...version }).connect()
        try #require(pair.isEstablished)
        #expect(pair.server.version == (version == .tls12 ? "TLSv1.2" : "TLSv1.3"))
        #expect(pair.server.cipher.contains("AES_128_GCM") || pair.server.cipher.contains("AES128-GCM"))
        #expect(pair.server.serverName == "localhost")
        #expect(!pair.server.isResumed)
        pair.toServer(try pair.client.sealed(bytes("question")))
        pair.toClient(try pair.server.sealed(bytes("answer")))
        #expect(pair.serverReceived == bytes("question"))
        #expect(pair.clientReceived == bytes("answer"))
    }

    @Test("Versions without overlap are told apart from other faults")
    func noSharedVersion() throws {
        let pair = try TLSPair(server: { $0.versions = .tls13 ... .tls13 }, client: { $0.versions = .tls12 ... .tls12 })
        pair.connect()
        #expect(pair.serverError == .peer(.noSharedVersion))
        #expect(pair.clientError == .peer(.alert("protocol version")))
    }

    @Test("Ciphers without overlap are told apart from other faults")
    func noSharedCipher() throws {
        let pair = try TLSPair(client: {
            $0.versions = .tls12 ... .tls12
            $0.cipherList = "AES128-SHA"
        })
        pair.connect()
        #expect(pair.serverError == .peer(.noSharedCipher))
        #expect(pair.clientError == .peer(.alert("handshake failure")))
    }

    @Test("The server chooses the application protocol by its own preference")
    func protocols() throws {
        let pair = try TLSPair(server: { $0.alpn = ["h2", "http/1.1"] }, client: { $0.alpn = ["http/1.1", "h2"] })
        pair.connect()
        #expect(pair.server.negotiatedProtocol == "h2")
        #expect(pair.client.negotiatedProtocol == "h2")
        #expect(pair.server.negotiated("h2"))
        #expect(!pair.server.negotiated("http/1.1"))
    }

    @Test("Without a protocol in common the client gets the alert no_application_protocol")
    func noSharedProtocol() throws {
        let pair = try TLSPair(client: { $0.alpn = ["http/1.1"] }).connect()
        #expect(pair.serverError == .peer(.noSharedProtocol))
        #expect(pair.clientError == .peer(.alert("no application protocol")))
        #expect(!pair.server.isHandshakeComplete)
    }

    @Test("A client that offers no application protocol is let in")
    func withoutALPN() throws {
        let pair = try TLSPair(client: { $0.alpn = [] }).connect()
        #expect(pair.isEstablished)
        #expect(pair.server.negotiatedProtocol == nil)
        #expect(!pair.server.negotiated("h2"))
    }

    @Test("A client refuses a server that it does not trust", arguments: [TLSVersion.tls12, .tls13])
    func untrusted(version: TLSVersion) throws {
        let stranger = try Identity(["localhost"])
        let pair = try TLSPair(client: {
            $0.trust = .authorities(stranger.chain)
            $0.versions = version...version
        })
        pair.connect()
        guard case .peer(.certificateRejected) = pair.clientError else {
            Issue.record("\(String(describing: pair.clientError))")
            return
        }
        #expect(pair.serverError == .peer(.alert("unknown CA")))
    }

    @Test("A client refuses a certificate for another name, and takes one for the address it asked for")
    func names() throws {
        let identity = try Identity.localhost.get()
        let server = try TLSContext(server: TLSConfiguration(certificates: [identity.certificate]), now: testTime)
        let trusting = TLSClientConfiguration(trust: .authorities(identity.chain))
        let client = try TLSContext(client: trusting, now: testTime)
        let wrong = TLSPair(client: client, server: server, serverName: "example.org").connect()
        #expect(wrong.clientError == .peer(.certificateRejected("hostname mismatch")))
        let address = TLSPair(client: client, server: server, serverName: "127.0.0.1").connect()
        #expect(address.isEstablished)
        #expect(address.server.serverName == nil)
        let wrongAddress = TLSPair(client: client, server: server, serverName: "127.0.0.2").connect()
        #expect(wrongAddress.clientError == .peer(.certificateRejected("IP address mismatch")))
    }

    @Test("A context is replaced while engines of the old one live on")
    func replacedContext() throws {
        let identity = try Identity.localhost.get()
        let client = try TLSContext(client: TLSClientConfiguration(trust: .anyone), now: testTime)
        var server: TLSContext? = try TLSContext(
            server: TLSConfiguration(certificates: [identity.certificate]), now: testTime)
        let io = TLSRecordIO()
        let old = TLSPair(client: client, server: try #require(server), io: io).connect()
        weak let observed = server
        let renewed = try Identity(["renewed.test"])
        server = try TLSContext(server: TLSConfiguration(certificates: [renewed.certificate]), now: testTime)
        #expect(observed != nil)
        let new = TLSPair(client: client, server: try #require(server), io: io).connect()
        #expect(new.client.peerCertificateNames == ["renewed.test"])
        #expect(old.client.peerCertificateNames == ["localhost", "127.0.0.1"])
        old.toServer(try old.client.sealed(bytes("still here")))
        #expect(old.serverReceived == bytes("still here"))
    }
}
