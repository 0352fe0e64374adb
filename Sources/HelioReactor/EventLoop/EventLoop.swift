internal import CLinux
internal import Synchronization

/// One thread's loop over edge-triggered epoll: descriptors, timers, and work from other threads.
///
/// What its methods say of threads is meant: only ``execute(_:)``, ``stop()`` and the executor's part may be called from
/// any thread, all else on the loop's own, which ``isCurrent`` tells. One iteration is: wait; deliver readiness; do work
/// that was handed in; fire timers; give those their turn who asked for another; run jobs of tasks and actors; end of
/// iteration. Work, timers and jobs are each bounded per iteration: a flood of them delays the sockets, and does not
/// starve them.
///
/// ```swift
/// let group = try EventLoopGroup(threads: 1)
/// group[0].execute { print("on the loop") }
/// ```
@safe public final class EventLoop: @unchecked Sendable {
    /// Its place in its group.
    public let index: Int
    /// Where work is done that would block the loop. The loops of a group share one. Any thread.
    public let blockingPool: BlockingPool

    // Other threads' part.
    private let inbox = Lock(Inbox())
    private let wakeup: Wakeup
    /// The thread that runs the loop (`pthread_self`); 0 while none does.
    private let thread = Atomic<UInt>(0)

    // The loop thread's part.
    private let poller: Poller
    private var sources = SourceTable()
    private var timers: TimerWheel
    private var resuming: ContiguousArray<any EventSource> = []
    private var ending: ContiguousArray<any EventSource> = []
    private var jobs = TurnQueue<UnownedJob>()
    private var work = TurnQueue<@Sendable () -> Void>()
    private var isSignalled = false
    private var isStopped = false
    private var isFinished = false
    private var time: UInt64
    private var statistics = Tally()

    private struct Inbox {
        var jobs: ContiguousArray<UnownedJob> = []
        var work: ContiguousArray<@Sendable () -> Void> = []
        var isWoken = false
        var isStopping = false
        /// Nothing more is taken.
        var isOver = false
        /// After the end: some thread runs what jobs still come.
        var isRunningLate = false
    }

    /// Timers, pieces of work and jobs, of each so many, in one iteration.
    private static let turn = 1024
    /// Iterations that the end may take. A task that yields for ever does not keep the thread.
    private static let lastRounds = 1000

    /// The time of this iteration: CLOCK_MONOTONIC in nanoseconds, read when the wait ended. Loop thread.
    public var now: UInt64 { time }

    /// The number of this iteration, from 1: what is allowed so often in each is counted by it. Loop thread.
    public private(set) var iteration: UInt64 = 0

    /// - Parameters:
    ///   - index: its place in its group.
    ///   - blockingPool: where blocking work is done; it starts its threads as they are needed.
    /// - Throws: `Errno` when the process or the system has no descriptor left; it takes two.
    public init(index: Int = 0, blockingPool: BlockingPool = BlockingPool()) throws(Errno) {
        self.index = index
        self.blockingPool = blockingPool
        poller = try Poller()
        wakeup = try Wakeup()
        time = helio_monotonic_ns()
        timers = TimerWheel(now: time)
        try poller.add(wakeup.descriptor, Self.wakeupToken, .input)
    }

    private static let wakeupToken = Token(slot: UInt32.max, generation: UInt32.max)

    /// Whether the caller runs on this loop's thread. Any thread.
    @inline(__always)
    public var isCurrent: Bool { thread.load(ordering: .relaxed) == pthread_self() }

    // MARK: Running

    /// Runs the loop on the calling thread until ``stop()``. What is registered then, armed or put off is let go.
    ///
    /// SIGPIPE is blocked on the thread from then on: a peer that has gone is an error of the call that finds it out.
    ///
    /// - Precondition: it has not run before.
    public func run() {
        let isFirst = thread.exchange(pthread_self(), ordering: .relaxed) == 0
        precondition(isFirst && !isStopped, "a loop runs once")
        helio_block_pipe_signal()
        takeInbox()
        while !isStopped { iterate() }
        finish()
    }

    /// Makes ``run()`` return after the iteration that is going on and what was handed in before. Any thread.
    public func stop() {
        inbox.withLock { $0.isStopping = true }
        wakeup.signal()
    }

