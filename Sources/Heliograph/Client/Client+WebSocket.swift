public import HelioHTTP
internal import HelioReactor

extension Client {
    /// Opens a WebSocket: over HTTP/2 (RFC 8441) where the server allows it, else over HTTP/1.1 (RFC 6455). In a task of one of the
    /// client's loops.
    ///
    /// ```swift
    /// let client = try Client(on: loop)
    /// let socket = try await client.webSocket("wss://example.org/chat")
    /// try await socket.send("hello")
    /// for try await message in socket.messages { print(message) }
    /// ```
    ///
    /// - Parameters:
    ///   - url: `wss://` or `ws://`.
    ///   - handler: gets the messages; nil when they are asked for by ``HelioHTTP/WebSocket/messages``.
    nonisolated(nonsending) public func webSocket(
        _ url: String, headers: [(name: String, value: String)] = [], options: WebSocketOptions = WebSocketOptions(),
        handler: (any WebSocketHandler)? = nil
    ) async throws(ClientError) -> WebSocket {
        let request = try Self.webSocketRequest(url, headers)
        let opening = WebSocketOpening(pool: pool, options: options, handler: handler)
        let exchange = try pool.openWebSocket(request, opening)
        let kept = KeptExchange(exchange, pool.loop)
        return try await kept.cancellable { _ throws(ClientError) in
            while true {
                if let outcome = opening.outcome { return try outcome.get() }
                await opening.wait()
            }
        }
    }

    private static func webSocketRequest(
        _ url: String, _ headers: [(name: String, value: String)]
    ) throws(ClientError) -> ClientRequest {
        let lower = url.prefix(6).lowercased()
        guard lower.hasPrefix("ws://") || lower.hasPrefix("wss://") else {
            throw .invalidRequest("\(url.debugDescription) is no URL of a WebSocket; it begins with wss:// or ws://")
        }
        return try ClientRequest(.get, "http" + url.dropFirst(2), headers: headers)
    }
}

extension ClientPool {
    /// Opens a WebSocket and tells `handler` of it, as ``Client/webSocket(_:headers:options:handler:)`` does, with events alone.
    ///
    /// - Parameters:
    ///   - request: with the scheme `https` or `http`.
    ///   - failed: called when it does not open; then `handler` is not called at all.
    /// - Throws: as ``send(_:to:isStreamed:)``.
    public func openWebSocket(
        _ request: ClientRequest, options: WebSocketOptions = WebSocketOptions(), handler: any WebSocketHandler,
        failed: @escaping (ClientError) -> Void
    ) throws(ClientError) {
        let opening = WebSocketOpening(pool: self, options: options, handler: handler)
        opening.failed = failed
        _ = try openWebSocket(request, opening)
    }

    fileprivate func openWebSocket(
        _ request: ClientRequest, _ opening: WebSocketOpening
    ) throws(ClientError) -> ClientExchange {
        var request = request
        request.requestedProtocol = "websocket"
        request.headers += opening.handshake.fields
        return try send(request, to: opening, isStreamed: true)
    }
}

/// The handler of an exchange that becomes a WebSocket: checks the server's answer, then passes the tunnel's events on.
private final class WebSocketOpening: ClientHandler {
    let handshake: WebSocketClientHandshake
    private let pool: ClientPool
    private let options: WebSocketOptions
    private let handler: (any WebSocketHandler)?
    private var webSocket: WebSocket?
    private(set) var outcome: Result<WebSocket, ClientError>?
    private var waiting: CheckedContinuation<Void, Never>?
    var failed: (ClientError) -> Void = { _ in }

    init(pool: ClientPool, options: WebSocketOptions, handler: (any WebSocketHandler)?) {
        self.pool = pool
        self.options = options
        self.handler = handler
        handshake = WebSocketClientHandshake(options: options, version: .http11)
    }

    nonisolated(nonsending) func wait() async {
        // What is waited for may have come by now: a call of an async function can be put off for an iteration of the loop.
        await withCheckedContinuation { if outcome != nil { $0.resume() } else { waiting = $0 } }
    }

    func response(_ exchange: ClientExchange) {
        guard let status = exchange.responseStatus else { return }
        let agreement: WebSocketClientHandshake.Agreement
        do throws(WebSocketHandshakeError) {
            // Over HTTP/2 there is no key, and so nothing that belongs to it.
            let handshake =
                exchange.version == .http2 ? WebSocketClientHandshake(options: options, version: .http2) : handshake
            agreement = try handshake.check(status: status, headers: exchange.headers)
            guard exchange.isTunnel else { throw .refused(status) }
        } catch {
            settle(.failure(.webSocket(error)))
            return exchange.reset()
        }
        let webSocket = WebSocket(
            role: .client, transport: exchange, options: options, subprotocol: agreement.subprotocol,
            compression: agreement.compression, resources: pool.webSockets, handler: handler)
        self.webSocket = webSocket
        webSocket.start()
        settle(.success(webSocket))
    }

    func body(_ exchange: ClientExchange, _ chunk: RawSpan) { webSocket?.receive(chunk) }
    func end(_ exchange: ClientExchange) { webSocket?.transportEnded() }
    func drained(_ exchange: ClientExchange) { webSocket?.transportDrained() }

    func closed(_ exchange: ClientExchange, _ error: ClientError?) {
        settle(.failure(error ?? .connectionLost))
        webSocket?.transportClosed()
        webSocket = nil
    }

    private func settle(_ outcome: Result<WebSocket, ClientError>) {
        guard self.outcome == nil else { return }
        self.outcome = outcome
        if case .failure(let error) = outcome { failed(error) }
        waiting?.resume()
        waiting = nil
    }
}
