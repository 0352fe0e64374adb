import Heliograph

/// A session over a WebSocket.
final class WebSocketLink: SessionLink, WebSocketHandler {
    private var socket: WebSocket?
    private var first = "{\"t\":\"hello\",\"client\":{\"name\":\"load\"}}"

    override func open() {
        load.open(place.request(.get, "/v1/ws"), self, bench, subprotocols: ["signal.v1.json"])
    }

    /// Drops the connection and continues on another.
    func reopen() {
        first = "{\"t\":\"resume\",\"ticket\":\"\(ticket)\",\"last\":\"\(epoch).\(lastSeq)\"}"
        isClosing = true
        socket?.close(.goingAway)
    }

    func close() {
        isClosing = true
        socket?.close()
    }

    override func send(_ message: String) { socket?.send(message) }

    func opened(_ webSocket: WebSocket) {
        socket = webSocket
        webSocket.send(first)
    }

    func message(_ webSocket: WebSocket, _ message: RawSpan, _ kind: WebSocketKind) {
        received(message.withUnsafeBytes { String(decoding: $0, as: UTF8.self) })
    }

    func closed(_ webSocket: WebSocket, _ code: WebSocketCloseCode, _ reason: String, wasClean: Bool) {
        fail("a session's WebSocket was closed with \(code) \(reason)")
        guard isClosing, first.contains("resume"), !bench.recorder.isOver else { return }
        isClosing = false
        open()
    }
}

/// A session whose events are server-sent, and whose messages go by POST.
final class EventsLink: SessionLink, ClientHandler {
    private var lines = Lines()
    private var answer = ""
    private var isStreaming = false

    override func open() {
        var request = place.request(.post, "/v1/sessions", headers: [("content-type", "application/json")])
        request.body = Array("{}".utf8)
        start(request)
    }

    override func send(_ message: String) {
        var request = place.request(
            .post, "/v1/sessions/\(sid)/messages",
            headers: [("authorization", "Bearer \(token)"), ("content-type", "application/json")])
        request.body = Array(message.utf8)
        do {
            _ = try bench.pool.send(request, to: SentMessage(self))
        } catch {
            fail("\(error)")
        }
    }

    private func start(_ request: ClientRequest) {
        do {
            _ = try bench.pool.send(request, to: self)
        } catch {
            fail("\(error)")
        }
    }

    func response(_ exchange: ClientExchange) {
        guard (200...201).contains(exchange.status) else { return fail("status \(exchange.status)") }
        if isStreaming { owner?.opened(self) }
    }

    func body(_ exchange: ClientExchange, _ chunk: RawSpan) {
        guard isStreaming else {
            answer += chunk.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
            return
        }
        lines.take(chunk) { line in
            if line.hasPrefix("data: ") { received(String(line.dropFirst(6))) }
        }
    }

    func closed(_ exchange: ClientExchange, _ error: ClientError?) {
        guard !isStreaming, error == nil, exchange.status == 201 else {
            return fail("a session's events have ended: \(error.map { "\($0)" } ?? "status \(exchange.status)")")
        }
        welcomed(answer)
        isStreaming = true
        start(
            place.request(
                .get, "/v1/sessions/\(sid)/events",
                headers: [("authorization", "Bearer \(token)"), ("accept", "text/event-stream")]))
    }
}

/// One message by POST.
private final class SentMessage: ClientHandler {
    private let link: SessionLink

    init(_ link: SessionLink) { self.link = link }

    func closed(_ exchange: ClientExchange, _ error: ClientError?) {
        if error != nil || exchange.status != 202 {
            link.fail("a message was answered by \(error.map { "\($0)" } ?? "\(exchange.status)")")
        }
    }
}

/// A session of lines both ways on one HTTP/2 stream.
final class StreamLink: SessionLink, ClientHandler {
    private var lines = Lines()
    private var exchange: ClientExchange?

    override func open() {
        let request = place.request(.post, "/v1/stream", headers: [("content-type", "application/x-ndjson")])
        do {
            exchange = try bench.pool.send(request, to: self, isStreamed: true)
            send("{\"t\":\"hello\",\"client\":{\"name\":\"load\"}}")
        } catch {
            fail("\(error)")
        }
    }

    override func send(_ message: String) { exchange?.write(message + "\n") }

    func response(_ exchange: ClientExchange) {
        if exchange.status != 200 { fail("status \(exchange.status)") }
    }

    func body(_ exchange: ClientExchange, _ chunk: RawSpan) {
        lines.take(chunk) { line in if !line.isEmpty { received(line) } }
    }

    func closed(_ exchange: ClientExchange, _ error: ClientError?) {
        fail("a session's stream has ended: \(error.map { "\($0)" } ?? "status \(exchange.status)")")
    }
}
