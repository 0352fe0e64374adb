import COpenSSL
import Testing

@testable import HelioTLS

@Suite("Certificates by server name")
struct CertificateSelectionTests {
    private static func names(
        of server: TLSContext, asked: String?, change: (inout TLSClientConfiguration) -> Void = { _ in },
        signatures: String? = nil
    ) throws -> [String] {
        var configuration = TLSClientConfiguration(trust: .anyone)
        change(&configuration)
        let pair = TLSPair(
            client: try TLSContext(client: configuration, now: testTime), server: server, serverName: asked)
        if let signatures {
            var text = Array(signatures.utf8CString)
            unsafe _ = SSL_ctrl(pair.client.raw, SSL_CTRL_SET_SIGALGS_LIST, 0, &text)
        }
        pair.connect()
        try #require(pair.isEstablished)
        return pair.client.peerCertificateNames
    }

    @Test("Exact names go before wildcards, and the first certificate is the default")
    func byName() throws {
        let identities = try [["a.test", "www.a.test"], ["*.b.test"], ["special.b.test"]].map { try Identity($0) }
        let server = try TLSContext(
            server: TLSConfiguration(certificates: identities.map(\.certificate)), now: testTime)
        #expect(try Self.names(of: server, asked: "www.a.test") == ["a.test", "www.a.test"])
        #expect(try Self.names(of: server, asked: "any.b.test") == ["*.b.test"])
        #expect(try Self.names(of: server, asked: "ANY.B.Test") == ["*.b.test"])
        #expect(try Self.names(of: server, asked: "special.b.test") == ["special.b.test"])
        for unknown in ["b.test", "two.labels.b.test", "unknown.test", nil] {
            #expect(try Self.names(of: server, asked: unknown) == ["a.test", "www.a.test"])
        }
    }

    @Test("A client that verifies is content with the certificate of each name")
    func verified() throws {
        let a = try Identity(["a.test"])
        let b = try Identity(["*.b.test"])
        let server = try TLSContext(
            server: TLSConfiguration(certificates: [a.certificate, b.certificate]), now: testTime)
        let client = try TLSContext(
            client: TLSClientConfiguration(trust: .authorities(a.chain + b.chain)), now: testTime)
        for name in ["a.test", "x.b.test"] {
            let pair = TLSPair(client: client, server: server, serverName: name).connect()
            #expect(pair.isEstablished)
            #expect(pair.server.serverName == name)
            #expect(pair.server.negotiated("h2"))
        }
    }

    @Test("One name has an ECDSA and an RSA certificate; the client's abilities choose")
    func twoKeys() throws {
        let other = try Identity(["other.test"])
        let ecdsa = try Identity(["both.test", "ecdsa"])
        let rsa = try Identity(["both.test", "rsa"], key: .rsa2048)
        let server = try TLSContext(
            server: TLSConfiguration(certificates: [other, rsa, ecdsa].map(\.certificate)), now: testTime)
        #expect(try Self.names(of: server, asked: "both.test").last == "ecdsa")
        #expect(try Self.names(of: server, asked: "both.test", signatures: "rsa_pss_rsae_sha256").last == "rsa")
        let old: (inout TLSClientConfiguration) -> Void = {
            $0.versions = .tls12 ... .tls12
            $0.cipherList = "ECDHE-RSA-AES128-GCM-SHA256"
        }
        #expect(try Self.names(of: server, asked: "both.test", change: old).last == "rsa")
        #expect(try Self.names(of: server, asked: "rsa").last == "rsa")
        #expect(try Self.names(of: server, asked: "nobody") == ["other.test"])
    }

    @Test("The whole chain is sent, each with its own certificate")
    func chain() throws {
        let ecdsa = try Identity(["localhost"])
        let rsa = try Identity(["localhost"], key: .rsa2048)
        let issuer = try Identity(["issuer.test"])
        let certificates = [
            try Certificate(chain: rsa.chain + issuer.chain, key: rsa.key, now: testTime),
            try Certificate(chain: ecdsa.chain + issuer.chain + rsa.chain, key: ecdsa.key, now: testTime),
        ]
        let server = try TLSContext(server: TLSConfiguration(certificates: certificates), now: testTime)
        for (ciphers, length) in [("ECDHE-RSA-AES128-GCM-SHA256", 2), ("ECDHE-ECDSA-AES128-GCM-SHA256", 3)] {
            var configuration = TLSClientConfiguration(trust: .anyone)
            configuration.versions = .tls12 ... .tls12
            configuration.cipherList = ciphers
            let client = try TLSContext(client: configuration, now: testTime)
            let pair = TLSPair(client: client, server: server).connect()
            let sent = unsafe SSL_get_peer_cert_chain(pair.client.raw)
            #expect(unsafe OPENSSL_sk_num(sent) == length)
        }
    }

