/// Tasks and actors on a loop: a job runs on the loop's thread, in an iteration.
///
/// ```swift
/// actor Room {
///     let loop: EventLoop
///     init(loop: EventLoop) { self.loop = loop }
///     nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
/// }
/// ```
extension EventLoop: SerialExecutor, TaskExecutor {
    /// Any thread. A job that comes when the loop has ended runs within the call, alone among the jobs of this loop.
    public func enqueue(_ job: consuming ExecutorJob) { hand(UnownedJob(job)) }

    func run(_ job: UnownedJob) {
        unsafe job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
    }

    public func checkIsolated() { precondition(isCurrent, "not on the thread of event loop \(index)") }

    public func isIsolatingCurrentContext() -> Bool? { isCurrent }
}

extension EventLoop {
    /// Suspends the task for a time of the loop's clock; it resumes on the loop when it runs there.
    ///
    /// Called from a task of the loop, as async handlers are.
    ///
    /// - Throws: `CancellationError` when the task is cancelled, or the loop ends.
    nonisolated(nonsending) public func sleep(for duration: Duration) async throws {
        let nap = Nap()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                nap.begin(continuation)
                handOver { [self] in
                    nap.arm(on: self, for: duration)
                } orElse: {
                    nap.refuse()
                }
            }
        } onCancel: {
            handOver {
                nap.cancel()
            } orElse: {
            }
        }
    }

    private nonisolated func handOver(_ work: @escaping @Sendable () -> Void, orElse: () -> Void) {
        if isCurrent { work() } else if !execute(work) { orElse() }
    }
}

/// One sleep. What it holds is touched on the loop's thread, but for its beginning, which comes before.
private final class Nap: @unchecked Sendable {
    private var continuation: CheckedContinuation<Void, any Error>?
    private var timer: LoopTimer?
    private var isCancelled = false

    func begin(_ continuation: CheckedContinuation<Void, any Error>) { self.continuation = continuation }

    func arm(on loop: EventLoop, for duration: Duration) {
        guard !isCancelled, !loop.hasEnded else { return wake(throwing: CancellationError()) }
        let timer = LoopTimer(on: loop) { [self] in wake(throwing: nil) }
        timer.abandoned = { [self] in wake(throwing: CancellationError()) }
        self.timer = timer
        timer.schedule(after: duration)
    }

    func cancel() {
        isCancelled = true
        guard let timer else { return }
        timer.cancel()
        wake(throwing: CancellationError())
    }

    /// The loop has ended before the sleep began.
    func refuse() { wake(throwing: CancellationError()) }

    private func wake(throwing error: CancellationError?) {
        guard let continuation else { return }
        self.continuation = nil
        timer = nil
        if let error { continuation.resume(throwing: error) } else { continuation.resume() }
    }
}
