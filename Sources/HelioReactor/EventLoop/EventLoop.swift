internal import CLinux
internal import Synchronization

/// One thread's loop over edge-triggered epoll: descriptors, timers, and work from other threads.
///
/// What its methods say of threads is meant: only ``execute(_:)``, ``stop()`` and the executor's part may be called from
/// any thread, all else on the loop's own, which ``isCurrent`` tells. One iteration is: wait; deliver readiness; take
/// over work of other threads; fire timers; give those their turn who asked for another; end of iteration.
///
/// ```swift
/// let group = try EventLoopGroup(threads: 1)
/// group[0].execute { print("on the loop") }
/// ```
@safe public final class EventLoop: @unchecked Sendable {
    /// Its place in its group.
    public let index: Int

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
    private var localJobs: ContiguousArray<UnownedJob> = []
    private var isStopped = false
    private var statistics = Statistics()

    private struct Inbox {
        var jobs: ContiguousArray<UnownedJob> = []
        var work: ContiguousArray<@Sendable () -> Void> = []
        var isWoken = false
        var isStopping = false
        var isOver = false
    }

    /// The time of this iteration: CLOCK_MONOTONIC in nanoseconds, read when the wait ended. Loop thread.
    public private(set) var now: UInt64

    /// The number of this iteration, from 1: what is allowed so often in each is counted by it. Loop thread.
    public private(set) var iteration: UInt64 = 0

    /// - Parameter index: its place in its group.
    /// - Throws: `Errno` when the process or the system has no descriptor left; it takes two.
    public init(index: Int = 0) throws(Errno) {
        self.index = index
        poller = try Poller()
        wakeup = try Wakeup()
        now = helio_monotonic_ns()
        timers = TimerWheel(now: now)
        try poller.add(wakeup.descriptor, Self.wakeupToken, .input)
    }

    private static let wakeupToken = Token(slot: UInt32.max, generation: UInt32.max)

    /// Whether the caller runs on this loop's thread. Any thread.
    @inline(__always)
    public var isCurrent: Bool { thread.load(ordering: .relaxed) == pthread_self() }

    // MARK: Running

    /// Runs the loop on the calling thread until ``stop()``.
    ///
    /// - Precondition: it has not run before.
    public func run() {
        let isFirst = thread.exchange(pthread_self(), ordering: .relaxed) == 0
        precondition(isFirst && !isStopped, "a loop runs once")
        while !isStopped { iterate() }
        finish()
        thread.store(0, ordering: .relaxed)
    }

    /// Makes ``run()`` return after the iteration that is going on and what was handed in before. Any thread.
    public func stop() {
        inbox.withLock { $0.isStopping = true }
        wakeup.signal()
    }

    private func iterate() {
        let ready = poller.wait(timeout: timeout)
        now = helio_monotonic_ns()
        let start = now
        iteration &+= 1
        for index in 0..<ready {
            let event = poller.event(index)
            if event.token == Self.wakeupToken {
                wakeup.clear()
            } else if let source = sources[event.token] {
                source.ready(event.readiness)
            }
        }
        takeInbox()
        fireTimers()
        giveTurns()
        endIteration()
        statistics.record(helio_monotonic_ns() &- start)
    }

    private var timeout: Int32 {
        if !resuming.isEmpty || !ending.isEmpty || !localJobs.isEmpty { return 0 }
        guard let next = timers.nextDeadline else { return -1 }
        let current = helio_monotonic_ns()
        guard next > current else { return 0 }
        return Int32(min((next - current + 999_999) / 1_000_000, 3_600_000))
    }

    private func fireTimers() {
        while let timer = timers.popExpired(now: now) { timer.action() }
    }

