internal import CLinux
internal import Foundation
internal import Testing

@testable internal import HelioReactor

@Suite struct BlockingPoolTests {
    @Test func whatBlocksIsDoneElsewhereAndTheResultComesToTheLoop() throws {
        try withGroup { group in
            let loop = group[0]
            let pool = BlockingPool()
            defer { pool.stop() }
            let seen = Shared<[Bool]>([])
            let isQueued = onLoop(loop) {
                pool.submit(on: loop) {
                    loop.isCurrent
                } then: { wasOnLoop in
                    seen.change { $0 = [wasOnLoop, loop.isCurrent] }
                }
            }
            #expect(isQueued)
            #expect(seen.wait { $0 == [false, true] })
        }
    }

    @Test func threadsStartAsNeededUpToTheLimit() throws {
        let pool = BlockingPool(threads: 2)
        #expect(pool.threads == 0)
        try withGroup { group in
            let gate = DispatchSemaphore(value: 0)
            let done = Shared(0)
            func submit() -> Bool {
                onLoop(group[0]) {
                    pool.submit(on: group[0]) {
                        gate.wait()
                    } then: {
                        done.change { $0 += 1 }
                    }
                }
            }
            #expect(submit())
            #expect(pool.threads == 1)
            for _ in 0..<5 { #expect(submit()) }
            #expect(pool.threads == 2)
            for _ in 0..<6 { gate.signal() }
            #expect(done.wait { $0 == 6 })
            pool.stop()
            #expect(pool.threads == 0)
        }
    }

    @Test func anIdleThreadIsUsedAgain() async throws {
        let pool = BlockingPool(threads: 8)
        for number in 0..<50 {
            #expect(try await pool.run { number } == number)
            // The thread says that it is idle after it has given its result.
            usleep(200)
        }
        #expect(pool.threads < 8)
        pool.stop()
    }

    @Test func aFullQueueRefusesAndSaysSo() async throws {
        let pool = BlockingPool(threads: 1, queue: 2)
        let gate = DispatchSemaphore(value: 0)
        let isBusy = Shared(false)
        try await withGroup { group in
            let done = Shared(0)
            let first = onLoop(group[0]) {
                pool.submit(on: group[0]) {
                    isBusy.change { $0 = true }
                    gate.wait()
                } then: {
                    done.change { $0 += 1 }
                }
            }
            #expect(first && isBusy.wait { $0 })
            let answers = onLoop(group[0]) {
                (0..<3).map { _ in
                    pool.submit(on: group[0]) {
                    } then: {
                        done.change { $0 += 1 }
                    }
                }
            }
            #expect(answers == [true, true, false])
            await #expect(throws: BlockingPool.Refusal.full(limit: 2)) { try await pool.run {} }
            gate.signal()
            #expect(done.wait { $0 == 3 })
            pool.stop()
            await #expect(throws: BlockingPool.Refusal.stopped) { try await pool.run {} }
        }
    }

    @Test func stopFinishesWhatWaits() throws {
        let count = Shared(0)
        let pool = BlockingPool(threads: 2)
        try withGroup { group in
            onLoop(group[0]) {
                for _ in 0..<100 {
                    _ = pool.submit(on: group[0]) {
                        count.change { $0 += 1 }
                    } then: {
                    }
                }
            }
            pool.stop()
            #expect(count.value == 100)
        }
    }

    @Test func errorsOfTheWorkReachTheTask() async throws {
        let pool = BlockingPool()
        await #expect(throws: Errno(EIO, in: "read")) { try await pool.run { throw Errno(EIO, in: "read") } }
        pool.stop()
    }

    @Test func whatTheContinuationHoldsGoesOnTheLoop() throws {
        final class Held {
            let loop: EventLoop
            let seen: Shared<[Bool]>
            init(_ loop: EventLoop, _ seen: Shared<[Bool]>) {
                self.loop = loop
                self.seen = seen
            }
            deinit {
                let isCurrent = loop.isCurrent
                seen.change { $0.append(isCurrent) }
            }
        }
        let seen = Shared<[Bool]>([])
        let pool = BlockingPool()
        try withGroup { group in
            let loop = group[0]
            for _ in 0..<200 {
                onLoop(loop) {
                    let held = Held(loop, seen)
                    _ = pool.submit(on: loop) {
                    } then: {
                        withExtendedLifetime(held) {}
                    }
                }
            }
            #expect(seen.wait { $0.count == 200 })
        }
        pool.stop()
        #expect(seen.value.allSatisfy { $0 })
    }
}
