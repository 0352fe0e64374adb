import Heliograph

/// When operations begin: as fast as others end (closed loop), or at a rate that the server has no say in (open loop). In an
/// open loop the time of an operation counts from when it was due, also if it had to wait for a place: a server that stalls
/// is charged for all that it kept waiting.
final class Schedule {
    /// Operations a second; nil: a closed loop.
    let rate: Double?
    private let loop: EventLoop
    private let began = Recorder.now
    private var started = 0
    private var timer: LoopTimer?
    private var free: [(_ due: UInt64) -> Void] = []
    private var waiting: [UInt64] = []
    private var firstWaiting = 0

    init(on loop: EventLoop, rate: Double?) {
        self.loop = loop
        self.rate = rate
        guard rate != nil else { return }
        timer = LoopTimer(on: loop) { [self] in tick() }
        timer?.schedule(after: .milliseconds(1))
    }

    func stop() {
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

    private func tick() {
        guard let rate, timer != nil else { return }
        let due = Int(Double(Recorder.now - began) / 1e9 * rate)
        while started < due {
            started += 1
            let time = began + UInt64(Double(started) / rate * 1e9)
            if let begin = free.popLast() { begin(time) } else { waiting.append(time) }
        }
        timer?.schedule(after: .milliseconds(1))
    }
}
