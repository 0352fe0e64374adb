public import HelioHTTP
public import HelioReactor
public import Logging

/// A handler made of one async closure, run on the exchange's loop.
///
/// The closure starts within the event that brought the request, and always resumes on the loop; one that does not suspend
/// never leaves the call. It is cancelled when the exchange ends before its response is sent: the peer resets the stream or
/// leaves, a limit is crossed. When it returns, a response that it began is finished; when it throws, the peer gets 500
/// (413 for a body over the limit, what ``HelioHTTP/Exchange/refuse(_:)`` answers for parts that are refused), or a reset
/// once a response has begun. A WebSocket that it accepted is closed: with 1000, or with 1011 when it throws.
public final class AsyncHandler: Handler {
    private let loop: EventLoop
    private let body: @Sendable (Exchange) async throws -> Void
    let logger: Logger

    public init(
        loop: EventLoop, logger: Logger = Logger(label: "heliograph"),
        _ body: @escaping @Sendable (Exchange) async throws -> Void
    ) {
        self.loop = loop
        self.logger = logger
        self.body = body
    }

    public func request(_ exchange: Exchange) {
        exchange.pullBody()
        let run = AsyncRun(logger)
        exchange.handler = run
        let body = body
        // The exchange never leaves its loop: the task runs on the loop's executor and nowhere else.
        nonisolated(unsafe) let exchange = exchange
        run.began(
            Task.immediate(executorPreference: loop) {
                do {
                    try await unsafe body(exchange)
                    unsafe AsyncRun.finish(exchange)
                } catch {
                    unsafe run.failed(exchange, error)
                }
            })
    }
}

/// One run of the closure: the task to cancel when its exchange ends.
private final class AsyncRun: Handler, @unchecked Sendable {
    private var task: Task<Void, Never>?
    private var isCancelled = false
    private let logger: Logger

    init(_ logger: Logger) { self.logger = logger }

    func request(_ exchange: Exchange) {}

    /// The closure has run up to where it first waits, and may have ended its exchange already.
    func began(_ task: Task<Void, Never>) {
        if isCancelled { task.cancel() } else { self.task = task }
    }

    func closed(_ exchange: Exchange, _ reason: CloseReason) {
        // What a closure does after its response has reached the peer is its own affair.
        if reason != .finished {
            isCancelled = true
            task?.cancel()
        }
        task = nil
    }

    static func finish(_ exchange: Exchange) {
        guard !exchange.isClosed else { return }
        if let webSocket = exchange.webSocket {
            webSocket.close()
        } else if exchange.isResponseStarted {
            exchange.finish()
        } else {
            exchange.respond(.internalServerError)
        }
    }

    func failed(_ exchange: Exchange, _ error: any Error) {
        guard !exchange.isClosed else { return }
        if let webSocket = exchange.webSocket, !webSocket.isOpen { return }
        if case .bodyTooLarge? = error as? ExchangeError, !exchange.isResponseStarted {
            exchange.respond(.contentTooLarge)
            return
        }
        if let error = error as? MultipartError {
            exchange.refuse(error)
            return
        }
        // The error's text may hold what the peer sent: it is not logged.
        logger.error("a handler threw", metadata: ["error": "\(type(of: error))"])
        if let webSocket = exchange.webSocket {
            webSocket.close(.internalError)
        } else if exchange.isResponseStarted {
            exchange.reset(.internalError)
        } else {
            exchange.respond(.internalServerError)
        }
    }
}
