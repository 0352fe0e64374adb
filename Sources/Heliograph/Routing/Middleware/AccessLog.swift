public import HelioHTTP
public import HelioReactor

/// Writes a line for each exchange of the handler that it wraps, when it ends.
///
/// The line goes to a ``LogSink``, whose thread writes it: the loop never waits for a disk. What a peer has sent is escaped. In
/// steady state a line costs no allocation. One for each loop.
///
/// ```swift
/// let sink = try LogSink(.standardOutput)
/// let server = Server { loop in AccessLog(.combined, to: sink, on: loop, wrapping: MyHandler()) }
/// ```
public final class AccessLog: Handler {
    /// What a line looks like.
    public enum Format: Sendable {
        /// As nginx and Apache have it, then the duration in seconds and the request's id:
        /// `192.0.2.1 - - [24/Nov/2026:10:30:14 +0000] "GET / HTTP/2.0" 200 13 "-" "curl/8" 0.000123 "4f…"`.
        case combined
        /// A JSON object: `time`, `peer`, `method`, `target`, `protocol`, `status`, `bytes`, `duration`, `referer`,
        /// `user_agent`, `request_id`, `end`. What is not there is null.
        case json
    }

    private let format: Format
    private let sink: LogSink
    private let shard: LogShard
    private let loop: EventLoop
    private let next: any Handler
    private var line = LogLine()
    private var clock = WallClock()
    private var idle: [Watch] = []

    private static let keptWatches = 512

    /// - Parameters:
    ///   - sink: where lines go; one for all loops.
    ///   - loop: the loop that it belongs to.
    ///   - next: who answers.
    public init(_ format: Format, to sink: LogSink, on loop: EventLoop, wrapping next: any Handler) {
        self.format = format
        self.sink = sink
        self.loop = loop
        self.next = next
        shard = sink.makeShard()
    }

    deinit { line.deallocate() }

    public func request(_ exchange: Exchange) {
        let watch = idle.popLast() ?? Watch()
        watch.log = self
        watch.peer = exchange.connection?.peerHost ?? "-"
        exchange.observe(by: watch)
        exchange.hand(to: next)
    }

    /// What has to be known of an exchange when its connection is gone.
    private final class Watch: ExchangeObserver {
        /// Nil while it is idle.
        var log: AccessLog?
        var peer = ""

        func exchangeEnded(_ exchange: Exchange, _ reason: CloseReason) {
            guard let log else { return }
            self.log = nil
            log.write(exchange, reason, peer)
            if log.idle.count < AccessLog.keptWatches { log.idle.append(self) }
        }
    }

    private func write(_ exchange: Exchange, _ reason: CloseReason, _ peer: String) {
        // Taken out for the time: each change of what stands in an object is checked for exclusivity.
        var line = line
        var clock = clock
        line.clear()
        switch format {
        case .combined: line.appendCombined(exchange, peer, at: loop.now, by: &clock)
        case .json: line.appendJSON(exchange, reason, peer, at: loop.now, by: &clock)
        }
        line.append(UInt8(ascii: "\n"))
        if unsafe shard.append(line.bytes) { sink.wake() }
        self.line = line
        self.clock = clock
    }
}
