internal import Glibc
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
        line.clear()
        switch format {
        case .combined: writeCombined(exchange, peer)
        case .json: writeJSON(exchange, reason, peer)
        }
        line.append(UInt8(ascii: "\n"))
        if shard.append(line.bytes) { sink.wake() }
    }

    private func writeCombined(_ exchange: Exchange, _ peer: String) {
        line.append(peer)
        line.append(" - - [")
        clock.appendCommon(loop.now, to: &line)
        line.append("] \"")
        line.appendEscaped(exchange.method.rawValue)
        line.append(UInt8(ascii: " "))
        exchange.withTarget { line.appendEscaped($0) }
        line.append(UInt8(ascii: " "))
        line.append(exchange.version.description)
        line.append("\" ")
        if let status = exchange.responseStatus {
            line.append(Int(status.rawValue))
        } else {
            line.append(UInt8(ascii: "-"))
        }
        line.append(UInt8(ascii: " "))
        line.append(exchange.sentBytes)
        writeQuoted(exchange.headers, "referer")
        writeQuoted(exchange.headers, "user-agent")
        line.append(UInt8(ascii: " "))
        writeDuration(exchange)
        writeQuoted(exchange.responseHeaders, "x-request-id")
    }

    private func writeQuoted(_ fields: HeaderBlock, _ name: String) {
        line.append(" \"")
        if fields.withValue(of: name, { line.appendEscaped($0) }) == nil { line.append(UInt8(ascii: "-")) }
        line.append(UInt8(ascii: "\""))
    }

    private func writeJSON(_ exchange: Exchange, _ reason: CloseReason, _ peer: String) {
        line.append("{\"time\":\"")
        clock.appendRFC3339(loop.now, to: &line)
        line.append("\",\"peer\":\"")
        line.appendJSON(peer)
        line.append("\",\"method\":\"")
        line.appendJSON(exchange.method.rawValue)
        line.append("\",\"target\":\"")
        exchange.withTarget { line.appendJSON($0) }
        line.append("\",\"protocol\":\"")
        line.append(exchange.version.description)
        line.append("\",\"status\":")
        if let status = exchange.responseStatus { line.append(Int(status.rawValue)) } else { line.append("null") }
        line.append(",\"bytes\":")
        line.append(exchange.sentBytes)
        line.append(",\"duration\":")
        writeDuration(exchange)
        line.append(",\"referer\":")
        writeJSON(exchange.headers, "referer")
        line.append(",\"user_agent\":")
        writeJSON(exchange.headers, "user-agent")
        line.append(",\"request_id\":")
        writeJSON(exchange.responseHeaders, "x-request-id")
        line.append(",\"end\":\"")
        writeReason(reason)
        line.append("\"}")
    }

    private func writeJSON(_ fields: HeaderBlock, _ name: String) {
        let isThere: Void? = fields.withValue(of: name) { value in
            line.append(UInt8(ascii: "\""))
            line.appendJSON(value)
            line.append(UInt8(ascii: "\""))
        }
        if isThere == nil { line.append("null") }
    }

    /// To this moment, and not to the loop's, which stands still for as long as an iteration takes.
    private func writeDuration(_ exchange: Exchange) {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        let now = UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
        line.appendSeconds(nanoseconds: now > exchange.receivedAt ? now - exchange.receivedAt : 0)
    }

    private func writeReason(_ reason: CloseReason) {
        switch reason {
        case .finished: line.append("finished")
        case .connectionLost: line.append("connection lost")
        case .shutdown: line.append("shutdown")
        case .reset(let code):
            line.append("reset ")
            line.append(Int(code.rawValue))
        case .limit(let name):
            line.append("limit ")
            line.append(name.rawValue)
        }
    }
}
