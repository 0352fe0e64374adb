import Heliograph
import Synchronization

/// Tells the service manager that the service lives: at each turn all loops are asked, and only when all have answered is it
/// said. One that hangs so has the service restarted. Loop thread of the first loop.
final class Watchdog {
    private let manager: ServiceManager
    private let loops: [EventLoop]
    private var timer: LoopTimer?

    private final class Turn: Sendable {
        let left: Atomic<Int>
        init(_ count: Int) { left = Atomic(count) }
    }

    init(_ manager: ServiceManager, loops: [EventLoop], every interval: Duration) {
        self.manager = manager
        self.loops = loops
        timer = LoopTimer(on: loops[0]) { [unowned self] in
            timer?.schedule(after: interval)
            ask()
        }
        timer?.schedule(after: interval)
    }

    deinit { timer?.cancel() }

    private func ask() {
        let turn = Turn(loops.count)
        let manager = manager
        for loop in loops {
            loop.execute { if turn.left.subtract(1, ordering: .relaxed).newValue == 0 { manager.isAlive() } }
        }
    }
}
