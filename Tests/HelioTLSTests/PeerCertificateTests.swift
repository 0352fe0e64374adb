import Testing

@testable import HelioTLS

@Suite("Certificates of peers")
struct PeerCertificateTests {
    @Test("A client's certificate is there whole, verified", arguments: [TLSVersion.tls12, .tls13])
    func whole(version: TLSVersion) throws {
        let identity = try Identity.client.get()
        let pair = try TLSPair(
            server: { $0.clientAuthentication = .optional(authorities: identity.chain) },
            client: {
                $0.certificate = identity.certificate
                $0.versions = version...version
            }
        ).connect()
        let certificate = try #require(pair.server.peerCertificate)
        #expect(certificate.subject == "CN=client.test" && certificate.issuer == "CN=client.test")
        #expect(certificate.names == ["client.test"])
        #expect(certificate.isVerified)
        #expect(certificate.notAfter == identity.certificate.notAfter && certificate.notBefore < testTime)
        #expect(certificate.pem == String(decoding: identity.chain, as: UTF8.self))
        #expect(certificate.fingerprint.utf8.count == 64)
        #expect(certificate.serialNumber.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) })
        #expect(!certificate.serialNumber.isEmpty)
        // A certificate whose DER this is has the same PEM again.
        let again = try Certificate(chain: Array(certificate.pem.utf8), key: identity.key, now: testTime)
        #expect(again.notAfter == certificate.notAfter)
    }

    @Test("The server's certificate is the client's peer's, and not verified by one who trusts anyone")
    func servers() throws {
        let trusting = try TLSPair().connect()
        let certificate = try #require(trusting.client.peerCertificate)
        #expect(certificate.isVerified && certificate.names.contains("localhost"))
        let careless = try TLSPair(client: { $0.trust = .anyone }).connect()
        #expect(careless.client.peerCertificate?.isVerified == false)
        #expect(careless.client.peerCertificate?.fingerprint == certificate.fingerprint)
    }

    @Test("Without a certificate there is none")
    func none() throws {
        #expect(try TLSPair().connect().server.peerCertificate == nil)
    }
}
