import Glibc
import Histogram

/// What a run has counted, and when it is over. Belongs to the loop.
final class Recorder {
    /// Operations that are measured; nil: until the time is up.
    let goal: Int?
    /// Nanoseconds of the measured part; nil: until the operations are done.
    let duration: UInt64?
    private let warmUp: UInt64
    private let finished: (Result) -> Void
    private var latencies = Histogram<UInt64>(
        highestTrackableValue: 60_000_000_000, numberOfSignificantValueDigits: .three)
    private let began: UInt64
    private var measuredSince: UInt64 = 0
    private var done = 0
    private var failed = 0
    private var bytes = 0
    private var firstError: String?
    private(set) var isOver = false
    private var version = ""

    struct Result: Sendable {
        var operations = 0
        var failed = 0
        var seconds = 0.0
        var bytes = 0
        var version = ""
        var error: String?
        /// Percentile and nanoseconds.
        var latencies: [(name: String, value: UInt64)] = []
    }

    init(goal: Int?, duration: Duration?, warmUp: Duration, _ finished: @escaping (Result) -> Void) {
        self.goal = goal
        self.duration = duration?.nanoseconds
        self.warmUp = warmUp.nanoseconds
        self.finished = finished
        began = Self.now
    }

    /// Nanoseconds of the monotonic clock, read anew: the loop's stands still within an iteration.
    static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// An operation that was due at `start` has ended well.
    func succeeded(since start: UInt64, bytes count: Int, version: @autoclosure () -> String) {
        guard !isOver else { return }
        let now = Self.now
        if measuredSince == 0 {
            guard now - began >= warmUp else { return }
            measuredSince = now
            self.version = version()
        }
        latencies.record(max(1, now - start))
        done += 1
        bytes += count
        if let goal, done >= goal { finish(now) }
        if let duration, now - measuredSince >= duration { finish(now) }
    }

    func failed(_ error: String) {
        guard !isOver else { return }
        failed += 1
        firstError = firstError ?? error
        // A server that refuses everything is not asked for ever.
        if failed >= 1_000, failed > done { finish(Self.now) }
    }

    /// One line for whoever waits.
    var progress: String { "\(done) done, \(failed) failed" }

    private func finish(_ now: UInt64) {
        isOver = true
        var result = Result(operations: done, failed: failed, bytes: bytes, version: version, error: firstError)
        result.seconds = measuredSince == 0 ? 0 : Double(now - measuredSince) / 1e9
        result.latencies = [("p50", 50.0), ("p90", 90), ("p99", 99), ("p99.9", 99.9), ("max", 100)].map {
            ($0.0, latencies.valueAtPercentile($0.1))
        }
        finished(result)
    }
}

extension Duration {
    /// Whole nanoseconds.
    var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        return UInt64(max(0, seconds)) * 1_000_000_000 + UInt64(max(0, attoseconds) / 1_000_000_000)
    }
}
