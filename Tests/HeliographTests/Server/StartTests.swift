import CLinux
import Foundation
import HelioTLS
import HeliographTesting
import Testing

@testable import Heliograph
@testable import HelioReactor

/// What a start answers, and what it says when it cannot.
extension LiveTests {
    @Suite struct StartTests {
        private final class Hello: Handler {
            func request(_ exchange: Exchange) { exchange.respond(.ok, contentType: "text/plain", "Hello, World!") }
        }

        private func server(_ change: (inout ServerConfiguration) -> Void) throws -> Server {
            Server(try LiveServer.configuration(change).0) { _ in Hello() }
        }

        /// The text of the error that the start throws.
        private func failure(_ change: (inout ServerConfiguration) -> Void) async throws -> String {
            let server = try server(change)
            do {
                try server.start()
            } catch {
                #expect(server.addresses.isEmpty)
                return "\(error)"
            }
            await server.stop(within: .zero)
            return "started"
        }

        @Test func thePortThatTheKernelChoseIsReportedAndAnswers() async throws {
            try await withServer { _ in
                Hello()
            } _: { live in
                #expect(try #require(live.server.port) > 0)
                let response = try live.connect().get("/")
                #expect(response.status == 200)
                #expect(response.text == "Hello, World!")
                #expect(live.log.lines.contains { $0.hasPrefix("info listening address=127.0.0.1:") })
            }
        }

        @Test func aSecondServerOnTheSamePortSaysThatItIsTakenAndMayTryAgain() async throws {
            try await withServer { _ in
                Hello()
            } _: { live in
                let port = try #require(live.server.port)
                let second = try server { $0.endpoints = [.tcp(host: "127.0.0.1", port: port)] }
                let error = try #require(throws: ServerError.self) { try second.start() }
                #expect(
                    "\(error)"
                        == "cannot listen on 127.0.0.1:\(port): the address is in use; stop what listens there, "
                        + "or choose another port or path")
                await live.server.stop(within: .zero)
                try second.start()
                let client = try LiveClient(
                    to: #require(second.addresses.first), tls: Identity.shared.clientContext())
                #expect(try client.get("/").status == 200)
                await second.stop(within: .zero)
            }
        }

