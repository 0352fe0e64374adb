import Heliograph

/// Answers that take their time: `/slow` by an async closure, `/events` by a timer.
func addTiming(to router: Routes, _ context: RouteContext) {
    let loop = context.loop
    router.get("/slow") { exchange in
        let milliseconds = min(max(exchange.queryNumber("ms") ?? 100, 0), 60_000)
        try await loop.sleep(for: .milliseconds(milliseconds))
        exchange.respond(.ok, contentType: "text/plain", "waited \(milliseconds) ms\n")
    }
    router.get("/events") { exchange in
        exchange.hand(to: Events(loop: loop, count: exchange.queryNumber("n") ?? 10))
    }
}

/// Server-sent events, one each 100 ms. One for each exchange.
final class Events: Handler {
    private let loop: EventLoop
    private let count: Int
    private var sent = 0
    private var timer: LoopTimer?

    init(loop: EventLoop, count: Int) {
        self.loop = loop
        self.count = min(max(count, 0), 1_000_000)
    }

    func request(_ exchange: Exchange) {
        exchange.addHeader("cache-control", "no-store")
        exchange.start(.ok, contentType: "text/event-stream")
        timer = LoopTimer(on: loop) { [self] in tick(exchange) }
        tick(exchange)
    }

    private func tick(_ exchange: Exchange) {
        guard sent < count else {
            exchange.finish()
            return
        }
        sent += 1
        if exchange.write("id: \(sent)\ndata: {\"n\":\(sent)}\n\n") { timer?.schedule(after: .milliseconds(100)) }
    }

    func drained(_ exchange: Exchange) { timer?.schedule(after: .milliseconds(100)) }

    func closed(_ exchange: Exchange, _ reason: CloseReason) {
        timer?.cancel()
        timer = nil
    }
}
