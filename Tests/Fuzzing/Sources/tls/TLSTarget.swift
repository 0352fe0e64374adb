import FuzzSupport

@testable import HelioTLS

/// The server's TLS engine, given any bytes, or those of a client that are changed on their way.
///
/// OpenSSL's random numbers are replaced, so that an input does the same each time.
enum TLSTarget {
    private static let time: Int64 = 1_780_000_000

    struct Contexts {
        let server: TLSContext
        let client: TLSContext
    }

    /// Made once. TLS 1.3 and 1.2.
    private static let contexts: [Contexts] = {
        PredictableRandom.install()
        return [TLSVersion.tls13, .tls12].map { version in
            do {
                let (chain, key) = try Certificate.selfSigned(names: ["localhost"], now: time, validDays: 800)
                let certificate = try Certificate(chain: chain, key: key, now: time)
                var configuration = TLSConfiguration(certificates: [certificate])
                configuration.alpn = ["h2", "http/1.1"]
                var clientConfiguration = TLSClientConfiguration(trust: .anyone)
                clientConfiguration.versions = version...version
                return Contexts(
                    server: try TLSContext(server: configuration, now: time),
                    client: try TLSContext(client: clientConfiguration, now: time))
            } catch {
                fatalError("no contexts: \(error)")
            }
        }
    }()

    static func run(_ input: [UInt8]) {
        var choices = Choices(input)
        let flags = choices.byte()
        let contexts = contexts[flags & 2 == 0 ? 0 : 1]
        PredictableRandom.restart()
        if flags & 1 == 0 {
            let server = Server(contexts.server)
            var cuts = Cuts(choices.byte())
            for piece in cuts.pieces(of: choices.rest()) { server.receive(piece) }
            check(server.plaintext.isEmpty, "plaintext of nobody's")
        } else {
            var conversation = Conversation(contexts)
            conversation.run(&choices)
        }
    }

    static var seeds: [(name: String, bytes: [UInt8])] {
        var seeds: [(name: String, bytes: [UInt8])] = []
        for (index, contexts) in contexts.enumerated() {
            PredictableRandom.restart()
            let client = TLSEngine(client: contexts.client, io: TLSRecordIO(), serverName: "localhost")
            try? client.start()
            let flags = UInt8(index * 2)
            seeds.append(("hello-\(index)", [flags, 0] + client.output()))
            seeds.append(("hello-cut-\(index)", [flags, 7] + client.output()))
            seeds.append(("talk-\(index)", [flags | 1, 0, 5, 0, 1, 9, 65, 0, 5, 0, 0, 66, 0]))
            seeds.append(("damaged-\(index)", [flags | 1, 3, 5, 0, 1, 30, 65, 0, 2, 0, 40, 1, 66]))
            seeds.append(("closed-\(index)", [flags | 1, 0, 5, 0, 1, 3, 65, 3, 0, 4, 0, 0]))
        }
        return seeds
    }
}

extension TLSEngine {
    /// All that waits to be sent.
    func output() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: pendingOutput)
        let count = bytes.withUnsafeMutableBytes { takeOutput(into: $0) }
        check(count == bytes.count && pendingOutput == 0, "output stays behind")
        return bytes
    }

    func sealed(_ plaintext: [UInt8]) -> [UInt8]? {
        let region = UnsafeMutableRawBufferPointer.allocate(byteCount: sealedSize(plaintext.count), alignment: 1)
        defer { region.deallocate() }
        do {
            return try plaintext.withUnsafeBytes { Array(region[..<(try seal($0, into: region))]) }
        } catch {
            return nil
        }
    }
}
