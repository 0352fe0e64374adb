extension Exchange {
    /// Accepts the WebSocket that the request asks for: over HTTP/1.1 by Upgrade (RFC 6455), over HTTP/2 by an extended
    /// CONNECT (RFC 8441). Fields that were added before go with the answer.
    ///
    /// From now on the exchange is the WebSocket's; who had it before is told `closed` when it ends.
    ///
    /// - Parameters:
    ///   - options: what is agreed to, and bounds.
    ///   - handler: gets the messages; nil when they are asked for by ``WebSocket/messages``.
    /// - Returns: nil when the exchange has ended, or when it was answered that it opens none: 426 or 400 to a request that
    ///   asks for no WebSocket of version 13 or is malformed, 403 to a page of another origin.
    @discardableResult
    public func acceptWebSocket(
        _ options: WebSocketOptions = WebSocketOptions(), handler: (any WebSocketHandler)? = nil
    ) -> WebSocket? {
        guard !isClosed, let owner else { return nil }
        guard let resources = owner.webSockets else {
            preconditionFailure("who owns this session has no WebSockets: see HTTPSessionOwner.webSockets")
        }
        var agreement: WebSocketHandshake.Agreement
        switch WebSocketHandshake.answer(self, options) {
        case .accepted(let agreed): agreement = agreed
        case .refused(let refusal):
            refuse(refusal)
            return nil
        }
        let compression = agreement.compression.flatMap { resources.host.webSocketCompression($0) }
        if compression == nil { (agreement.compression, agreement.extensions) = (nil, nil) }
        if let accept = agreement.accept { addHeader("sec-websocket-accept", accept) }
        if let name = agreement.subprotocol { addHeader("sec-websocket-protocol", name) }
        if let extensions = agreement.extensions { addHeader("sec-websocket-extensions", extensions) }
        let earlier = self.handler
        guard openTunnel() else { return nil }
        let webSocket = WebSocket(
            role: .server, transport: self, options: options, subprotocol: agreement.subprotocol,
            compression: agreement.compression, codec: compression, resources: resources, handler: handler)
        self.handler = WebSocketReceiver(webSocket, earlier: earlier)
        webSocket.start()
        takeBodyByEvents()
        return webSocket
    }

    private func refuse(_ refusal: WebSocketHandshake.Refusal) {
        if case .upgradeRequired = refusal {
            addHeader("sec-websocket-version", "13")
            if version != .http2 { addHeader("upgrade", "websocket") }
        }
        respond(refusal.status(version))
    }

    /// An async handler has asked for the body to be kept.
    private func takeBodyByEvents() {
        guard state.contains(.pulled) else { return }
        state.remove(.pulled)
        pauseBody()
        resumeBody()
    }
}

/// Passes the events of a tunnel to its WebSocket.
final class WebSocketReceiver: Handler {
    let webSocket: WebSocket
    private let earlier: any Handler

    init(_ webSocket: WebSocket, earlier: any Handler) {
        self.webSocket = webSocket
        self.earlier = earlier
    }

    func request(_ exchange: Exchange) {}
    func body(_ exchange: Exchange, _ chunk: RawSpan) { webSocket.receive(chunk) }
    func end(_ exchange: Exchange) { webSocket.transportEnded() }
    func drained(_ exchange: Exchange) { webSocket.transportDrained() }

    func closed(_ exchange: Exchange, _ reason: CloseReason) {
        webSocket.transportClosed()
        earlier.closed(exchange, reason)
    }
}

extension Exchange {
    /// The WebSocket that it has been accepted as, if it has.
    public var webSocket: WebSocket? { isTunnel ? (handler as? WebSocketReceiver)?.webSocket : nil }
}
