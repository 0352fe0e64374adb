/// What all sessions of one loop share, whatever their version: the limits, the recycled exchanges and the counters.
///
/// Belongs to one thread.
@safe public final class HTTPResources {
    let limits: Limits
    let nanoseconds: LimitNanoseconds
    let rates: LimitRates
    let exchanges = ExchangePool()
    @Unguarded var counters = HTTPCounters()
    /// The receiver of exchanges that wait in the pool.
    let nobody = NobodyHandler()

    /// - Parameter limits: the bounds of every session made with these resources.
    public init(limits: Limits) {
        self.limits = limits
        nanoseconds = LimitNanoseconds(limits)
        rates = LimitRates(limits)
    }

    deinit { _counters.deallocate() }

    /// What the sessions of this loop have counted so far. Loop thread.
    public func counterSnapshot() -> HTTPCounters { counters }
}

final class NobodyHandler: Handler {
    func request(_ exchange: Exchange) {}
}

/// The times of ``Limits`` in nanoseconds, computed once.
struct LimitNanoseconds {
    let handshake, preface, header, body, send, idle: UInt64

    init(_ limits: Limits) {
        handshake = Self.nanoseconds(limits.handshakeTimeout)
        preface = Self.nanoseconds(limits.prefaceTimeout)
        header = Self.nanoseconds(limits.headerTimeout)
        body = Self.nanoseconds(limits.bodyTimeout)
        send = Self.nanoseconds(limits.sendTimeout)
        idle = Self.nanoseconds(limits.idleTimeout)
    }

    static func nanoseconds(_ duration: Duration) -> UInt64 {
        let (seconds, attoseconds) = duration.components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let whole = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        guard !whole.overflow else { return UInt64.max / 4 }
        return min(whole.partialValue + UInt64(attoseconds / 1_000_000_000), UInt64.max / 4)
    }
}

/// The rates of ``Limits``, computed once.
struct LimitRates {
    let frames, controlFrames, peerResets, inducedResets: RateLimiter.Bound

    init(_ limits: Limits) {
        frames = .init(limits.frameRate)
        controlFrames = .init(limits.controlFrameRate)
        peerResets = .init(limits.peerResetRate)
        inducedResets = .init(limits.inducedResetRate)
    }
}

/// What the HTTP sessions of a loop count. Numbers only grow, but for the gauges.
public struct HTTPCounters: Sendable {
    /// Requests given to a handler.
    public var requests = 0
    /// Exchanges open now (a gauge).
    public var openStreams = 0
    /// Requests over HTTP/1.1 that were not served, by the status that they were refused with.
    public var refusals: [Status: Int] = [:]
    /// Limits crossed, by name.
    public var limitsTripped: [LimitName: Int] = [:]

    public init() {}

    mutating func trip(_ limit: LimitName) { limitsTripped[limit, default: 0] += 1 }
}
