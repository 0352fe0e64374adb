import CLinux
import HelioTLS
import HeliographTesting
import Logging
import Testing

@testable import Heliograph
@testable import HelioReactor

/// A client on loops of its own, for a server of the tests, stopped at its end.
func withClient(
    threads: Int = 1, _ change: (inout ClientConfiguration) -> Void = { _ in }, _ body: (Client) async throws -> Void
) async throws {
    var configuration = ClientConfiguration()
    configuration.trust = .authorities(try Identity.shared.chain)
    change(&configuration)
    let group = try EventLoopGroup(threads: threads)
    do {
        let client = try Client(on: group, configuration: configuration)
        do { try await body(client) } catch {
            await client.stop(within: .zero)
            throw error
        }
        await client.stop(within: .zero)
        // Nothing of it is left behind.
        for snapshot in await client.snapshot() {
            #expect(snapshot.connections.open == 0)
            #expect(snapshot.nghttp2Blocks == 0)
            #expect(snapshot.http.openStreams == 0)
        }
    } catch {
        await group.stopped()
        throw error
    }
    await group.stopped()
}

extension LiveServer {
    /// A request for this server.
    func request(
        _ method: HelioHTTP.Method = .get, _ target: String = "/", body: [UInt8]? = nil, scheme: String = "https",
        host: String = "localhost"
    ) -> ClientRequest {
        ClientRequest(method, scheme: scheme, authority: "\(host):\(server.port ?? 0)", target: target, body: body)
    }
}

/// A response as a value.
struct Answer: Sendable {
    var status: Int
    var text: String
    var count: Int
    var version: HTTPVersion
}

extension Client {
    /// The whole answer to a request, from anywhere.
    func answer(_ request: ClientRequest) async throws -> Answer {
        try await run {
            let response = try await self.request(request)
            let body = try await response.collect(upTo: 100 << 20)
            return Answer(
                status: response.status, text: String(decoding: body.prefix(1000), as: UTF8.self), count: body.count,
                version: response.exchange.version)
        }
    }

    /// How a request fails.
    func failure(_ request: ClientRequest) async throws -> String {
        do {
            let answer = try await answer(request)
            return "none: \(answer)"
        } catch let error as ClientError {
            return "\(error)"
        }
    }
}

final class Hello: Handler {
    func request(_ exchange: Exchange) { exchange.respond(.ok, contentType: "text/plain", "Hello, World!") }
}

/// Sends back what it gets.
final class Mirror: Handler {
    func request(_ exchange: Exchange) { exchange.start(.ok) }
    func body(_ exchange: Exchange, _ chunk: RawSpan) { if !exchange.write(chunk) { exchange.pauseBody() } }
    func drained(_ exchange: Exchange) { exchange.resumeBody() }
    func end(_ exchange: Exchange) { exchange.finish() }
}

/// Says nothing, and counts how its exchanges end.
final class Silent: Handler {
    let ends: Shared<[String]>
    init(_ ends: Shared<[String]>) { self.ends = ends }
    func request(_ exchange: Exchange) {}
    func closed(_ exchange: Exchange, _ reason: CloseReason) { ends.change { $0.append("\(reason)") } }
}

/// A port of 127.0.0.1 at which connections are made, and nothing is read or said.
final class SilentPort {
    let port: UInt16
    private let descriptor: Int32

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let address = try #require(SocketAddress(host: "127.0.0.1", port: 0))
        let descriptor = descriptor
        #expect(unsafe address.withSockaddr { unsafe helio_bind(descriptor, $0, $1) } == 0)
        #expect(listen(descriptor, 16) == 0)
        port = try #require(
            unsafe SocketAddress.read("getsockname") { unsafe helio_getsockname(descriptor, $0, $1) }.port)
    }

    func close() { _ = CLinux.close(descriptor) }
}
