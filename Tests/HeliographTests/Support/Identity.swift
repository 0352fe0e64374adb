import Foundation
import HelioTLS
import Heliograph

/// A certificate for localhost with its PEM, made for these tests.
struct Identity: Sendable {
    let chain: [UInt8]
    let key: [UInt8]
    let certificate: Certificate

    init(names: [String] = ["localhost", "127.0.0.1", "::1"]) throws {
        let now = Int64(Date().timeIntervalSince1970)
        (chain, key) = try Certificate.selfSigned(names: names, now: now, validDays: 30)
        certificate = try Certificate(chain: chain, key: key, now: now)
    }

    static let made = Result { try Identity() }
    static var shared: Identity { get throws { try made.get() } }

    var configuration: TLSConfiguration { TLSConfiguration(certificates: [certificate]) }

    func serverContext(_ change: (inout TLSConfiguration) -> Void = { _ in }) throws -> TLSContext {
        var configuration = configuration
        change(&configuration)
        return try TLSContext(server: configuration, now: Int64(Date().timeIntervalSince1970))
    }

    /// - Parameters:
    ///   - versions: of TLS.
    ///   - offers: the protocols, by ALPN.
    func clientContext(
        versions: ClosedRange<TLSVersion> = .tls12 ... .tls13, offers: [String] = ["h2"]
    ) throws -> TLSContext {
        var configuration = TLSClientConfiguration(trust: .authorities(chain))
        configuration.alpn = offers
        configuration.versions = versions
        return try TLSContext(client: configuration, now: Int64(Date().timeIntervalSince1970))
    }

    /// Writes both files into a directory of the test's own.
    func write(to directory: TemporaryDirectory) throws -> (chain: String, key: String) {
        let paths = (chain: directory.path + "/chain.pem", key: directory.path + "/key.pem")
        try Data(chain).write(to: URL(fileURLWithPath: paths.chain))
        try Data(key).write(to: URL(fileURLWithPath: paths.key))
        return paths
    }
}

/// A directory that goes with the test.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("helio-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A small generator whose numbers are the same in each run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

/// Bytes in which each place can be told from its neighbours.
func pattern(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 / 251) } }
