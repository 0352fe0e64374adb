import Heliograph
import SignalingCore

/// Measures how a loop fares: how late its timers fire, and how long its iterations are. On the loop.
final class LoopMonitor {
    private(set) var lag = LagHistogram()
    private(set) var busy: UInt64 = 0
    private(set) var longestIteration: UInt64 = 0
    private let loop: EventLoop
    private var timer: LoopTimer?
    private var due: UInt64 = 0
    private var turns = 0

    private static let interval = Duration.milliseconds(250)
    /// Iterations are looked at once a second.
    private static let turnsPerSecond = 4

    init(on loop: EventLoop) {
        self.loop = loop
        timer = LoopTimer(on: loop) { [unowned self] in fire() }
        schedule()
    }

    func stop() { timer?.cancel() }

    private func schedule() {
        due = loop.now + Self.interval.nanoseconds
        timer?.schedule(at: due)
    }

    private func fire() {
        lag.record(loop.now > due ? loop.now - due : 0)
        turns += 1
        if turns % Self.turnsPerSecond == 0 {
            let statistics = loop.takeStatistics(for: .application)
            busy += statistics.busy
            longestIteration = statistics.longestIteration
        }
        schedule()
    }
}
