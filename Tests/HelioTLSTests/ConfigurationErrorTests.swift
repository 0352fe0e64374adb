import COpenSSL
import Testing

@testable import HelioTLS

@Suite("Configuration errors")
struct ConfigurationErrorTests {
    private let identity: Identity
    private let day: Int64 = 86_400

    init() throws { identity = try Identity.localhost.get() }

    private func error(
        chain: [UInt8]? = nil, key: [UInt8]? = nil, passphrase: [UInt8]? = nil, now: Int64 = testTime
    ) -> TLSError? {
        do throws(TLSError) {
            _ = try Certificate(
                chain: chain ?? identity.chain, key: key ?? identity.key, chainSource: "/etc/tls/chain.pem",
                keySource: "/etc/tls/key.pem", passphrase: passphrase, now: now)
            return nil
        } catch { return error }
    }

    private func expect(_ error: TLSError?, says parts: String..., at location: SourceLocation = #_sourceLocation) {
        let text = error?.description ?? "no error"
        for part in parts { #expect(text.contains(part), "\(text)", sourceLocation: location) }
    }

    private func encrypted(_ passphrase: String) throws -> [UInt8] {
        try unsafe withMemoryBIO { bio in
            let handle = unsafe identity.certificate.handles.key
            let secret = Array(passphrase.utf8CString)
            unsafe _ = PEM_write_bio_PKCS8PrivateKey(
                bio, handle, EVP_aes_256_cbc(), secret, Int32(secret.count - 1), nil, nil)
            return unsafe memoryBIOBytes(bio)
        }
    }

    @Test("A key of another certificate")
    func mismatch() throws {
        let other = try Identity(["other.test"])
        let error = error(key: other.key)
        #expect(
            error
                == .configuration(
                    .keyMismatch(certificate: "localhost in /etc/tls/chain.pem"), source: "/etc/tls/key.pem"))
        expect(error, says: "/etc/tls/key.pem", "/etc/tls/chain.pem", "does not match", "give the key")
    }

