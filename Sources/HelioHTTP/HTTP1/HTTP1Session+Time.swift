/// Timeouts. The connection calls ``expire(now:)`` when ``nextDeadline(now:)`` has come.
extension HTTP1Session {
    /// When ``expire(now:)`` is next due, in nanoseconds; `UInt64.max`: never, as things stand.
    public func nextDeadline(now: UInt64) -> UInt64 {
        guard !isFinished else { return UInt64.max }
        let times = resources.nanoseconds
        if let current {
            if let headStart { return headStart + times.header }
            return current.with { exchange in
                var next = UInt64.max
                if exchange.awaitsBody { next = min(next, exchange.bodyDeadline(times.body, now: now)) }
                if exchange.hasOutput { next = min(next, exchange.sendDeadline(times.send, now: now)) }
                return next
            }
        }
        // The last bytes are on their way, and the connection watches over them.
        guard case .none = ending else { return now + times.send }
        if let discard { return discard.since + times.body }
        return isFresh ? created + times.preface : idleSince + times.idle
    }

    /// The shortest time from an event that starts a timeout to its end; nanoseconds.
    public var shortestTimeout: UInt64 {
        let times = resources.nanoseconds
        return min(min(times.header, times.body), min(times.send, times.idle), times.preface)
    }

    /// Ends what has taken too long.
    public func expire(now: UInt64) {
        guard !isFinished else { return }
        self.now = now
        let times = resources.nanoseconds
        if let current {
            if let headStart {
                guard now >= headStart + times.header else { return }
                tripped(.headerTimeout)
                // RFC 9110 section 15.5.9.
                return refuse(.requestTimeout)
            }
            return current.with { expire($0) }
        }
        guard case .none = ending else { return }
        if let discard {
            guard now >= discard.since + times.body else { return }
            tripped(.bodyTimeout)
            end(.afterOutput)
        } else if now >= (isFresh ? created + times.preface : idleSince + times.idle) {
            tripped(isFresh ? .prefaceTimeout : .idleTimeout)
            end(.afterOutput)
        }
    }

    private func expire(_ exchange: Exchange) {
        let times = resources.nanoseconds
        if exchange.awaitsBody, now >= exchange.bodyDeadline(times.body, now: now) {
            tripped(.bodyTimeout)
            exchange.abandon(.limit(.bodyTimeout), status: .requestTimeout)
        } else if exchange.hasOutput, now >= exchange.sendDeadline(times.send, now: now) {
            tripped(.sendTimeout)
            end(.now)
            exchange.close(.limit(.sendTimeout))
        }
    }
}
