public import HelioReactor
public import Heliograph
public import ServiceLifecycle

/// A server as a service of swift-service-lifecycle.
///
/// A graceful shutdown of the group stops the server gracefully; cancellation stops it at once. Either ends with no
/// thread, connection or descriptor left.
///
/// ```swift
/// let server = Server { exchange in exchange.respond(.ok, contentType: "text/plain", "Hello, World!") }
/// let group = ServiceGroup(
///     services: [HeliographService(server)], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
/// try await group.run()
/// ```
///
/// The group handles signals, so ``Heliograph/Server/stopOnSignal(within:)`` is not called beside it.
public struct HeliographService: Service {
    /// The server that it runs.
    public let server: Server
    private let loops: EventLoopGroup?
    private let grace: Duration
    private let started: @Sendable (Server) -> Void

    /// - Parameters:
    ///   - server: one that has not been started. A server runs once.
    ///   - loops: loops that the caller owns and stops after the group; nil makes the server's own.
    ///   - grace: how long open streams have to finish at a graceful shutdown. Keep it below the group's
    ///     `maximumGracefulShutdownDuration`, which cancels.
    ///   - started: called once when the server accepts connections, to tell where it listens.
    public init(
        _ server: Server, on loops: EventLoopGroup? = nil, stoppingWithin grace: Duration = .seconds(30),
        started: @escaping @Sendable (_ server: Server) -> Void = { _ in }
    ) {
        self.server = server
        self.loops = loops
        self.grace = grace
        self.started = started
    }

    /// Starts the server, and returns when it has stopped.
    ///
    /// - Throws: ``Heliograph/ServerError`` when it does not start; then nothing is left behind.
    public func run() async throws {
        try server.start(on: loops)
        started(server)
        await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                await server.stopped()
            } onGracefulShutdown: {
                Task { await server.stop(within: grace) }
            }
        } onCancel: {
            // A group's patience with a cancelled service is `maximumCancellationDuration`, and then it ends the process.
            Task { await server.stop(within: .zero) }
        }
    }
}
