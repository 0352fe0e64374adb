internal import Heliograph

/// A request of Engine.IO, from its head to its answer, or a WebSocket.
final class SocketTransport: Handler {
    let hub: SocketHub
    let outlet: LoopHubOutlet
    let key: TransportKey
    private var exchange: Exchange?
    private var webSocket: WebSocket?
    /// The session that it is of, once it is known.
    private var session: LoopID?
    private var body: [UInt8] = []
    private var isUpload = false
    /// It was answered by packets, which are lost if the answer is.
    private var carriesPackets = false

    init(_ hub: SocketHub) {
        guard let outlet = hub.outlet as? LoopHubOutlet else {
            preconditionFailure("a hub of a server has the outlet of its loop")
        }
        self.hub = hub
        self.outlet = outlet
        key = hub.nextTransport()
    }

    // MARK: Its head

    func request(_ exchange: Exchange) {
        self.exchange = exchange
        outlet.transports[key.number] = self
        guard addOrigin(exchange) else { return refuse(.forbidden) }
        guard exchange.method != .options else { return preflight(exchange) }
        let query = Query.parse(exchange.query ?? "")
        guard let transport = query["transport"].flatMap({ SocketOptions.Transport(rawValue: $0) }),
            hub.options.transports.contains(transport)
        else { return refuse(.unknownTransport) }
        guard query["EIO"] == "4" else { return refuse(.unsupportedVersion) }
        guard let sid = query["sid"] else { return begin(exchange, transport, query) }
        guard let id = LoopID(sid), id.loop < hub.loops else { return refuse(.unknownSession) }
        session = id
        go(on: exchange, transport)
    }

    private func begin(_ exchange: Exchange, _ transport: SocketOptions.Transport, _ query: [String: String]) {
        var handshake = SocketHandshake()
        handshake.query = query
        handshake.isWebSocket = transport == .webSocket
        handshake.isHTTP2 = exchange.version == .http2
        handshake.peerHost = exchange.connection?.peerHost ?? ""
        for (name, value) in exchange.headers.fields where handshake.headers[name] == nil {
            handshake.headers[name] = value
        }
        switch transport {
        case .polling:
            guard exchange.method == .get else { return refuse(.badMethod) }
            session = hub.open(key, isWebSocket: false, handshake)
        case .webSocket:
            guard accepted(exchange) else { return }
            session = hub.open(key, isWebSocket: true, handshake)
            if session == nil { webSocket?.close(.tryAgainLater) }
        }
    }

    private func go(on exchange: Exchange, _ transport: SocketOptions.Transport) {
        switch transport {
        case .webSocket:
            // Nothing may come before the session has said yes.
            exchange.pauseBody()
            if !tell(.webSocketAsked) { refuse(.busy) }
        case .polling where exchange.method == .get:
            if !tell(.polled) { refuse(.busy) }
        case .polling where exchange.method == .post:
            isUpload = true
            if !tell(.uploadBegan) { refuse(.busy) }
        case .polling: refuse(.badRequest)
        }
    }

    @discardableResult
    private func tell(_ event: TransportEvent) -> Bool {
        guard let session else { return true }
        return hub.forward(session, key, event)
    }

    // MARK: Its body

    func body(_ exchange: Exchange, _ chunk: RawSpan) {
        guard isUpload else { return }
        guard body.count + chunk.byteCount <= hub.options.maxPayload else {
            hub.tripped(.payloadSize)
            isUpload = false
            body = []
            refuse(.tooLarge)
            tell(.ended(isLost: false))
            return
        }
        unsafe chunk.withUnsafeBytes { unsafe body.append(contentsOf: $0) }
    }

    func end(_ exchange: Exchange) {
        guard isUpload else { return }
        isUpload = false
        let whole = body
        body = []
        if !tell(.uploaded(whole)) {
            refuse(.busy)
            tell(.ended(isLost: false))
        }
    }

    // MARK: Its answer

    private func refuse(_ refusal: EngineRefusal) { _ = respond(.refused(refusal)) }

