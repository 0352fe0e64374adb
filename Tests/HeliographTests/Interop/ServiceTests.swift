import Heliograph
import HeliographInterop
import HeliographTesting
import Logging
import ServiceLifecycle
import Testing

@Suite("The server as a service", .timeLimit(.minutes(1)))
struct ServiceTests {
    private static var configuration: ServerConfiguration {
        var configuration = ServerConfiguration(host: "127.0.0.1", port: 0)
        configuration.security = .plaintext
        configuration.threads = 2
        configuration.logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return configuration
    }

    private static func group(_ services: [any Service]) -> ServiceGroup {
        ServiceGroup(services: services, logger: configuration.logger)
    }

    /// Answers at once, but for `/slow`, which takes half a second.
    private static func server() -> Server {
        Server(configuration) { exchange in
            exchange.start(.ok)
            try await exchange.send("be")
            if exchange.pathIs("/slow") { try await Task.sleep(for: .milliseconds(500)) }
            try await exchange.send("gun")
        }
    }

    /// Starts a group with a service, and returns when the service says that it accepts connections.
    private func run(_ service: (@escaping @Sendable (Server) -> Void) -> HeliographService) async throws -> (
        group: ServiceGroup, task: Task<Void, any Error>, port: UInt16
    ) {
        let (started, continuation) = AsyncStream.makeStream(of: UInt16.self)
        let group = Self.group([service { continuation.yield($0.port ?? 0) }])
        let task = Task {
            defer { continuation.finish() }
            try await group.run()
        }
        var ports = started.makeAsyncIterator()
        guard let port = await ports.next() else {
            try await task.value
            throw CancellationError()
        }
        return (group, task, port)
    }

    @Test("It serves while the group runs; at a graceful shutdown open streams finish, and nothing listens any more")
    func gracefulShutdown() async throws {
        let server = Self.server()
        let running = try await run { HeliographService(server, stoppingWithin: .seconds(20), started: $0) }
        let client = try #require(PlaintextClient(port: running.port))
        #expect(client.response(to: client.send("/")).text == "begun")

        let slow = client.send("/slow")
        try await waitForStream(of: server)
        await running.group.triggerGracefulShutdown()
        let response = client.response(to: slow)
        #expect(response.text == "begun")
        #expect(response.isComplete)
        client.waitForClose()
        #expect(client.wasToldToGo)
        try await running.task.value
        #expect(PlaintextClient(port: running.port) == nil)
    }

    @Test("Cancellation does not wait for open streams")
    func cancellation() async throws {
        let server = Server(Self.configuration) { exchange in
            exchange.start(.ok)
            try await exchange.send("begun")
            try await Task.sleep(for: .seconds(3600))
        }
        let running = try await run { HeliographService(server, stoppingWithin: .seconds(3600), started: $0) }
        let client = try #require(PlaintextClient(port: running.port))
        let stream = client.send("/")
        try await waitForStream(of: server)
        running.task.cancel()
        _ = try? await running.task.value
        #expect(!client.response(to: stream).isComplete)
        #expect(PlaintextClient(port: running.port) == nil)
    }

    @Test("It runs on loops of the caller's, which go on after it")
    func loopsOfTheCaller() async throws {
        let loops = try EventLoopGroup(threads: 1)
        let running = try await run { HeliographService(Self.server(), on: loops, started: $0) }
        do {
            let client = try #require(PlaintextClient(port: running.port))
            #expect(client.response(to: client.send("/")).text == "begun")
        }
        await running.group.triggerGracefulShutdown()
        try await running.task.value
        let loop = try #require(loops.loops.first)
        await withCheckedContinuation { continuation in
            #expect(loop.execute { continuation.resume() })
        }
        await loops.stopped()
    }

    @Test("A server that does not start fails its group, and says why")
    func failure() async throws {
        var configuration = Self.configuration
        configuration.endpoints = [.tcp(host: "no address", port: 0)]
        let service = HeliographService(Server(configuration) { $0.respond(.ok) })
        let error = await #expect(throws: ServerError.self) { try await Self.group([service]).run() }
        #expect(error?.description.contains("'localhost'") == true)
    }

    /// Waits until the server has a stream open.
    private func waitForStream(of server: Server) async throws {
        while await server.snapshot().allSatisfy({ $0.http.openStreams == 0 }) {
            try await Task.sleep(for: .milliseconds(1))
        }
    }
}
