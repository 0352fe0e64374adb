/// Threads for calls that block, such as name resolution and cold files; what they find comes back on a loop.
///
/// Threads are started as they are needed. The queue is bounded: work that finds it full is refused, and the caller says so
/// to its peer. Any thread may use it.
///
/// ```swift
/// let pool = BlockingPool()
/// let isQueued = pool.submit(on: loop) { read(path) } then: { contents in connection.answer(contents) }
/// guard isQueued else { return connection.refuse() }
/// ```
public final class BlockingPool: Sendable {
    /// Why ``run(_:)`` did not run the work.
    public enum Refusal: Error, Hashable, CustomStringConvertible {
        /// As much work as is allowed waits already.
        case full(limit: Int)
        /// The system lets the pool start no thread at all.
        case noThread
        /// The pool has been stopped.
        case stopped

        public var description: String {
            switch self {
            case .full(let limit): "blocking pool: \(limit) pieces of work wait already; raise the limit or send less"
            case .noThread: "blocking pool: no thread can be started; raise the limit of processes or memory"
            case .stopped: "blocking pool: stopped"
            }
        }
    }

    private struct State {
        var queue = TurnQueue<@Sendable () -> Void>()
        var threads: [LoopThread] = []
        /// Threads that wait for work.
        var idle = 0
        var isStopping = false
    }

    private let state: ConditionLock<State>
    private let limit: Int
    private let maximum: Int

    /// - Parameters:
    ///   - threads: at most so many run; at least one.
    ///   - queue: at most so many pieces of work wait for a thread; at least one.
    public init(threads: Int = 4, queue: Int = 1024) {
        state = ConditionLock(State())
        maximum = max(threads, 1)
        limit = max(queue, 1)
    }

    deinit {
        let threads = state.signal { state in
            state.isStopping = true
            return state.threads
        }
        for thread in threads { thread.detach() }
    }

    /// Runs `work` on a thread of the pool, then `then` with its result on `loop`. On the thread of `loop`, or before it runs.
    ///
    /// - Returns: false when the queue is full or the pool is stopped: neither will run. When the loop ends first, `then`
    ///   does not run, and may be let go on the pool's thread.
    public func submit<Result>(
        on loop: EventLoop, _ work: @escaping @Sendable () -> sending Result, then: @escaping (Result) -> Void
    ) -> Bool {
        let then = HandedOver(then)
        return enqueue {
            let result = HandedOver(work())
            loop.execute {
                // Taken out, so that what `then` holds goes on the loop's thread, whoever lets go of the box last.
                if let then = then.take(), let result = result.take() { then(result) }
            }
        } == nil
    }

    /// Runs `work` on a thread of the pool while the task waits.
    ///
    /// - Throws: ``Refusal``, or what `work` throws. Cancelling the task does not stop the work.
    public func run<Result>(_ work: @escaping @Sendable () throws -> sending Result) async throws -> sending Result {
        let outcome = try await withCheckedThrowingContinuation { continuation in
            let refusal = enqueue {
                continuation.resume(returning: HandedOver(Swift.Result { try work() }))
            }
            if let refusal { continuation.resume(throwing: refusal) }
        }
        guard let outcome = outcome.take() else { throw Refusal.stopped }
        return try outcome.get()
    }

    /// Finishes what waits and ends the threads; waits for them. Work that comes later is refused. Not from a thread of the
    /// pool.
    public func stop() {
        let threads = state.signal { state in
            state.isStopping = true
            var threads: [LoopThread] = []
            swap(&threads, &state.threads)
            return threads
        }
        for thread in threads { thread.join() }
    }

    /// Threads that have been started and not ended.
    public var threads: Int { state.withLock { $0.threads.count } }

    private func enqueue(_ work: @escaping @Sendable () -> Void) -> Refusal? {
        state.signal { state in
            guard !state.isStopping else { return .stopped }
            guard state.queue.count < limit else { return .full(limit: limit) }
            if state.queue.count >= state.idle, state.threads.count < maximum {
                let name = "helio-block-\(state.threads.count)"
                let shared = self.state
                if let thread = try? LoopThread(name: name, { Self.serve(shared) }) {
                    state.threads.append(thread)
                } else if state.threads.isEmpty {
                    return .noThread
                }
            }
            state.queue.append(work)
            return nil
        }
    }

    /// A thread's life. It does not hold the pool, which ends it when it goes.
    private static func serve(_ state: ConditionLock<State>) {
        var isIdle = false
        while true {
            let work = state.wait { state -> Turn? in
                if isIdle {
                    state.idle -= 1
                    isIdle = false
                }
                if let work = state.queue.popFirst() { return .work(work) }
                if state.isStopping { return .end }
                state.idle += 1
                isIdle = true
                return nil
            }
            guard case .work(let body) = work else { return }
            body()
        }
    }

    private enum Turn {
        case work(@Sendable () -> Void)
        case end
    }
}

/// Carries a value that is not Sendable from one thread to another. Sound where the sender gives it up: a closure of a
/// loop's thread that comes back to that thread and is called nowhere else, or a result that is `sending`.
@safe private final class HandedOver<Value>: @unchecked Sendable {
    private var value: Value?
    init(_ value: Value) { self.value = value }

    func take() -> Value? {
        defer { value = nil }
        return value
    }
}
