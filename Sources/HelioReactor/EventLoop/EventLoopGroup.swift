internal import CLinux

/// Loops, each on a thread of its own. They run until ``stop()``: letting go of the group does not end them.
public final class EventLoopGroup: Sendable {
    public let loops: [EventLoop]
    private let ownPool: BlockingPool?
    private let threads: Lock<[LoopThread]>

    /// Starts the threads.
    ///
    /// - Parameters:
    ///   - threads: how many; nil is one for each CPU that the process may use.
    ///   - pinning: ties each thread to one CPU of those that the process may use, in turn.
    ///   - blockingPool: where the loops' blocking work is done; nil is a pool of their own, which ends with them.
    /// - Throws: `Errno` when descriptors or threads run out.
    public init(
        threads count: Int? = nil, pinning: Bool = false, blockingPool: BlockingPool? = nil
    ) throws(Errno) {
        let count = max(1, count ?? Int(helio_cpu_count()))
        let pool = blockingPool ?? BlockingPool()
        ownPool = blockingPool == nil ? pool : nil
        var loops: [EventLoop] = []
        for index in 0..<count { loops.append(try EventLoop(index: index, blockingPool: pool)) }
        self.loops = loops
        threads = Lock([])
        for loop in loops {
            do {
                let thread = try LoopThread(name: "helio-\(loop.index)") {
                    if pinning { _ = helio_pin_thread(Int32(loop.index)) }
                    loop.run()
                }
                threads.withLock { $0.append(thread) }
            } catch {
                stop()
                throw error
            }
        }
    }

    public var count: Int { loops.count }

    public subscript(index: Int) -> EventLoop { loops[index] }

    /// Ends all loops and waits for their threads. Not from one of them. A second call does nothing.
    public func stop() {
        precondition(!loops.contains { $0.isCurrent }, "a loop cannot wait for its own end")
        var running: [LoopThread] = []
        threads.withLock { swap(&running, &$0) }
        for loop in loops { loop.stop() }
        for thread in running { thread.join() }
        ownPool?.stop()
    }

    /// As ``stop()``, from anywhere: the waiting is done by a thread of its own.
    public func stopped() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let thread = try? LoopThread(name: "helio-stop", isDetached: true) { [self] in
                stop()
                continuation.resume()
            }
            guard thread == nil else { return }
            for loop in loops { loop.stop() }
            continuation.resume()
        }
    }
}
