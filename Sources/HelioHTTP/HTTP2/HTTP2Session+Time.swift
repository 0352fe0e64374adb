/// Timeouts. The connection calls ``expire(now:)`` when ``nextDeadline(now:)`` has come.
extension HTTP2Session {
    /// When ``expire(now:)`` is next due, in nanoseconds; `UInt64.max`: never.
    ///
    /// It looks at every open stream, so it is asked when a timer fires or is first armed, not for each event: what
    /// begins in between is seen in time if the timer is never later than ``shortestTimeout`` from the event.
    public func nextDeadline(now: UInt64) -> UInt64 {
        guard unsafe raw != nil, failure == nil else { return UInt64.max }
        let times = resources.nanoseconds
        var next = UInt64.max
        if !isPrefaceReceived { next = min(next, created + times.preface) }
        if let headerBlockStart { next = min(next, headerBlockStart + times.header) }
        if case .announced(let start) = shutdown { next = min(next, start + Self.shutdownRoundTrip) }
        if open.isEmpty {
            if case .none = shutdown { next = min(next, idleSince + times.idle) }
            return next
        }
        for reference in open {
            reference.with { exchange in
                if exchange.awaitsBody { next = min(next, exchange.bodyDeadline(times.body, now: now)) }
                if exchange.hasOutput { next = min(next, exchange.sendDeadline(times.send, now: now)) }
            }
        }
        return next
    }

    /// The shortest time from an event that starts a timeout to its end; nanoseconds.
    public var shortestTimeout: UInt64 {
        let times = resources.nanoseconds
        return min(min(times.header, times.body), min(times.send, times.idle), Self.shutdownRoundTrip)
    }

    /// Ends what has taken too long.
    public func expire(now: UInt64) {
        guard unsafe raw != nil, failure == nil else { return }
        self.now = now
        let times = resources.nanoseconds
        if !isPrefaceReceived, now >= created + times.preface {
            return fail(.settingsTimeout, limit: .prefaceTimeout)
        }
        if let headerBlockStart, now >= headerBlockStart + times.header {
            return fail(.enhanceYourCalm, limit: .headerTimeout)
        }
        if case .announced(let start) = shutdown, now >= start + Self.shutdownRoundTrip { finishShutdown() }
        if open.isEmpty {
            if now >= idleSince + times.idle, case .none = shutdown {
                tripped(.idleTimeout)
                goAwayNow()
            }
            return
        }
        for reference in open { reference.with { expire($0) } }
    }

    private func expire(_ exchange: Exchange) {
        let times = resources.nanoseconds
        if exchange.awaitsBody, now >= exchange.bodyDeadline(times.body, now: now) {
            tripped(.bodyTimeout)
            exchange.abandon(.limit(.bodyTimeout), status: .requestTimeout)
        } else if exchange.hasOutput, now >= exchange.sendDeadline(times.send, now: now) {
            tripped(.sendTimeout)
            resetOnOurAccount(exchange.streamID, .cancel)
            exchange.close(.limit(.sendTimeout))
        }
    }
}
