import HelioHTTP

/// A handler made of closures, which records how each exchange ends.
final class RecordingHandler: Handler {
    var onRequest: (Exchange) -> Void
    var onBody: (Exchange, [UInt8]) -> Void = { _, _ in }
    var onEnd: (Exchange) -> Void = { _ in }
    var onDrained: (Exchange) -> Void = { _ in }
    var onClosed: (Exchange) -> Void = { _ in }
    private(set) var requests = 0
    private(set) var closed: [CloseReason] = []

    init(_ onRequest: @escaping (Exchange) -> Void) { self.onRequest = onRequest }

    func request(_ exchange: Exchange) {
        requests += 1
        onRequest(exchange)
    }

    func body(_ exchange: Exchange, _ chunk: RawSpan) {
        onBody(exchange, unsafe chunk.withUnsafeBytes { unsafe Array($0) })
    }
    func end(_ exchange: Exchange) { onEnd(exchange) }
    func drained(_ exchange: Exchange) { onDrained(exchange) }
    func closed(_ exchange: Exchange, _ reason: CloseReason) {
        closed.append(reason)
        onClosed(exchange)
    }
}

/// The echo with backpressure both ways.
final class Echo: Handler {
    private(set) var closed: [CloseReason] = []
    func request(_ exchange: Exchange) { exchange.start(.ok) }
    func body(_ exchange: Exchange, _ chunk: RawSpan) { if !exchange.write(chunk) { exchange.pauseBody() } }
    func drained(_ exchange: Exchange) { exchange.resumeBody() }
    func end(_ exchange: Exchange) { exchange.finish() }
    func closed(_ exchange: Exchange, _ reason: CloseReason) { closed.append(reason) }
}

func hello() -> RecordingHandler {
    RecordingHandler { $0.respond(.ok, contentType: "text/plain", "Hello, World!") }
}