    /// - Returns: false when it has ended, or has an answer.
    func respond(_ response: EngineResponse) -> Bool {
        guard let exchange, !exchange.isClosed, !exchange.isResponseStarted else { return false }
        isUpload = false
        exchange.addHeader("cache-control", "no-store")
        switch response {
        case .ok: exchange.respond(.ok, contentType: "text/html", "ok")
        case .packets(let packets):
            carriesPackets = true
            exchange.respond(
                .ok, contentType: "text/plain; charset=UTF-8", bytes: EnginePacketCoder.payload(packets))
        case .refused(let refusal):
            exchange.respond(
                Status(refusal.status) ?? .badRequest, contentType: "application/json", bytes: refusal.json)
        }
        return true
    }

    func closed(_ exchange: Exchange, _ reason: CloseReason) {
        // A WebSocket tells of its own end.
        guard webSocket == nil else { return }
        outlet.transports[key.number] = nil
        if !exchange.isResponseStarted {
            tell(.ended(isLost: false))
        } else if carriesPackets, reason != .finished {
            tell(.ended(isLost: true))
        }
    }
}

// MARK: - As a WebSocket

extension SocketTransport: WebSocketHandler {
    /// The session says yes to it.
    func accept() {
        guard let exchange, !exchange.isClosed, !exchange.isResponseStarted else { return }
        if accepted(exchange) { exchange.resumeBody() } else { tell(.ended(isLost: false)) }
    }

    private func accepted(_ exchange: Exchange) -> Bool {
        var options = WebSocketOptions()
        // They were asked for at the head.
        options.origins = .any
        options.maxMessageSize = hub.options.maxPayload
        // The session pings by itself.
        options.pingInterval = nil
        if hub.options.compressesWebSockets { options.compression = WebSocketCompressionOptions() }
        webSocket = exchange.acceptWebSocket(options, handler: self)
        return webSocket != nil
    }

    func send(_ packets: [EnginePacket]) -> Bool {
        guard let webSocket else { return false }
        var isGoing = true
        for packet in packets {
            switch packet.data {
            case .shared(let text): isGoing = webSocket.send(text.frame)
            case .binary(let bytes): isGoing = webSocket.send(bytes)
            case .text(let text):
                let bytes = EnginePacketCoder.text(packet.type, text)
                isGoing = unsafe webSocket.send(bytes.span.bytes, .text)
            }
        }
        if !isGoing, let session, session.loop != hub.loop { tell(.congested) }
        return isGoing
    }

    func close() { webSocket?.close() }

    func message(_ webSocket: WebSocket, _ message: RawSpan, _ kind: WebSocketKind) {
        let bytes = unsafe message.withUnsafeBytes { unsafe Array($0) }
        if !tell(.framed(kind == .text ? .text(bytes) : .binary(bytes))) { webSocket.close(.tryAgainLater) }
    }

    func drained(_ webSocket: WebSocket) { tell(.drained) }

    func closed(_ webSocket: WebSocket, _ code: WebSocketCloseCode, _ reason: String, wasClean: Bool) {
        if code == .messageTooBig { hub.tripped(.payloadSize) }
        outlet.transports[key.number] = nil
        tell(.ended(isLost: false))
    }
}

// MARK: - Origins

extension SocketTransport {
    /// Says that a page of another origin may read the answer.
    ///
    /// - Returns: false when it is of one that may not connect.
    private func addOrigin(_ exchange: Exchange) -> Bool {
        guard let origin = exchange.headers["origin"] else { return true }
        guard hub.options.origins.allow(origin, authority: exchange.authority) else { return false }
        // What is around it may have said so already.
        guard exchange.responseHeaders["access-control-allow-origin"] == nil else { return true }
        exchange.addHeader("access-control-allow-origin", origin)
        exchange.addHeader("vary", "origin")
        if hub.options.allowsCredentials { exchange.addHeader("access-control-allow-credentials", "true") }
        return true
    }

    private func preflight(_ exchange: Exchange) {
        exchange.addHeader("access-control-allow-methods", "GET, POST")
        exchange.addHeader("access-control-allow-headers", "content-type")
        exchange.addHeader("access-control-max-age", "600")
        exchange.respond(.noContent)
    }
}

extension SocketOptions.Origins {
    func allow(_ origin: String, authority: String) -> Bool {
        switch self {
        case .any: return true
        case .list(let origins): return origins.contains(origin)
        case .check(let isAllowed): return isAllowed(origin)
        case .sameHost:
            guard let host = origin.split(separator: "://", maxSplits: 1).last, host.count < origin.count else {
                return false
            }
            return !authority.isEmpty && host.lowercased() == authority.lowercased()
        }
    }
}
