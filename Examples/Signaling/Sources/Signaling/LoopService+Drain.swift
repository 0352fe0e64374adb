import Heliograph
import SignalingCore

extension LoopService {
    /// Sends the sessions of this loop away, and calls `done` when all have been told, or when it is undone.
    func drain(within time: Duration, _ done: @escaping () -> Void) {
        node.drain(within: time, now: now)
        drained.append(done)
        drainStep()
    }

    /// To be called when the node may have begun to drain.
    func startDraining() {
        guard node.isDraining, node.drainState.left > 0, !drainTimer.isScheduled else { return }
        drainTimer.schedule(after: .zero)
    }

    func drainStep() {
        if node.drainStep(now: now) { return drainTimer.schedule(after: Self.drainInterval) }
        endDraining()
    }

    /// Waits no longer for those who have not been told.
    func endDraining() {
        drainTimer.cancel()
        let waiting = drained
        drained = []
        for done in waiting { done() }
    }

    static let drainInterval = Duration.milliseconds(100)
}
