/// A clock that moves when it is told to. Its time is what sans-IO parts take as `now`.
public final class ManualClock {
    /// Nanoseconds; not 0 at the start, as no real clock is.
    public private(set) var now: UInt64 = 1_000_000_000

    public init() {}

    /// Moves the time forward. A negative duration leaves it.
    public func advance(by duration: Duration) {
        let (seconds, attoseconds) = duration.components
        guard seconds >= 0, attoseconds >= 0 else { return }
        now += UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }
}
