import Heliograph

/// Routes a request to what shows one capability. One for each loop.
final class ShowcaseHandler: Handler {
    private let loop: EventLoop
    private let echo = Echo()
    private let slow: AsyncHandler
    /// One block from which `/bytes/{n}` is pulled.
    private let block = [UInt8](repeating: UInt8(ascii: "x"), count: 16 * 1024)

    init(loop: EventLoop) {
        self.loop = loop
        slow = AsyncHandler(loop: loop) { exchange in try await Self.slow(exchange, on: loop) }
    }

    func request(_ exchange: Exchange) {
        if exchange.pathIs("/hello") {
            exchange.respond(.ok, contentType: "text/plain", "Hello, World!")
        } else if exchange.pathIs("/echo") {
            exchange.hand(to: echo)
        } else if exchange.pathIs("/trailers") {
            trailers(exchange)
        } else if exchange.pathIs("/slow") {
            exchange.hand(to: slow)
        } else if exchange.pathIs("/events") {
            exchange.hand(to: Events(loop: loop, count: exchange.queryNumber("n") ?? 10))
        } else if exchange.pathIs("/loop") {
            loopStatistics(exchange)
        } else if exchange.pathHasPrefix("/bytes/") {
            bytes(exchange)
        } else if exchange.pathHasPrefix("/status/") {
            status(exchange)
        } else {
            exchange.respond(.notFound)
        }
    }

    /// A body from memory, pulled as the peer takes it.
    private func bytes(_ exchange: Exchange) {
        guard let count = Int(exchange.path.dropFirst("/bytes/".count)), (0...1 << 34).contains(count) else {
            exchange.respond(.notFound)
            return
        }
        let block = block
        var left = count
        exchange.respond(.ok, contentType: "application/octet-stream", contentLength: count) { exchange in
            while left > 0 {
                let next = min(left, block.count)
                left -= next
                let goesOn = next == block.count ? exchange.write(block) : exchange.write(Array(block[..<next]))
                if !goesOn { break }
            }
            return left > 0
        }
    }

    /// A body, then trailers with its checksum.
    private func trailers(_ exchange: Exchange) {
        let body = "The checksum of this body follows in the trailers.\n"
        exchange.start(.ok, contentType: "text/plain")
        exchange.write(body)
        let sum = body.utf8.reduce(UInt32(0)) { ($0 &* 31) &+ UInt32($1) }
        exchange.finish(trailers: [("x-checksum", String(sum, radix: 16))])
    }

    private func status(_ exchange: Exchange) {
        guard let code = Int(exchange.path.dropFirst("/status/".count)), (200...599).contains(code),
            let status = Status(code)
        else {
            exchange.respond(.notFound)
            return
        }
        exchange.respond(status)
    }

    /// How the loop of this connection fares and what it holds, this request included. Times are in microseconds;
    /// `iterations` and `longestIteration` are since the last call that this loop answered.
    private func loopStatistics(_ exchange: Exchange) {
        guard let snapshot = exchange.connection?.loopSnapshot else { return }
        let statistics = loop.takeStatistics()
        let numbers: [(name: String, value: Int)] = [
            ("loop", loop.index),
            ("iterations", statistics.iterations),
            ("longestIteration", Int(clamping: statistics.longestIteration / 1000)),
            ("accepted", snapshot.connections.accepted),
            ("connections", snapshot.connections.open),
            ("streams", snapshot.http.openStreams),
            ("timers", snapshot.timers),
            ("descriptors", snapshot.descriptors),
            ("blocks", snapshot.nghttp2Blocks),
        ]
        let members = numbers.map { "\"\($0.name)\":\($0.value)" }.joined(separator: ",")
        exchange.respond(.ok, contentType: "application/json", "{\(members)}\n")
    }

    /// An async handler that waits on the loop.
    private static func slow(_ exchange: Exchange, on loop: EventLoop) async throws {
        let milliseconds = min(max(exchange.queryNumber("ms") ?? 100, 0), 60_000)
        try await loop.sleep(for: .milliseconds(milliseconds))
        exchange.respond(.ok, contentType: "text/plain", "waited \(milliseconds) ms\n")
    }
}

/// The request's body, sent back as it comes: a reader that is slow slows the writer.
final class Echo: Handler {
    func request(_ exchange: Exchange) { exchange.start(.ok) }
    func body(_ exchange: Exchange, _ chunk: RawSpan) { if !exchange.write(chunk) { exchange.pauseBody() } }
    func drained(_ exchange: Exchange) { exchange.resumeBody() }
    func end(_ exchange: Exchange) { exchange.finish() }
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

extension Exchange {
    /// The whole number that the query has under a name.
    func queryNumber(_ name: String) -> Int? {
        for pair in query?.split(separator: "&") ?? [] where pair.hasPrefix(name + "=") {
            return Int(pair.dropFirst(name.count + 1))
        }
        return nil
    }
}
