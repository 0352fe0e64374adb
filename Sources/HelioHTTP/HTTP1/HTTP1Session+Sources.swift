/// Bodies that are read while they are sent.
extension HTTP1Session {
    /// Reads a source straight into the output.
    ///
    /// - Returns: false when the output is full, or the owner sends what is next.
    func write(_ source: any BodySource, of exchange: Exchange, to output: inout HTTP1Output) -> Bool {
        while source.remaining > 0 {
            guard output.room > 0, !(passesSources && source.isPassable) else { return false }
            var read = BodyRead.later
            unsafe output.append { region in
                unsafe read = source.read(into: region, for: exchange)
                guard case .bytes(let count) = read else { return 0 }
                return count
            }
            guard advance(exchange, read) else { return true }
        }
        return true
    }

    public func passSource(now: UInt64, _ send: (any BodySource, Exchange) -> BodyRead?) {
        guard passesSources, response.isHeadSent, control.isEmpty, case .none = ending else { return }
        self.now = now
        current?.with { exchange in
            guard let source = exchange.source, source.remaining > 0, source.isPassable,
                exchange.state.isDisjoint(with: [.starved, .closed]), let sent = send(source, exchange)
            else { return }
            _ = advance(exchange, sent)
        }
    }

    /// Takes account of what has come of a source. Answers whether there may be more at once.
    private func advance(_ exchange: Exchange, _ read: BodyRead) -> Bool {
        switch read {
        case .bytes(let count):
            if let left = response.left { response.left = left - count }
            exchange.bodyBytesSent += count
            exchange.sendProgress = now
            return true
        case .later:
            exchange.state.insert(.starved)
        case .failed:
            if !exchange.state.contains(.closed) { exchange.closeReason = .reset(.internalError) }
            end(.now)
        }
        return false
    }
}
