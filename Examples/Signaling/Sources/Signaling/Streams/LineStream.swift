import Heliograph
import SignalingCore

/// A session over one HTTP/2 stream: each message is a line of JSON, up in the request's body and down in the response's.
final class LineStream: Handler, StreamSink {
    let version = "2"
    let connection: String?
    private let stream: DuplexStream
    private let maxLine: Int
    private var exchange: Exchange?
    /// What has come and was not taken: lines, and the beginning of one.
    private var buffer: [UInt8] = []
    /// Up to here there is no end of a line.
    private var searched = 0
    private var isPaused = false
    private var isTaking = false
    private var isOver = false

    init(_ service: LoopService, _ exchange: Exchange) {
        stream = DuplexStream(service, exchange, credential: exchange.headers.bearerToken)
        connection = service.name(of: exchange)
        maxLine = service.limits.messageSize
    }

    // MARK: From the client

    func request(_ exchange: Exchange) {
        self.exchange = exchange
        // A client may be silent for as long as it likes: it is pinged, and who does not take pings is not there.
        exchange.setBodyTimeout(nil)
        exchange.addHeader("cache-control", "no-store")
        exchange.start(.ok, contentType: "application/x-ndjson")
        stream.open(.stream, self)
    }

    func body(_ exchange: Exchange, _ chunk: RawSpan) {
        guard !isOver else { return }
        unsafe chunk.withUnsafeBytes { unsafe buffer.append(contentsOf: $0) }
        takeLines()
    }

    /// A client that has no more to say may still listen.
    func end(_ exchange: Exchange) {
        guard !isOver, !buffer.isEmpty else { return }
        buffer.append(UInt8(ascii: "\n"))
        takeLines()
    }

    func drained(_ exchange: Exchange) { stream.drained() }

    func closed(_ exchange: Exchange, _ reason: CloseReason) {
        isOver = true
        stream.closed()
        self.exchange = nil
    }

    /// A line may pause the stream, end it, or let an earlier pause end.
    private func takeLines() {
        guard !isTaking else { return }
        isTaking = true
        var start = 0
        while !isPaused, !isOver, let end = buffer[max(start, searched)...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = Array(buffer[start..<end])
            start = end + 1
            searched = start
            // An empty line keeps the stream alive.
            guard line.count <= maxLine else { return tooLong() }
            if !line.isEmpty { stream.take(line) }
        }
        isTaking = false
        buffer.removeFirst(start)
        searched = isPaused ? 0 : buffer.count
        if !isPaused, !isOver, buffer.count > maxLine { tooLong() }
    }

    private func tooLong() {
        isOver = true
        buffer = []
        stream.refuse(.tooLarge, "a line is at most \(maxLine) bytes")
    }

    // MARK: From the node

    var queuedBytes: Int { exchange?.queuedBytes ?? 0 }

    func write(_ bytes: [UInt8]) -> Bool { exchange?.write(bytes) ?? false }

    func end(_ reason: StreamEnd) {
        isOver = true
        exchange?.finish(trailers: [("signal-status", "\(reason.code)"), ("signal-code", reason.name)])
    }

    func pause() {
        isPaused = true
        exchange?.pauseBody()
    }

    func resume() {
        isPaused = false
        takeLines()
        if !isPaused, !isOver { exchange?.resumeBody() }
    }
}
