import Testing

@testable import signaling

@Suite struct KeySetSourceTests {
    @Test(arguments: [
        "http://issuer.example/keys", "https://", "https://a b/", "http://127.0.0.1.evil/", "http://localhost.evil/",
        "http://user@127.0.0.1/",
    ])
    func `keys come over TLS only, but on loopback`(url: String) {
        let sources = ConfigurationSources(flags: ["token-jwks": [url]])
        #expect(throws: ConfigurationError.self) { try sources.load() }
    }

    @Test(arguments: [
        "https://issuer.example/keys", "http://127.0.0.1:1/keys", "http://[::1]/keys", "http://localhost/",
    ])
    func `a URL of keys is told from a file`(url: String) throws {
        let access = try ConfigurationSources(flags: ["token-jwks": [url], "token-jwks-age": ["5m"]]).load().values
            .access
        #expect(access.keySource?.url == url && access.keySource?.maxAge == .seconds(300))
        let file = try ConfigurationSources(flags: ["token-jwks": ["/etc/keys.json"]]).load().values.access
        #expect(file.keySource == nil && file.hasKeys)
    }

    @Test(
        arguments: [
            (nil, nil, 3600), ("public", nil, 3600), ("max-age=60", nil, 60), ("public, MAX-AGE=\"60\" ", nil, 60),
            ("max-age=60", "20", 40), ("max-age=60", "100", 10), ("max-age=1", nil, 10), ("max-age=0", nil, 10),
            ("max-age=86400", nil, 3600), ("max-age=60, no-cache", nil, 10), ("no-store", nil, 10),
            ("max-age=99999999999999999999", nil, 3600), ("max-age=9223372036854775807", nil, 3600),
            ("max-age=60", "-9223372036854775808", 60), ("max-age=x, max-age", nil, 3600),
            ("max-age=-9223372036854775808", "5", 10),
        ] as [(String?, String?, Int)])
    func `keys are fresh as their answer says, within bounds`(cacheControl: String?, age: String?, seconds: Int) {
        let source = KeySetSource(url: "https://issuer.example/")
        #expect(source.freshness(cacheControl: cacheControl, age: age) == .seconds(seconds))
    }
}
