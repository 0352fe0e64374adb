import Foundation
import HelioTLS
import HeliographTesting
import Testing

@testable import Heliograph
@testable import HelioReactor

extension LiveTests {
    /// Certificates that are replaced while connections live.
    @Suite struct CertificateTests {
        private final class Hello: Handler {
            func request(_ exchange: Exchange) { exchange.respond(.ok) }
        }

        /// The status of a request by a client that trusts this identity alone; nil when it does not get that far.
        private func ask(_ server: Server, trusting identity: Identity) throws -> Int? {
            let client = try LiveClient(to: #require(server.addresses.first), tls: identity.clientContext())
            return try client.run { $0.fault != nil || !$0.http.serverSettings.isEmpty } && client.fault == nil
                ? client.get("/").status : nil
        }

        @Test func filesReadAgainServeNewConnectionsAndOldOnesGoOn() async throws {
            let directory = try TemporaryDirectory()
            let (old, new) = (try Identity(), try Identity())
            let paths = try old.write(to: directory)
            let (configuration, log) = try LiveServer.configuration {
                $0.security = .certificate(chain: paths.chain, key: paths.key)
                $0.threads = 2
            }
            let live = try LiveServer(Server(configuration) { _ in Hello() }, log)
            let server = live.server
            let client = try LiveClient(to: live.address, tls: old.clientContext())
            #expect(try client.get("/").status == 200)
            _ = try new.write(to: directory)
            #expect(try ask(server, trusting: old) == 200, "not before it is told")
            try server.reloadCertificates()
            _ = try await live.snapshot()
            for _ in 0..<6 { #expect(try ask(server, trusting: new) == 200) }
            #expect(try ask(server, trusting: old) == nil)
            #expect(try client.get("/").status == 200)
            #expect(log.lines.contains { $0.hasPrefix("info certificates replaced") })
            await server.stop(within: .zero)
        }

        @Test func aFileThatIsWrongLeavesTheOldCertificate() async throws {
            let directory = try TemporaryDirectory()
            let old = try Identity()
            let paths = try old.write(to: directory)
            let (configuration, log) = try LiveServer.configuration {
                $0.security = .certificate(chain: paths.chain, key: paths.key)
            }
            let live = try LiveServer(Server(configuration) { _ in Hello() }, log)
            try Data("nonsense".utf8).write(to: URL(fileURLWithPath: paths.chain))
            let error = #expect(throws: ServerError.self) { try live.server.reloadCertificates() }
            #expect("\(try #require(error))".hasPrefix("\(paths.chain): no PEM block of certificate in it"))
            try FileManager.default.removeItem(atPath: paths.chain)
            #expect(throws: ServerError.self) { try live.server.reloadCertificates() }
            #expect(try ask(live.server, trusting: old) == 200)
            await live.server.stop(within: .zero)
        }

        @Test func otherFilesServeNewConnectionsAndAreReadAgain() async throws {
            let places = try (0..<2).map { _ in try TemporaryDirectory() }
            let (old, new, newest) = (try Identity(), try Identity(), try Identity())
            let paths = try old.write(to: places[0])
            let others = try new.write(to: places[1])
            let (configuration, log) = try LiveServer.configuration {
                $0.security = .certificate(chain: paths.chain, key: paths.key)
            }
            let live = try LiveServer(Server(configuration) { _ in Hello() }, log)
            let wrong = TransportSecurity.certificate(chain: others.chain, key: paths.key)
            #expect(throws: ServerError.self) { try live.server.reloadCertificates(from: wrong) }
            try live.server.reloadCertificates(from: .plaintext)
            try live.server.reloadCertificates()
            _ = try await live.snapshot()
            #expect(try ask(live.server, trusting: old) == 200)
            try live.server.reloadCertificates(from: .certificate(chain: others.chain, key: others.key))
            _ = try await live.snapshot()
            #expect(try ask(live.server, trusting: new) == 200)
            _ = try newest.write(to: places[1])
            try live.server.reloadCertificates()
            _ = try await live.snapshot()
            #expect(try ask(live.server, trusting: newest) == 200)
            await live.server.stop(within: .zero)
        }

        @Test func anotherConfigurationServesNewConnections() async throws {
            let new = try Identity()
            try await withServer { _ in
                Hello()
            } _: { live in
                let client = try live.connect()
                #expect(try client.get("/").status == 200)
                try live.server.replaceTLS(new.configuration)
                #expect(throws: ServerError.self) { try live.server.replaceTLS(TLSConfiguration(certificates: [])) }
                _ = try await live.snapshot()
                #expect(try ask(live.server, trusting: new) == 200)
                #expect(try client.get("/").status == 200)
            }
        }

        @Test func ticketsOutliveTheCertificatesOfFiles() async throws {
            let directory = try TemporaryDirectory()
            let identity = try Identity.shared
            let paths = try identity.write(to: directory)
            try await withServer {
                $0.security = .certificate(chain: paths.chain, key: paths.key)
            } makeHandler: { _ in
                Hello()
            } _: { live in
                let client = try live.connect()
                #expect(try client.get("/").status == 200)
                let session = try #require(client.tls?.session)
                try live.server.reloadCertificates()
                _ = try await live.snapshot()
                let second = try LiveClient(to: live.address, tls: identity.clientContext(), session: session)
                #expect(try second.get("/").status == 200)
                #expect(second.tls?.isResumed == true)
                #expect(try await live.snapshot().connections.resumptions == 1)
            }
        }
    }
}