    private func iterate() {
        let ready = poller.wait(timeout: timeout)
        time = helio_monotonic_ns()
        let start = time
        iteration &+= 1
        for index in 0..<ready {
            let event = poller.event(index)
            if event.token == Self.wakeupToken {
                isSignalled = true
            } else if let source = sources[event.token] {
                source.ready(event.readiness)
            }
        }
        if isSignalled {
            isSignalled = false
            wakeup.clear()
            takeInbox()
        }
        doWork()
        fireTimers()
        giveTurns()
        runJobs()
        endIteration()
        statistics.latest.record(helio_monotonic_ns() &- start)
    }

    private var isIdle: Bool { resuming.isEmpty && ending.isEmpty && jobs.isEmpty && work.isEmpty }

    private var timeout: Int32 {
        guard isIdle else { return 0 }
        guard let next = timers.nextDeadline else { return -1 }
        let current = helio_monotonic_ns()
        guard next > current else { return 0 }
        return Int32(min((next - current + 999_999) / 1_000_000, 3_600_000))
    }

    /// Takes over what other threads have handed in. The wake-up is cleared before, so that none is lost.
    private func takeInbox() {
        var taken = Inbox()
        inbox.withLock { inbox in
            swap(&taken.jobs, &inbox.jobs)
            swap(&taken.work, &inbox.work)
            inbox.isWoken = false
            taken.isStopping = inbox.isStopping
        }
        jobs.append(contentsOf: taken.jobs)
        work.append(contentsOf: taken.work)
        if taken.isStopping { isStopped = true }
    }

    /// What work hands in itself comes in the next iteration.
    private func doWork() {
        for _ in 0..<min(work.count, Self.turn) { work.popFirst()?() }
    }

    private func fireTimers() {
        for _ in 0..<Self.turn {
            guard let timer = timers.popExpired(now: time) else { return }
            timer.action()
        }
    }

    private func giveTurns() {
        guard !resuming.isEmpty else { return }
        var turns: ContiguousArray<any EventSource> = []
        swap(&turns, &resuming)
        for source in turns { source.resume() }
        turns.removeAll(keepingCapacity: true)
        if resuming.isEmpty { swap(&turns, &resuming) }
    }

    /// The jobs that jobs make have their turn at once, within the bound.
    private func runJobs() {
        for _ in 0..<Self.turn {
            guard let job = jobs.popFirst() else { return }
            run(job)
        }
    }

    private func endIteration() {
        // Ends may bring about more ends, but each source has only so much to say; what comes past a few rounds waits.
        var rounds = 0
        while !ending.isEmpty, rounds < 4 {
            var ends: ContiguousArray<any EventSource> = []
            swap(&ends, &ending)
            for source in ends { source.iterationEnds() }
            ends.removeAll(keepingCapacity: true)
            if ending.isEmpty { swap(&ends, &ending) }
            rounds += 1
        }
    }

    // MARK: The end

    /// What was handed in before the end is done; what comes later is refused. Sources and timers hold the loop as it
    /// holds them: they are let go, so that both can be freed.
    private func finish() {
        settle()
        let sources = sources.removeAll()
        while let timer = timers.popAny() { timer.abandon() }
        withExtendedLifetime(sources) {}
        settle()
        resuming = []
        ending = []
        var refused = Inbox()
        inbox.withLock { inbox in
            swap(&refused.work, &inbox.work)
            inbox.isOver = true
            isFinished = true
            thread.store(0, ordering: .relaxed)
        }
        work.removeAll()
    }

    private func settle() {
        for _ in 0..<Self.lastRounds {
            takeInbox()
            doWork()
            giveTurns()
            runJobs()
            endIteration()
            if isIdle, inbox.withLock({ $0.jobs.isEmpty && $0.work.isEmpty }) { return }
        }
    }