        @Test func whatIsWrongWithFilesAndAddressesIsSaidByName() async throws {
            let directory = try TemporaryDirectory()
            let paths = try Identity.shared.write(to: directory)
            let missing = directory.path + "/none.pem"
            #expect(
                try await failure { $0.security = .certificate(chain: missing, key: paths.key) }
                    == "\(missing): No such file or directory")
            let other = directory.path + "/other.key"
            try Data(Identity(names: ["localhost"]).key).write(to: URL(fileURLWithPath: other))
            let mismatch = try await failure { $0.security = .certificate(chain: paths.chain, key: other) }
            #expect(mismatch.hasPrefix("\(other): the private key does not match the certificate of localhost"))
            #expect(
                try await failure { $0.security = .development(directory: paths.chain + "/x") }
                    == "\(paths.chain)/x: Not a directory")
            #expect(
                try await failure { $0.endpoints = [.tcp(host: "example.org", port: 1)] }
                    == "cannot listen on example.org:1: the host is a numeric address or 'localhost'")
            #expect(
                try await failure { $0.endpoints = [.unix(path: String(repeating: "a", count: 200))] }.hasSuffix(
                    "a socket's path has 1 to 107 bytes"))
            #expect(
                try await failure { $0.endpoints = [.descriptor(9_999)] }
                    == "cannot listen on descriptor 9999: Bad file descriptor")
        }

        @Test func aDevelopmentCertificateIsMadeOnceAlsoWhenManyAskAtOnce() async throws {
            let directory = try TemporaryDirectory()
            let place = directory.path + "/a/b"
            let made = await withTaskGroup(of: [String].self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        guard let paths = try? DevelopmentCertificate.paths(in: place) else { return ["failed"] }
                        return [paths.chain, paths.key].map { (try? String(contentsOfFile: $0, encoding: .utf8)) ?? "" }
                    }
                }
                return await group.reduce(into: Set<[String]>()) { $0.insert($1) }
            }
            #expect(made.count == 1)
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: place).sorted() == [
                    "localhost.key", "localhost.pem",
                ])
            let mode = try FileManager.default.attributesOfItem(atPath: place + "/localhost.key")[.posixPermissions]
            #expect(mode as? Int == 0o600)
            let server = try server { $0.security = .development(directory: place) }
            try server.start()
            await server.stop(within: .zero)
        }

        @Test func aDevelopmentCertificateForOtherNamesIsAnotherOneAndIsMadeAnewForNewNames() throws {
            let directory = try TemporaryDirectory()
            let own = try DevelopmentCertificate.paths(in: directory.path)
            let network = ["192.0.2.7", "2001:db8::7", "box.example"]
            let paths = try DevelopmentCertificate.paths(in: directory.path, alsoFor: network)
            #expect(paths.chain != own.chain)
            let made = try String(contentsOfFile: paths.chain, encoding: .utf8)
            let names = try Certificate(
                chain: Array(made.utf8), key: Array(Data(contentsOf: URL(filePath: paths.key))),
                now: Int64(Date().timeIntervalSince1970)
            ).names
            let written = ["0:0:0:0:0:0:0:1", "192.0.2.7", "2001:db8:0:0:0:0:0:7", "box.example"]
            #expect(names == ["localhost", "127.0.0.1"] + written)
            _ = try DevelopmentCertificate.paths(in: directory.path, alsoFor: ["2001:db8::7"])
            #expect(try String(contentsOfFile: paths.chain, encoding: .utf8) == made)
            _ = try DevelopmentCertificate.paths(in: directory.path, alsoFor: ["192.0.2.8"])
            #expect(try String(contentsOfFile: paths.chain, encoding: .utf8) != made)
        }

        @Test func localhostIsBothLoopbackAddressesOnOnePort() async throws {
            let server = try server { $0.endpoints = [.tcp(host: "localhost", port: 0)] }
            try server.start()
            let port = try #require(server.port)
            #expect(server.addresses.map(\.description) == ["127.0.0.1:\(port)", "[::1]:\(port)"])
            for address in server.addresses {
                let client = try LiveClient(to: address, tls: Identity.shared.clientContext())
                #expect(try client.get("/").status == 200)
            }
            await server.stop(within: .zero)
        }

        @Test func aUnixSocketServesAndIsRemovedAtTheEnd() async throws {
            let directory = try TemporaryDirectory()
            let path = directory.path + "/s"
            let server = try server {
                $0.endpoints = [.unix(path: path)]
                $0.threads = 2
            }
            try server.start()
            #expect(server.port == nil)
            let address = try #require(SocketAddress(unixPath: path))
            #expect(try LiveClient(to: address, tls: Identity.shared.clientContext()).get("/").status == 200)
            await server.stop(within: .zero)
            #expect(!FileManager.default.fileExists(atPath: path))
        }

        @Test func aDescriptorThatWasHandedOverServes() async throws {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            let any = try #require(SocketAddress(host: "127.0.0.1", port: 0))
            try #require(unsafe any.withSockaddr { unsafe helio_bind(descriptor, $0, $1) } == 0)
            try #require(listen(descriptor, 16) == 0)
            let server = try server {
                $0.endpoints = [.descriptor(descriptor)]
                $0.threads = 2
            }
            try server.start()
            let address = try #require(server.addresses.first)
            #expect(try LiveClient(to: address, tls: Identity.shared.clientContext()).get("/").status == 200)
            await server.stop(within: .zero)
        }

        @Test func everyLoopServesWithAHandlerOfItsOwnMadeOnItsThread() async throws {
            final class Who: Handler {
                let loop: EventLoop
                init(_ loop: EventLoop) { self.loop = loop }
                func request(_ exchange: Exchange) {
                    let isHere = loop.isCurrent && exchange.connection?.eventLoop === loop
                    exchange.respond(.ok, contentType: "a/b", isHere ? "\(loop.index)" : "astray")
                }
            }
            let made = Shared<[Int]>([])
            try await withServer(threads: 3) { loop in
                made.change { $0.append(loop.isCurrent ? loop.index : -1) }
                return Who(loop)
            } _: { live in
                var answers: [String: Int] = [:]
                for _ in 0..<60 { answers[try live.connect().get("/").text, default: 0] += 1 }
                #expect(Set(answers.keys) == ["0", "1", "2"], "\(answers)")
                #expect(made.value.sorted() == [0, 1, 2])
            }
        }

        @Test func anEmbeddersLoopsServeAndGoOnAfterTheServer() async throws {
            let group = try EventLoopGroup(threads: 2)
            defer { group.stop() }
            for _ in 0..<2 {
                let server = try server { _ in }
                try server.start(on: group)
                #expect(throws: ServerError.self) { try server.start(on: group) }
                let address = try #require(server.addresses.first)
                #expect(try LiveClient(to: address, tls: Identity.shared.clientContext()).get("/").status == 200)
                await server.stop(within: .zero)
            }
            for loop in group.loops {
                let left = Shared<(timers: Int, descriptors: Int)?>(nil)
                loop.execute { left.change { $0 = (loop.armedTimers, loop.watchedDescriptors) } }
                #expect(try await left.settled { $0 != nil })
                #expect(left.value?.timers == 0)
                #expect(left.value?.descriptors == 0)
            }
        }

        @Test func aGroupThatHasEndedIsAnError() async throws {
            let group = try EventLoopGroup(threads: 2)
            group.stop()
            let server = try server { _ in }
            #expect(throws: ServerError.self) { try server.start(on: group) }
        }

        @Test func whatLoopsLeaveOpenWhenTheyEndFirstIsClosedByTheStop() async throws {
            let group = try EventLoopGroup(threads: 1)
            let server = try server { _ in }
            try server.start(on: group)
            let address = try #require(server.addresses.first)
            let client = try LiveClient(to: address, tls: Identity.shared.clientContext())
            #expect(try client.get("/").status == 200)
            group.stop()
            await server.stop(within: .seconds(5))
            #expect(try client.run { $0.isClosed })
            #expect(throws: Errno.self) { try LiveClient(to: address, tls: nil) }
        }
    }
}

/// What needs sockets and threads. One after the other: what a server holds is counted, and machines are small.
@Suite(.serialized) struct LiveTests {}
