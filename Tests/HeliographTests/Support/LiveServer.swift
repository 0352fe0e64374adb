import CLinux
import HelioTLS
import HeliographTesting
import Logging
import Testing

@testable import Heliograph
@testable import HelioReactor

/// A server on a port of 127.0.0.1 that the kernel chooses, with the certificate of the tests.
final class LiveServer: Sendable {
    let server: Server
    let log: LogRecorder
    private let context: TLSContext?

    /// - Parameter change: to the configuration: two loops, no more.
    static func start(
        isSecure: Bool = true, threads: Int = 1, _ change: (inout ServerConfiguration) -> Void = { _ in },
        makeHandler: @escaping @Sendable (EventLoop) -> any Handler
    ) throws -> LiveServer {
        let (configuration, log) = try configuration(isSecure: isSecure, threads: threads, change)
        return try LiveServer(Server(configuration, makeHandler: makeHandler), log, isSecure: isSecure)
    }

    static func configuration(
        isSecure: Bool = true, threads: Int = 1, _ change: (inout ServerConfiguration) -> Void = { _ in }
    ) throws -> (ServerConfiguration, LogRecorder) {
        let log = LogRecorder()
        var configuration = ServerConfiguration(host: "127.0.0.1", port: 0)
        configuration.security = isSecure ? .custom(try Identity.shared.configuration) : .plaintext
        configuration.threads = threads
        configuration.logger = Logger(label: "test") { _ in LogRecorderHandler(recorder: log) }
        change(&configuration)
        return (configuration, log)
    }

    init(_ server: Server, _ log: LogRecorder, isSecure: Bool = true) throws {
        self.server = server
        self.log = log
        context = isSecure ? try Identity.shared.clientContext() : nil
        try server.start()
    }

    var address: SocketAddress {
        get throws { try #require(server.addresses.first) }
    }

    func connect(window: Int32 = 65_535, receiveBuffer: Int32? = nil) throws -> LiveClient {
        try LiveClient(to: address, tls: context, window: window, receiveBuffer: receiveBuffer)
    }

    /// The only loop's snapshot, or the sum of the gauges of all.
    func snapshot() async throws -> LoopSnapshot { try #require(await server.snapshot().first) }

    /// Waits until the snapshots are as they should be; nil after ten seconds.
    func settled(_ isRight: (LoopSnapshot) -> Bool) async throws -> LoopSnapshot? {
        let end = helio_monotonic_ns() + 10_000_000_000
        while helio_monotonic_ns() < end {
            let all = await server.snapshot()
            if let first = all.first, all.allSatisfy(isRight) { return first }
            try await Task.sleep(for: .milliseconds(5))
        }
        return nil
    }
}

/// Runs `body` against a server that is stopped at its end.
func withServer(
    isSecure: Bool = true, threads: Int = 1, _ change: (inout ServerConfiguration) -> Void = { _ in },
    makeHandler: @escaping @Sendable (EventLoop) -> any Handler, _ body: (LiveServer) async throws -> Void
) async throws {
    let live = try LiveServer.start(isSecure: isSecure, threads: threads, change, makeHandler: makeHandler)
    do {
        try await body(live)
    } catch {
        await live.server.stop(within: .zero)
        throw error
    }
    await live.server.stop(within: .zero)
}

/// The same with one async closure for all requests.
func withAsyncServer(
    _ handler: @escaping @Sendable (Exchange) async throws -> Void, _ body: (LiveServer) async throws -> Void
) async throws {
    try await withServer(makeHandler: { AsyncHandler(loop: $0, handler) }, body)
}

/// What was logged, one line for each message.
final class LogRecorder: Sendable {
    private let lock = Lock<[String]>([])
    var lines: [String] { lock.withLock { $0 } }
    func add(_ line: String) { lock.withLock { $0.append(line) } }
}

struct LogRecorderHandler: LogHandler {
    let recorder: LogRecorder
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    init(recorder: LogRecorder) { self.recorder = recorder }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let details = (event.metadata ?? [:]).map { "\($0)=\($1)" }.sorted().joined(separator: " ")
        recorder.add("\(event.level) \(event.message) \(details)")
    }
}

/// A value that tests write on loops and read elsewhere.
final class Shared<Value: Sendable>: Sendable {
    private let lock: Lock<Value>
    init(_ value: Value) { lock = Lock(value) }
    var value: Value { lock.withLock { $0 } }
    func change(_ body: (inout Value) -> Void) { lock.withLock { body(&$0) } }

    /// Waits until the value is as it should be; false after ten seconds.
    func settled(_ isRight: (Value) -> Bool) async throws -> Bool {
        let end = helio_monotonic_ns() + 10_000_000_000
        while helio_monotonic_ns() < end {
            if isRight(value) { return true }
            try await Task.sleep(for: .milliseconds(2))
        }
        return isRight(value)
    }
}
