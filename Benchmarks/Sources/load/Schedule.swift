import Heliograph

/// When operations begin: as fast as others end (closed loop), or at a rate that the server has no say in (open loop). In an
/// open loop the time of an operation counts from when it was due, also if it had to wait for a place: a server that stalls
/// is charged for all that it kept waiting.
///
/// An open loop of many operations a second looks at the clock in each turn of the event loop, which then never sleeps: what
/// is due begins within microseconds, and the load takes all of its core.
final class Schedule: EventSource {
    /// Operations a second; nil: a closed loop.
    private let rate: Double?
    private let loop: EventLoop
    private var began = Recorder.now
    private var started = 0
    private var timer: LoopTimer?
    private var isRunning = false
    private var free: [(_ due: UInt64) -> Void] = []
    private var waiting: [UInt64] = []
    private var firstWaiting = 0

    /// From so many a second on the loop does not sleep.
    private static let busyRate = 100.0

    init(on loop: EventLoop, rate: Double?) {
        self.loop = loop
        self.rate = rate
    }

    /// The first operation is due now.
    func start() {
        guard let rate else { return }
        began = Recorder.now
        isRunning = true
        if rate < Self.busyRate { timer = LoopTimer(on: loop) { [self] in resume() } }
        resume()
    }

    func stop() {
        isRunning = false
        timer?.cancel()
        timer = nil
    }

    /// Calls `begin` when the next operation is due, with the time from which it counts.
    func next(_ begin: @escaping (_ due: UInt64) -> Void) {
        guard rate != nil else { return begin(Recorder.now) }
        guard firstWaiting < waiting.count else {
            free.append(begin)
            return
        }
        let due = waiting[firstWaiting]
        firstWaiting += 1
        if firstWaiting > 65_536 {
            waiting.removeFirst(firstWaiting)
            firstWaiting = 0
        }
        begin(due)
    }

    func resume() {
        guard let rate, isRunning else { return }
        let due = Int(Double(Recorder.now - began) / 1e9 * rate)
        while started < due {
            started += 1
            let time = began + UInt64(Double(started) / rate * 1e9)
            if let begin = free.popLast() { begin(time) } else { waiting.append(time) }
        }
        if let timer { timer.schedule(after: .milliseconds(1)) } else { loop.again(self) }
    }
}