    @Test("A certificate whose time is over, or has not begun")
    func time() throws {
        let made = try Certificate.selfSigned(names: ["localhost"], now: testTime, validDays: 10)
        let late = error(chain: made.chain, key: made.key, now: testTime + 11 * day)
        #expect(
            late
                == .configuration(
                    .expired(subject: "localhost", notAfter: testTime + 10 * day), source: "/etc/tls/chain.pem"))
        expect(late, says: "/etc/tls/chain.pem", "expired at 2026-06-07 20:26:40 UTC", "renew")
        let early = error(chain: made.chain, key: made.key, now: testTime - day)
        expect(early, says: "/etc/tls/chain.pem", "valid from 2026-05-28 19:26:40 UTC", "clock")
        #expect(error(chain: made.chain, key: made.key, now: testTime + 9 * day) == nil)
    }

    @Test("A context looks at the time of its certificates again")
    func contextTime() throws {
        let made = try Certificate.selfSigned(names: ["localhost"], now: testTime, validDays: 10)
        let certificate = try Certificate(chain: made.chain, key: made.key, chainSource: "/c", now: testTime)
        #expect(certificate.notAfter == testTime + 10 * day)
        #expect(throws: TLSError.self) {
            try TLSContext(server: TLSConfiguration(certificates: [certificate]), now: testTime + 11 * day)
        }
    }

    @Test("An encrypted key, with and without its passphrase")
    func passphrases() throws {
        let key = try encrypted("secret")
        #expect(error(key: key, passphrase: bytes("secret")) == nil)
        let without = error(key: key)
        #expect(without == .configuration(.passphraseMissing, source: "/etc/tls/key.pem"))
        expect(without, says: "encrypted", "passphrase")
        let wrong = error(key: key, passphrase: bytes("guess"))
        #expect(wrong == .configuration(.passphraseWrong, source: "/etc/tls/key.pem"))
        #expect(error(key: key, passphrase: []) == .configuration(.passphraseWrong, source: "/etc/tls/key.pem"))
        let long = [UInt8](repeating: 65, count: 5_000)
        #expect(error(key: key, passphrase: long) == .configuration(.passphraseWrong, source: "/etc/tls/key.pem"))
    }

    @Test("Input that is not PEM, or not of the right kind")
    func notPEM() {
        let noChain = error(chain: bytes("hello"))
        #expect(noChain == .configuration(.notPEM(expected: "certificate"), source: "/etc/tls/chain.pem"))
        expect(noChain, says: "-----BEGIN CERTIFICATE-----")
        let noKey = error(key: bytes("hello"))
        #expect(noKey == .configuration(.notPEM(expected: "private key"), source: "/etc/tls/key.pem"))
        // The two given the wrong way round.
        #expect(
            error(chain: identity.key) == .configuration(.notPEM(expected: "certificate"), source: "/etc/tls/chain.pem")
        )
        #expect(
            error(key: identity.chain) == .configuration(.notPEM(expected: "private key"), source: "/etc/tls/key.pem"))
    }

    @Test("No certificate at all")
    func empty() {
        #expect(error(chain: []) == .configuration(.emptyChain, source: "/etc/tls/chain.pem"))
        #expect(error(chain: bytes(" \n")) == .configuration(.emptyChain, source: "/etc/tls/chain.pem"))
        #expect(throws: TLSError.configuration(.emptyChain, source: "configuration")) {
            try TLSContext(server: TLSConfiguration(certificates: []), now: testTime)
        }
    }

    @Test("PEM that is cut short")
    func truncated() {
        for input in [identity.chain, identity.key] {
            let half = Array(input.prefix(input.count / 2))
            let error = input == identity.chain ? error(chain: half) : error(key: half)
            guard case .configuration(.refused, _) = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
    }

    @Test("Settings that OpenSSL refuses are named")
    func settings() throws {
        var configuration = TLSConfiguration(certificates: [identity.certificate])
        configuration.cipherList = "NOTHING"
        expect(contextError(configuration), says: "cipherList NOTHING", "no cipher match")
        configuration = TLSConfiguration(certificates: [identity.certificate])
        configuration.alpn = [""]
        #expect(contextError(configuration) == .configuration(.invalidProtocol(""), source: "configuration"))
        configuration = TLSConfiguration(certificates: [identity.certificate])
        configuration.clientAuthentication = .required(authorities: bytes("x"), source: "/ca.pem")
        #expect(contextError(configuration) == .configuration(.notPEM(expected: "certificate"), source: "/ca.pem"))
    }

    private func contextError(_ configuration: TLSConfiguration) -> TLSError? {
        do throws(TLSError) {
            _ = try TLSContext(server: configuration, now: testTime)
            return nil
        } catch { return error }
    }

    @Test("A self-signed certificate has the names it was made for, and no others")
    func selfSigned() throws {
        let names = ["localhost", "*.dev.test", "127.0.0.1", "::1"]
        let made = try Certificate.selfSigned(names: names, now: testTime, validDays: 30)
        let certificate = try Certificate(chain: made.chain, key: made.key, now: testTime)
        #expect(certificate.names == ["localhost", "*.dev.test", "127.0.0.1", "0:0:0:0:0:0:0:1"])
        #expect(certificate.source == "memory")
        for name in ["", "a,DNS:b", "a b", "a..b", "-\0-", "ümlaut", "*.*.a", "a*", "*"] {
            #expect(throws: TLSError.configuration(.invalidName(name), source: "names")) {
                try Certificate.selfSigned(names: ["ok", name], now: testTime, validDays: 30)
            }
        }
        #expect(throws: TLSError.self) { try Certificate.selfSigned(names: [], now: testTime, validDays: 30) }
    }

    @Test("Every error leaves nothing for the next call of OpenSSL to find")
    func cleanQueue() throws {
        _ = error(chain: bytes("hello"))
        _ = error(key: bytes("hello"))
        _ = error(key: try Identity(["other.test"]).key)
        _ = error(key: try encrypted("x"))
        #expect(ERR_peek_error() == 0)
        #expect(error() == nil)
        #expect(ERR_peek_error() == 0)
    }

    @Test(
        "Times are written as people read them",
        arguments: [
            (0, "1970-01-01 00:00:00 UTC"), (951_782_399, "2000-02-28 23:59:59 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"), (-1, "1969-12-31 23:59:59 UTC"),
        ] as [(Int64, String)])
    func civilTime(seconds: Int64, text: String) {
        #expect(CivilTime.text(seconds) == text)
    }
}
