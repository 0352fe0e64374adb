import Glibc
import Histogram

/// What a run has counted, and when it is over. Belongs to the loop.
final class Recorder {
    /// Operations that are measured; nil: until the time is up.
    private let goal: Int?
    /// Nanoseconds of the measured part; nil: until the operations are done.
    private let duration: UInt64?
    private let warmUp: UInt64
    private let finished: (Measurement) -> Void
    /// Told when what is measured begins, and when it ends.
    private let announce: (_ what: String) -> Void
    private var found = Measurement()
    private var began: UInt64
    private var measuredSince: UInt64 = 0
    private(set) var isOver = false

    init(
        goal: Int?, duration: Duration?, warmUp: Duration, announce: @escaping (String) -> Void,
        _ finished: @escaping (Measurement) -> Void
    ) {
        self.goal = goal
        self.duration = duration?.nanoseconds
        self.warmUp = warmUp.nanoseconds
        self.finished = finished
        self.announce = announce
        began = Self.now
    }

    /// Nanoseconds of the monotonic clock, read anew: the loop's stands still within an iteration.
    static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// What came before was preparation: the warm-up begins now.
    func begin() { began = Self.now }

    /// An operation that was due at `start` has ended well.
    func succeeded(since start: UInt64, bytes count: Int, version: @autoclosure () -> String) {
        guard !isOver else { return }
        let now = Self.now
        if measuredSince == 0 {
            guard now - began >= warmUp else { return }
            measuredSince = now
            announce("begin")
            found.version = version()
        }
        found.latencies.record(max(1, now &- start))
        found.operations += 1
        found.bytes += count
        if let goal, found.operations >= goal { finish(now) }
        if let duration, now - measuredSince >= duration { finish(now) }
    }

    func failed(_ error: String) {
        guard !isOver else { return }
        found.failed += 1
        found.error = found.error ?? error
        // A server that refuses everything is not asked for ever.
        if found.failed >= 1_000, found.failed > found.operations { finish(Self.now) }
    }

    /// Ends the run with what there is, as its preparation has failed.
    func giveUp(_ error: String) {
        failed(error)
        if !isOver { finish(Self.now) }
    }

    /// One line for whoever waits.
    var progress: String { "\(found.operations) done, \(found.failed) failed" }

    private func finish(_ now: UInt64) {
        isOver = true
        announce("end")
        found.seconds = measuredSince == 0 ? 0 : Double(now - measuredSince) / 1e9
        finished(found)
    }
}

extension Duration {
    /// Whole nanoseconds.
    var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        return UInt64(max(0, seconds)) * 1_000_000_000 + UInt64(max(0, attoseconds) / 1_000_000_000)
    }
}
