import FuzzSupport
import HelioHTTP
import HeliographTesting

/// Answers requests in all the ways there are, and checks that events come in their order: `request`, `body`, `end`, once
/// `closed`, and nothing after it.
final class ScriptedHandler: HTTP2ConnectionHandler {
    private var open: [Int32: State] = [:]
    /// Exchanges that wait for ``goOn()``.
    private var held: [Exchange] = []
    private(set) var requests = 0

    private struct State {
        let behaviour: Behaviour
        var hasEnded = false
        var left = 0
    }

    /// Exchanges that have not been told of their end.
    var openCount: Int { open.count }

    func request(_ exchange: Exchange) {
        requests += 1
        let behaviour = Behaviour(exchange)
        check(open[exchange.id] == nil, "stream \(exchange.id) begins twice")
        open[exchange.id] = State(behaviour: behaviour)
        look(exchange)
        switch behaviour {
        case .echo, .early: exchange.start(.ok, contentType: "a/b")
        case .text: exchange.respond(.ok, contentType: "text/plain", "Hello")
        case .pulled: pull(exchange)
        case .trailers, .head: break
        case .reset: exchange.reset(.enhanceYourCalm)
        case .push: push(from: exchange)
        case .hold:
            hold(exchange)
        case .collect:
            exchange.collectBody(upTo: 300) { $0.respond(.ok, contentType: "a/b", bytes: $1) }
        case .tunnel: if !exchange.openTunnel() { exchange.respond(.badRequest) }
        case .webSocket: _ = exchange.acceptWebSocket(handler: EchoSocket())
        case .hints:
            exchange.sendInformational(.earlyHints, headers: [("link", "</a>; rel=preload")])
            exchange.addHeader("x-many", exchange.headers["x-a"] ?? "")
            exchange.respond(.ok)
        case .bulk: exchange.respond(.ok, contentType: "a/b", bytes: Array(repeating: 7, count: 200_000))
        case .connection: ask(exchange)
        }
        if behaviour == .early {
            exchange.write("early")
            exchange.finish()
        }
    }

    func body(_ exchange: Exchange, _ chunk: RawSpan) {
        guard let state = open[exchange.id] else { return check(false, "a body of no exchange") }
        check(!state.hasEnded, "a body after its end")
        switch state.behaviour {
        case .echo, .tunnel: if !exchange.write(chunk) { exchange.pauseBody() }
        case .trailers: if chunk.byteCount > 100 { hold(exchange) }
        default: break
        }
    }

    func end(_ exchange: Exchange) {
        guard let state = open[exchange.id] else { return check(false, "an end of no exchange") }
        check(!state.hasEnded, "two ends")
        open[exchange.id]?.hasEnded = true
        switch state.behaviour {
        case .echo, .tunnel: exchange.finish()
        case .trailers:
            exchange.start(.ok)
            exchange.write(exchange.trailers?["x-trailer"] ?? "none")
            exchange.finish(trailers: [("x-end", "1"), ("x-query", exchange.query ?? "")])
        case .head: exchange.respond(.notFound, contentType: "a/b", exchange.target)
        default: break
        }
    }

    func drained(_ exchange: Exchange) {
        check(open[exchange.id] != nil, "drained, but closed")
        exchange.resumeBody()
    }

    func closed(_ exchange: Exchange, _ reason: CloseReason) {
        check(open.removeValue(forKey: exchange.id) != nil, "closed twice")
        held.removeAll { $0 === exchange }
    }

    /// Whether one is open that may be so for ever: a tunnel has no timeout, nor has a handler that does not answer.
    var waits: Bool {
        open.values.contains { [.tunnel, .webSocket, .hold, .trailers].contains($0.behaviour) || $0.left > 0 }
    }

    /// For a message.
    var describeOpen: String { open.map { "\($0.key) \($0.value)" }.joined(separator: ", ") }

    /// Lets those go on that were held back.
    func goOn() {
        let waiting = held
        held = []
        for exchange in waiting {
            exchange.resumeBody()
            if !exchange.isClosed, !exchange.isResponseStarted, open[exchange.id]?.behaviour == .hold {
                exchange.respond(.ok, contentType: "a/b", "late")
            }
        }
    }

    // MARK: Ways to answer

    private func hold(_ exchange: Exchange) {
        exchange.pauseBody()
        held.append(exchange)
    }

    /// Reads whatever can be read of a request.
    private func look(_ exchange: Exchange) {
        check(exchange.path.utf8.count <= exchange.target.utf8.count * 3, "the path is no part of the target")
        _ = exchange.authority + exchange.scheme + (exchange.query ?? "")
        _ = exchange.priority
        var count = 0
        exchange.headers.forEach { _, _ in count += 1 }
        check(count == exchange.headers.count, "fields are lost")
        check(count <= 100, "more fields than are allowed")
        check(exchange.headers.listSize <= 16 * 1024 + 200 * 100, "fields larger than are allowed")
    }

    private func pull(_ exchange: Exchange) {
        let id = exchange.id
        open[id]?.left = 40
        exchange.respond(.ok, contentType: "a/b") { [unowned self] exchange in
            guard let left = open[id]?.left, left > 0 else { return false }
            open[id]?.left = left - 1
            exchange.write([UInt8](repeating: UInt8(left), count: 9000))
            return true
        }
    }

    private func push(from exchange: Exchange) {
        exchange.push(Behaviour.echo.path, headers: [("x-a", "1")])
        exchange.push(Behaviour.bulk.path, method: .head)
        if let promised = exchange.promise("/x", to: nil) { promised.respond(.ok, contentType: "a/b", "pushed") }
        exchange.setPriority(Priority(urgency: 1, incremental: true))
        exchange.respond(.ok, contentType: "a/b", "with pushes")
    }

    private func ask(_ exchange: Exchange) {
        exchange.http2?.ping { _ in }
        var changes = HTTP2Settings.Changes()
        changes.maxConcurrentStreams = 10
        changes.initialWindowSize = 70_000
        exchange.http2?.updateSettings(changes)
        _ = exchange.http2?.state
        _ = exchange.http2?.state(of: exchange)
        if exchange.query == "bye" { exchange.http2?.goAway(.noError, data: [1, 2, 3]) }
        exchange.respond(.noContent)
    }
}

/// Answers messages with themselves.
private final class EchoSocket: WebSocketHandler {
    func message(_ webSocket: WebSocket, _ message: RawSpan, _ kind: WebSocketKind) {
        if !webSocket.send(message, kind) { webSocket.pause() }
    }
    func drained(_ webSocket: WebSocket) { webSocket.resume() }
}