    private func giveTurns() {
        guard !resuming.isEmpty else { return }
        var turns: ContiguousArray<any EventSource> = []
        swap(&turns, &resuming)
        for source in turns { source.resume() }
        turns.removeAll(keepingCapacity: true)
        if resuming.isEmpty { swap(&turns, &resuming) }
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

    private func takeInbox() {
        runLocalJobs()
        var taken = Inbox()
        inbox.withLock { inbox in
            guard inbox.isWoken || inbox.isStopping else { return }
            swap(&taken.jobs, &inbox.jobs)
            swap(&taken.work, &inbox.work)
            inbox.isWoken = false
            taken.isStopping = inbox.isStopping
        }
        for job in taken.jobs { run(job) }
        for work in taken.work { work() }
        runLocalJobs()
        if taken.isStopping { isStopped = true }
    }

    /// Jobs that jobs make have their turn too, a bounded number of rounds before the sockets have theirs.
    private func runLocalJobs() {
        var rounds = 0
        while !localJobs.isEmpty, rounds < 16 {
            var jobs: ContiguousArray<UnownedJob> = []
            swap(&jobs, &localJobs)
            for job in jobs { run(job) }
            rounds += 1
        }
    }

    /// What was handed in before the end is done; what comes later is dropped.
    private func finish() {
        for _ in 0..<1000 {
            takeInbox()
            giveTurns()
            endIteration()
            if localJobs.isEmpty, inbox.withLock({ $0.jobs.isEmpty && $0.work.isEmpty }) { break }
        }
        inbox.withLock { $0.isOver = true }
    }

    // MARK: Work from other threads

    /// Runs `work` on the loop, in the order in which it was handed in by each thread. Any thread.
    ///
    /// - Returns: false when the loop has ended, and `work` will not run.
    @discardableResult
    public func execute(_ work: @escaping @Sendable () -> Void) -> Bool {
        hand { $0.work.append(work) }
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

    func hand(_ job: UnownedJob) {
        if isCurrent {
            localJobs.append(job)
        } else {
            let accepted = hand { $0.jobs.append(job) }
            precondition(accepted, "a task or an actor of this loop has outlived it")
        }
    }

    // MARK: Descriptors

    /// Watches a descriptor. The loop keeps `source` until ``forget(_:)``.
    ///
    /// - Throws: `Errno` of epoll_ctl(2).
    public func watch(_ descriptor: Int32, _ interest: Interest, _ source: any EventSource) throws(Errno) -> Token {
        let token = sources.insert(source)
        do {
            try poller.add(descriptor, token, interest)
        } catch {
            sources.remove(token)
            throw error
        }
        return token
    }

    /// Ends a registration: no event of it is delivered any more, not even one that is reported already.
    ///
    /// - Parameter descriptor: taken out of epoll too, which is needed unless it is closed right after.
    public func forget(_ token: Token, descriptor: Int32? = nil) {
        if let descriptor { poller.remove(descriptor) }
        sources.remove(token)
    }

    /// Descriptors that are watched now.
    public var watchedDescriptors: Int { sources.count }

    // MARK: Turns

    /// Gives `source` a turn in the next iteration, after the sockets that are ready have had theirs.
    public func again(_ source: any EventSource) { resuming.append(source) }

    /// Calls `source` at the end of this iteration.
    @inline(__always)
    public func atEndOfIteration(_ source: any EventSource) { ending.append(source) }

    // MARK: Timers

    func arm(_ timer: LoopTimer, at deadline: UInt64) {
        if timer.isScheduled { timers.remove(timer) }
        timers.insert(timer, deadline: deadline)
    }

    func disarm(_ timer: LoopTimer) {
        if timer.isScheduled { timers.remove(timer) }
    }

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

    /// How the loop has fared.
    public struct Statistics: Sendable, Hashable {
        public internal(set) var iterations = 0
        /// The longest iteration, from the end of its wait to its end; nanoseconds.
        public internal(set) var longestIteration: UInt64 = 0
        /// Time spent in iterations, all in all; nanoseconds.
        public internal(set) var busy: UInt64 = 0

        @inline(__always)
        mutating func record(_ length: UInt64) {
            iterations += 1
            busy += length
            if length > longestIteration { longestIteration = length }
        }
    }

    /// The statistics since the last call, and begins anew. Loop thread.
    public func takeStatistics() -> Statistics {
        defer { statistics = Statistics() }
        return statistics
    }
}
