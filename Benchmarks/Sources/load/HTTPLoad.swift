import Heliograph

/// One place of a load of requests: it has one request open at a time.
final class RequestSlot: ClientHandler {
    private let pool: ClientPool
    private let request: ClientRequest
    private let schedule: Schedule
    private let recorder: Recorder
    private var due: UInt64 = 0
    private var bytes = 0

    init(_ pool: ClientPool, _ request: ClientRequest, _ schedule: Schedule, _ recorder: Recorder) {
        self.pool = pool
        self.request = request
        self.schedule = schedule
        self.recorder = recorder
    }

    func begin() {
        guard !recorder.isOver else { return }
        schedule.next { [self] due in
            self.due = due
            bytes = 0
            do {
                _ = try pool.send(request, to: self)
            } catch {
                recorder.failed("\(error)")
            }
        }
    }

    func body(_ exchange: ClientExchange, _ chunk: RawSpan) { bytes += chunk.byteCount }

    func closed(_ exchange: ClientExchange, _ error: ClientError?) {
        if let error {
            recorder.failed("\(error)")
        } else if (200..<400).contains(exchange.status) {
            recorder.succeeded(since: due, bytes: bytes, version: exchange.version.description)
        } else {
            recorder.failed("status \(exchange.status)")
        }
        begin()
    }
}

/// One WebSocket that sends a message, waits for it to come back, and sends the next.
final class MessageSlot: WebSocketHandler {
    private let message: [UInt8]
    private let schedule: Schedule
    private let recorder: Recorder
    private var due: UInt64 = 0

    init(_ message: [UInt8], _ schedule: Schedule, _ recorder: Recorder) {
        self.message = message
        self.schedule = schedule
        self.recorder = recorder
    }

    func opened(_ webSocket: WebSocket) { send(on: webSocket) }

    func message(_ webSocket: WebSocket, _ message: RawSpan, _ kind: WebSocketKind) {
        guard message.byteCount == self.message.count else { return recorder.failed("a message came back changed") }
        recorder.succeeded(since: due, bytes: message.byteCount, version: "WebSocket")
        send(on: webSocket)
    }

    func closed(_ webSocket: WebSocket, _ code: WebSocketCloseCode, _ reason: String, wasClean: Bool) {
        recorder.failed("closed with \(code)")
    }

    private func send(on webSocket: WebSocket) {
        guard !recorder.isOver else { return }
        schedule.next { [self] due in
            self.due = due
            webSocket.send(message)
        }
    }
}
