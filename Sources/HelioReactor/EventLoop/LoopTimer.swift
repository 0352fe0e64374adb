/// A timer of one loop: armed, moved and cancelled in constant time, as often as one likes. It fires at the first
/// millisecond that is not before its deadline. Loop thread.
///
/// ```swift
/// let idle = LoopTimer(on: loop) { connection.close() }
/// idle.schedule(after: .seconds(60))
/// ```
@safe public final class LoopTimer {
    private(set) var action: () -> Void
    private let loop: EventLoop
    /// Called instead of `action` when the loop ends before the deadline.
    var abandoned: (() -> Void)?
    // The wheel's: its place in a list, while it is armed.
    var next: Unmanaged<LoopTimer>?
    var previous: Unmanaged<LoopTimer>?
    var slot = -1
    var tick: UInt64 = 0

    /// A timer that is not armed. The loop keeps it, and what `action` holds, while it is.
    public init(on loop: EventLoop, _ action: @escaping () -> Void) {
        self.loop = loop
        self.action = action
    }

    public var isScheduled: Bool { slot >= 0 }

    /// Arms it for a time of ``EventLoop/now``, in place of any earlier one.
    public func schedule(at deadline: UInt64) { loop.arm(self, at: deadline) }

    /// Arms it for so long after ``EventLoop/now``.
    public func schedule(after duration: Duration) { loop.arm(self, at: loop.now &+ duration.nanoseconds) }

    public func cancel() { loop.disarm(self) }

    /// The loop has ended, and nothing can be armed there any more: what holds the timer may be what its action holds.
    func abandon() {
        let end = abandoned
        abandoned = nil
        action = {}
        end?()
    }
}

extension Duration {
    /// Whole nanoseconds; 0 for a negative duration; at most a quarter of UInt64's range (146 years).
    public var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let whole = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        guard !whole.overflow else { return UInt64.max / 4 }
        return min(whole.partialValue + UInt64(attoseconds / 1_000_000_000), UInt64.max / 4)
    }
}