    @Test("The sets of certificates: the first of a name and type of key wins")
    func sets() {
        let sets = CertificateSets([
            (["a", "b"], 1), (["a"], 2), (["b", "c"], 1), (["a"], 1), (["*.w"], 2),
        ])
        #expect(sets.sets[0] == [0, 1])
        #expect(sets["a"] == 0)
        #expect(sets["A."] == 0)
        #expect(sets["b"].map { sets.sets[$0] } == [0])
        #expect(sets["c"].map { sets.sets[$0] } == [2])
        #expect(sets["x.w"].map { sets.sets[$0] } == [4])
        #expect(sets["w"] == nil)
        #expect(sets[".w"] == nil)
        #expect(sets[""] == nil)
    }
}

@Suite("Mutual TLS")
struct MutualTLSTests {
    private func pair(
        _ authentication: ClientAuthentication, certificate: Certificate?, version: TLSVersion = .tls13
    ) throws -> TLSPair {
        try TLSPair(
            server: { $0.clientAuthentication = authentication },
            client: {
                $0.certificate = certificate
                $0.versions = version...version
            }
        ).connect()
    }

    @Test("A certificate that the authorities signed is let in and named", arguments: [TLSVersion.tls12, .tls13])
    func accepted(version: TLSVersion) throws {
        let identity = try Identity.client.get()
        let pair = try pair(
            .required(authorities: identity.chain), certificate: identity.certificate, version: version)
        #expect(pair.isEstablished)
        #expect(pair.server.peerCertificateSubject == "CN=client.test")
        #expect(pair.server.peerCertificateNames == ["client.test"])
    }

    @Test("A client without a certificate is refused where one is required", arguments: [TLSVersion.tls12, .tls13])
    func missing(version: TLSVersion) throws {
        let identity = try Identity.client.get()
        let pair = try pair(.required(authorities: identity.chain), certificate: nil, version: version)
        #expect(pair.serverError == .peer(.certificateMissing))
        let alert = version == .tls13 ? "certificate required" : "handshake failure"
        #expect(pair.clientError == .peer(.alert(alert)))
        #expect(!pair.server.isHandshakeComplete)
    }

    @Test("A certificate that nobody knows is refused, also where none is required")
    func stranger() throws {
        let identity = try Identity.client.get()
        let stranger = try Identity(["client.test"], usage: "clientAuth")
        for authentication in [
            ClientAuthentication.required(authorities: identity.chain), .optional(authorities: identity.chain),
        ] {
            let pair = try pair(authentication, certificate: stranger.certificate)
            guard case .peer(.certificateRejected) = pair.serverError else {
                Issue.record("\(String(describing: pair.serverError))")
                continue
            }
        }
    }

    @Test("A certificate for servers does not let a client in")
    func wrongUsage() throws {
        let identity = try Identity.localhost.get()
        let pair = try pair(.required(authorities: identity.chain), certificate: identity.certificate)
        guard case .peer(.certificateRejected) = pair.serverError else {
            Issue.record("\(String(describing: pair.serverError))")
            return
        }
    }

    @Test("Where it is optional, a client without a certificate is let in")
    func optional() throws {
        let identity = try Identity.client.get()
        let without = try pair(.optional(authorities: identity.chain), certificate: nil)
        #expect(without.isEstablished)
        #expect(without.server.peerCertificateSubject == nil)
        let with = try pair(.optional(authorities: identity.chain), certificate: identity.certificate)
        #expect(with.server.peerCertificateSubject == "CN=client.test")
    }

    @Test("A client that is asked for nothing says nothing")
    func notAsked() throws {
        let pair = try pair(.none, certificate: try Identity.client.get().certificate)
        #expect(pair.isEstablished)
        #expect(pair.server.peerCertificateSubject == nil)
    }
}
