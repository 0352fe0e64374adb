extension ClientExchange: WebSocketTransport {
    public func tripped(_ limit: LimitName) { resources.trip(limit) }
}
