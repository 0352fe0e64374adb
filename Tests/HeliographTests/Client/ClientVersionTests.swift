import HeliographTesting
import Testing

@testable import Heliograph
@testable import HelioReactor

/// HTTP/1.1 and WebSockets over both versions, by the client against our own server.
@Suite(.serialized) struct ClientVersionTests {
    private static func speaking(_ versions: HTTPVersions) -> (inout ServerConfiguration) -> Void {
        { configuration in
            for index in configuration.endpoints.indices { configuration.endpoints[index].versions = versions }
        }
    }

    @Test(arguments: [true, false])
    func http1IsSpokenWhereThereIsNothingElse(isSecure: Bool) async throws {
        try await withServer(isSecure: isSecure, Self.speaking(.http1), makeHandler: { _ in Hello() }) { live in
            try await withClient { client async throws in
                for _ in 0..<20 {
                    let answer = try await client.answer(live.request(scheme: isSecure ? "https" : "http"))
                    #expect(answer.text == "Hello, World!" && answer.version == .http11)
                }
                let accepted = try await live.snapshot().connections.accepted
                #expect(accepted == 1)
            }
        }
    }

    @Test func http1StreamsBothWays() async throws {
        try await withServer(Self.speaking(.http1), makeHandler: { _ in Mirror() }) { live in
            try await withClient { client async throws in
                let request = live.request(.post)
                let count = try await client.run {
                    let response = try await client.request(request) { exchange in
                        for _ in 0..<200 { try await exchange.send([UInt8](repeating: 1, count: 10_000)) }
                    }
                    var count = 0
                    for try await chunk in response.body { count += chunk.count }
                    return count
                }
                #expect(count == 2_000_000)
            }
        }
    }

    @Test func http1RequestsAtOnceHaveConnectionsOfTheirOwn() async throws {
        try await withServer(Self.speaking(.http1), makeHandler: { _ in Hello() }) { live in
            try await withClient({ $0.limits.maxConnectionsPerOrigin = 4 }) { client async throws in
                let request = live.request()
                let answered = try await client.run {
                    try await withThrowingTaskGroup(of: Int.self) { group in
                        for _ in 0..<200 {
                            group.addTask { try await client.request(request).collect(upTo: 100).count }
                        }
                        return try await group.reduce(0) { $0 + ($1 == 13 ? 1 : 0) }
                    }
                }
                #expect(answered == 200)
                let accepted = try await live.snapshot().connections.accepted
                #expect((2...4).contains(accepted))
            }
        }
    }

    @Test func aServerWithoutHTTP2IsRefusedWhereNothingElseIsWanted() async throws {
        try await withServer(Self.speaking(.http1), makeHandler: { _ in Hello() }) { live in
            try await withClient({ $0.versions = .http2 }) { client async throws in
                let message = try await client.failure(live.request())
                #expect(message.contains("no TLS with") && message.contains("application protocol"))
            }
        }
    }

    @Test(arguments: [HTTPVersions.http1, .http2, [.http1, .http2]], [true, false])
    func aWebSocketEchoes(versions: HTTPVersions, allowsConnect: Bool) async throws {
        // HTTP/2 alone, without RFC 8441, has no WebSocket.
        if versions == .http2, !allowsConnect { return }
        let change: (inout ServerConfiguration) -> Void = { configuration in
            Self.speaking(versions)(&configuration)
            configuration.endpoints[0].allowsConnectProtocol = allowsConnect
        }
        try await withServer(change, makeHandler: { _ in WebSocketMirror() }) { live in
            try await withClient { client async throws in
                let url = "wss://localhost:\(live.server.port ?? 0)/ws"
                let received = try await client.run {
                    let socket = try await client.webSocket(url)
                    var received: [String] = []
                    for index in 0..<10 {
                        try await socket.send("message \(index)")
                        if case .text(let text)? = try await socket.nextMessage() { received.append(text) }
                    }
                    socket.close()
                    return received
                }
                #expect(received == (0..<10).map { "message \($0)" })
            }
        }
    }

    @Test func aServerThatOpensNoWebSocketIsToldOf() async throws {
        try await withServer(Self.speaking([.http1, .http2]), makeHandler: { _ in Absent() }) { live in
            try await withClient { client async throws in
                let url = "wss://localhost:\(live.server.port ?? 0)/ws"
                await #expect(throws: ClientError.self) {
                    try await client.run { _ = try await client.webSocket(url) }
                }
            }
        }
    }
}

/// Knows nothing.
final class Absent: Handler {
    func request(_ exchange: Exchange) { exchange.respond(.notFound) }
}

/// Opens every WebSocket and sends back what comes.
final class WebSocketMirror: Handler, WebSocketHandler {
    func request(_ exchange: Exchange) { exchange.acceptWebSocket(handler: self) }
    func message(_ webSocket: WebSocket, _ message: RawSpan, _ kind: WebSocketKind) { webSocket.send(message, kind) }
}
