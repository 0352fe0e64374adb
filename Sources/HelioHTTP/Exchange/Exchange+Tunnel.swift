/// Other protocols inside of an exchange: WebSocket, CONNECT.
extension Exchange {
    /// The protocol that the request asks to speak: by `upgrade` over HTTP/1.1 (RFC 9110 section 7.8), by `:protocol` over
    /// HTTP/2 (RFC 8441), such as `websocket`. Nil for a request that asks for none.
    public var requestedProtocol: String? {
        protocolSlice.isPresent ? requestFields.string(protocolSlice) : nil
    }

    /// Whether the request asks for that protocol. Allocates nothing.
    public func requestsProtocol(_ name: String) -> Bool {
        protocolSlice.isPresent && requestFields.slice(protocolSlice, equals: name)
    }

    /// Accepts the protocol, or a CONNECT (RFC 9110 section 9.3.6): from now on the request's body and the response's are the
    /// raw bytes of each side, both ways at once, with the same events, writes and backpressure as ever. ``finish()`` ends our
    /// side; the handler's `end` tells of the peer's. No `bodyTimeout` applies.
    ///
    /// The head has the fields that were added; its status is 101 over HTTP/1.1, and 200 for CONNECT and over HTTP/2.
    ///
    /// - Returns: false when the exchange has ended, or asks for nothing of the kind.
    @discardableResult
    public func openTunnel() -> Bool {
        guard !isClosed, requestMethod == .connect || protocolSlice.isPresent else { return false }
        state.insert(.tunnel)
        bodyTimeout = UInt64.max
        let status = requestMethod == .connect ? Status.ok : .switchingProtocols
        guard begin(status) else { return false }
        settleHead(status)
        codec?.submitHead(self, status: status, endsStream: false)
        return true
    }

    /// Whether both bodies are raw bytes of another protocol.
    public var isTunnel: Bool { state.contains(.tunnel) }
}
