public import HelioHTTP
public import HelioReactor

/// Bounds the time of a whole exchange, from its request's head to the last byte that the peer takes.
///
/// Past it the handler's `closed` is called with `.limit(.exchangeTimeout)` (an async one is cancelled), and the peer gets a
/// status, or a reset once a response has begun. One for each loop.
///
/// ```swift
/// let router = Router(on: loop) { routes in
///     routes.group("/api", through: [{ Timeout(.seconds(5), on: loop, wrapping: $0) }]) { api in
///         api.get("/report") { exchange in exchange.respond(.noContent) }
///     }
/// }
/// ```
public final class Timeout: Handler {
    private let duration: Duration
    private let status: Status
    private let loop: EventLoop
    private let next: any Handler
    private var idle: [Watch] = []

    private static let keptWatches = 512

    /// - Parameters:
    ///   - duration: the bound; it is noticed within a millisecond.
    ///   - status: what is answered: 503, or 504 for a handler that waits for others.
    ///   - loop: the loop that it belongs to.
    ///   - next: who answers in time.
    public init(
        _ duration: Duration, answering status: Status = .serviceUnavailable, on loop: EventLoop,
        wrapping next: any Handler
    ) {
        self.duration = duration
        self.status = status
        self.loop = loop
        self.next = next
    }

    public func request(_ exchange: Exchange) {
        guard !exchange.isClosed else { return }
        let watch = idle.popLast() ?? Watch(on: loop)
        watch.begin(exchange, for: self)
        exchange.observe(by: watch)
        exchange.hand(to: next)
    }

    /// The timer of one exchange, used again for others.
    private final class Watch: ExchangeObserver {
        private let loop: EventLoop
        private var timer: LoopTimer?
        // Both nil while it is idle.
        private var exchange: Exchange?
        private var timeout: Timeout?

        init(on loop: EventLoop) {
            self.loop = loop
            timer = LoopTimer(on: loop) { [unowned self] in expire() }
        }

        deinit { timer?.cancel() }

        func begin(_ exchange: Exchange, for timeout: Timeout) {
            self.exchange = exchange
            self.timeout = timeout
            timer?.schedule(after: timeout.duration)
        }

        private func expire() {
            guard let exchange, let timeout else { return }
            exchange.abandon(for: .exchangeTimeout, answering: timeout.status)
        }

        func exchangeEnded(_ exchange: Exchange, _ reason: CloseReason) {
            timer?.cancel()
            self.exchange = nil
            guard let timeout else { return }
            self.timeout = nil
            if timeout.idle.count < Timeout.keptWatches { timeout.idle.append(self) }
        }
    }
}
