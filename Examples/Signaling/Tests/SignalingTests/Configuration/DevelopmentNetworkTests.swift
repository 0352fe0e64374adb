import Testing

@testable import signaling

@Suite struct DevelopmentNetworkTests {
    @Test func `each link has a token of its own, and each run another key and room`() async throws {
        let network = DevelopmentNetwork(addresses: ["192.0.2.7", "2001:db8::7"])
        let links = try await network.links(port: 8443, issuer: "signaling", audience: "signaling", seconds: 1000)
        let places = links.map { $0.split(separator: "#").first.map(String.init) ?? "" }
        #expect(places == ["https://localhost:8443/", "https://192.0.2.7:8443/", "https://[2001:db8::7]:8443/"])
        #expect(links.allSatisfy { $0.contains("/#\(network.room)?token=ey") } && Set(links).count == 3)
        let other = DevelopmentNetwork(addresses: [])
        #expect(other.room != network.room && !other.secret.matches(network.secret.bytes))
    }

    @Test func `a reload keeps the key of the run`() throws {
        let sources = ConfigurationSources(flags: ["dev-lan": ["true"]])
        var loaded = try sources.load()
        let secret = try #require(loaded.values.access.runSecret)
        _ = loaded.update(from: try sources.load())
        #expect(loaded.values.access.runSecret?.matches(secret.bytes) == true)
    }
}