    /// A task or an actor of this loop may outlive it: it waited for something else when the loop ended. Its jobs then run
    /// one at a time on the threads that bring them, each of which passes for the loop's while it does.
    private func runLate(_ job: UnownedJob) {
        var isMine = inbox.withLock { inbox -> Bool in
            inbox.jobs.append(job)
            defer { inbox.isRunningLate = true }
            return !inbox.isRunningLate
        }
        var rounds = 0
        while isMine {
            thread.store(pthread_self(), ordering: .relaxed)
            takeInbox()
            runJobs()
            rounds += 1
            thread.store(0, ordering: .relaxed)
            let isLast = jobs.isEmpty || rounds >= Self.lastRounds
            isMine = inbox.withLock { inbox in
                inbox.isRunningLate = !(isLast && inbox.jobs.isEmpty)
                return inbox.isRunningLate
            }
        }
    }

    // MARK: Work from other threads

    /// Runs `work` on the loop, in the order in which it was handed in by each thread; never within the call. Any thread.
    ///
    /// - Returns: false when the loop has ended, and `work` will not run.
    @discardableResult
    public func execute(_ work: @escaping @Sendable () -> Void) -> Bool {
        guard isCurrent else { return hand { $0.work.append(work) } }
        guard !isFinished else { return false }
        self.work.append(work)
        return true
    }

    func hand(_ job: UnownedJob) {
        if isCurrent {
            jobs.append(job)
        } else if !hand({ $0.jobs.append(job) }) {
            runLate(job)
        }
    }

    private func hand(_ add: (inout Inbox) -> Void) -> Bool {
        let (accepted, wakes) = inbox.withLock { inbox -> (Bool, Bool) in
            guard !inbox.isOver else { return (false, false) }
            add(&inbox)
            let wakes = !inbox.isWoken
            inbox.isWoken = true
            return (true, wakes)
        }
        if wakes { wakeup.signal() }
        return accepted
    }

    // MARK: Descriptors

    /// Watches a descriptor. The loop keeps `source` until ``forget(_:descriptor:)``, or until it ends.
    ///
    /// - Throws: `Errno` of epoll_ctl(2); ECANCELED when the loop has ended.
    public func watch(_ descriptor: Int32, _ interest: Interest, _ source: any EventSource) throws(Errno) -> Token {
        guard !isFinished else { throw Errno(ECANCELED, in: "watch") }
        let token = sources.insert(source)
        do {
            try poller.add(descriptor, token, interest)
        } catch {
            _ = sources.remove(token)
            throw error
        }
        return token
    }

    /// Ends a registration: no event of it is delivered any more, not even one that is reported already.
    ///
    /// - Parameter descriptor: taken out of epoll too, which is needed unless it is closed right after.
    public func forget(_ token: Token, descriptor: Int32? = nil) {
        if let descriptor { poller.remove(descriptor) }
        // The source may go with this, and use the loop while it does: only after the table has been left.
        let source = sources.remove(token)
        withExtendedLifetime(source) {}
    }

    /// Descriptors that are watched now.
    public var watchedDescriptors: Int { sources.count }

    // MARK: Turns

    /// Gives `source` a turn in the next iteration, after the sockets that are ready have had theirs.
    public func again(_ source: any EventSource) {
        guard !isFinished else { return }
        resuming.append(source)
    }

    /// Calls `source` at the end of this iteration.
    @inline(__always)
    public func atEndOfIteration(_ source: any EventSource) {
        guard !isFinished else { return }
        ending.append(source)
    }

    // MARK: Timers

    func arm(_ timer: LoopTimer, at deadline: UInt64) {
        if timer.isScheduled { timers.remove(timer) }
        guard !isFinished else { return }
        timers.insert(timer, deadline: deadline)
    }

    func disarm(_ timer: LoopTimer) {
        if timer.isScheduled { timers.remove(timer) }
    }

    /// Whether the loop has ended. Nothing can be armed or watched then. Loop thread.
    var hasEnded: Bool { isFinished }

    /// Runs `action` once, after `delay`. Cancelled by the timer's `cancel()`.
    @discardableResult
    public func schedule(after delay: Duration, _ action: @escaping () -> Void) -> LoopTimer {
        let timer = LoopTimer(on: self, action)
        timer.schedule(after: delay)
        return timer
    }

    /// Timers that are armed now.
    public var armedTimers: Int { timers.count }

    // MARK: Statistics

    /// The statistics since the reader's last call. The iteration that is going on is in the next ones. Loop thread.
    public func takeStatistics(for reader: StatisticsReader = .application) -> Statistics {
        statistics.take(for: reader)
    }
}
