import HelioHTTP
import HeliographTesting
import Testing

/// A client's HTTP/2 session without a connection, on a manual clock, and what it tells its observer.
final class MemoryClient: HTTPSessionOwner, ClientSessionObserver {
    let clock: ManualClock
    let shared: HTTPClientResources
    let resources: HTTP2ClientResources
    private(set) var session: HTTP2ClientSession!
    private(set) var returned: [ClientExchange] = []
    private(set) var changes = 0
    var takesBack = true

    init(
        limits: ClientLimits = ClientLimits(), acceptsPush: Bool = false, clock: ManualClock = ManualClock(),
        resources: HTTP2ClientResources? = nil
    ) {
        self.clock = clock
        self.resources = resources ?? HTTP2ClientResources(HTTPClientResources(limits: limits))
        shared = self.resources.shared
        var options = ClientSessionOptions()
        options.acceptsPush = acceptsPush
        session = HTTP2ClientSession(
            resources: self.resources, owner: self, observer: self, options: options, now: clock.now)
    }

    func sessionNeedsDrain() {}
    func sessionChanged() { changes += 1 }
    func sessionReturns(_ exchange: ClientExchange) -> Bool {
        guard takesBack else { return false }
        returned.append(exchange)
        return true
    }

    /// Sends a request on the session.
    @discardableResult
    func send(_ request: ClientRequest, to handler: any ClientHandler, isStreamed: Bool = false) -> ClientExchange {
        let exchange = shared.makeExchange(request, handler: handler, isStreamed: isStreamed, now: clock.now)
        let isTaken = session.open(exchange)
        #expect(isTaken)
        return exchange
    }

    @discardableResult
    func get(_ path: String = "/", _ handler: any ClientHandler) -> ClientExchange {
        send(ClientRequest(authority: "localhost", target: path), to: handler)
    }

    func output() -> [UInt8] {
        let region = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
        defer { unsafe region.deallocate() }
        var bytes: [UInt8] = []
        while session.wantsDrain {
            let count = unsafe session.drain(into: region, now: clock.now)
            unsafe bytes.append(contentsOf: region[..<count])
        }
        return bytes
    }

    /// Gives bytes to the session, in pieces of `cut`.
    func receive(_ bytes: [UInt8], cut: Int = Int.max) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(cut))
            rest = rest.dropFirst(piece.count)
            unsafe piece.withUnsafeBytes { unsafe session.receive($0, now: clock.now) }
        }
    }

    /// Carries bytes between the two until neither has more to say.
    func exchange(with server: MemorySession, cut: Int = Int.max) {
        while true {
            let sent = output()
            server.receive(sent, cut: cut)
            let answered = server.output()
            receive(answered, cut: cut)
            if sent.isEmpty, answered.isEmpty { return }
        }
    }

    func advance(by duration: Duration) {
        clock.advance(by: duration)
        session.expire(now: clock.now)
    }

    func tripped(_ limit: LimitName) -> Int { shared.counterSnapshot().limitsTripped[limit] ?? 0 }

    /// The connection ends. Session and owner hold each other until then.
    func close() {
        session?.close(.connectionLost)
        session = nil
    }

    /// Ends the connection; nothing may be left.
    func leave(sourceLocation: SourceLocation = #_sourceLocation) {
        close()
        #expect(resources.liveBlocks == 0, sourceLocation: sourceLocation)
        #expect(shared.counterSnapshot().openStreams == 0, sourceLocation: sourceLocation)
    }
}

/// A handler that keeps all that it is told.
final class RecordingClientHandler: ClientHandler {
    private(set) var status = 0
    private(set) var fields: [(name: String, value: String)] = []
    private(set) var trailers: [(name: String, value: String)] = []
    private(set) var received: [UInt8] = []
    private(set) var informational: [Int] = []
    private(set) var events: [String] = []
    private(set) var error: ClientError?
    private(set) var ends = 0
    private(set) var promised: [String] = []
    var onResponse: (ClientExchange) -> Void = { _ in }
    var onBody: (ClientExchange) -> Void = { _ in }
    var onDrained: (ClientExchange) -> Void = { _ in }
    var onEnd: (ClientExchange) -> Void = { _ in }
    var onClosed: (ClientExchange) -> Void = { _ in }
    var takesPush: (any ClientHandler)?

    var text: String { String(decoding: received, as: UTF8.self) }

    func response(_ exchange: ClientExchange) {
        status = exchange.status
        fields = exchange.headers.fields
        events.append("response")
        onResponse(exchange)
    }
    func body(_ exchange: ClientExchange, _ chunk: RawSpan) {
        unsafe chunk.withUnsafeBytes { unsafe received.append(contentsOf: $0) }
        if events.last != "body" { events.append("body") }
        onBody(exchange)
    }
    func end(_ exchange: ClientExchange) {
        trailers = exchange.trailers?.fields ?? []
        events.append("end")
        onEnd(exchange)
    }
    func drained(_ exchange: ClientExchange) { onDrained(exchange) }
    func informational(_ exchange: ClientExchange, _ status: Status, _ headers: HeaderBlock) {
        informational.append(Int(status.rawValue))
    }
    func pushed(_ exchange: ClientExchange, _ promised: ClientExchange) -> (any ClientHandler)? {
        self.promised.append(promised.target)
        return takesPush
    }
    func closed(_ exchange: ClientExchange, _ error: ClientError?) {
        self.error = error
        ends += 1
        events.append(error == nil ? "closed" : "failed")
        onClosed(exchange)
    }
}

/// What tells errors apart in expectations.
extension ClientError? {
    var name: String {
        switch self {
        case nil: "none"
        case .invalidRequest: "invalid request"
        case .cancelled: "cancelled"
        case .stopped: "stopped"
        case .bodyTooLarge: "body too large"
        case .unreachable: "unreachable"
        case .connectionLost: "connection lost"
        case .webSocket: "web socket"
        case .reset(let code): "reset \(code)"
        case .refused(let code): "refused \(code)"
        case .malformed: "malformed"
        case .limit(let name): "limit \(name.rawValue)"
        }
    }
}
