internal import CLinux
internal import Foundation
internal import Testing

@testable internal import HelioReactor

@Suite struct ExecutorTests {
    private actor Room {
        let loop: EventLoop
        var members = 0
        init(_ loop: EventLoop) { self.loop = loop }
        nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

        func join() -> Bool {
            members += 1
            return loop.isCurrent
        }

        nonisolated func assertIsolated() -> Bool {
            assumeIsolated { room in room.members >= 0 }
        }
    }

    @Test func anActorPinnedToALoopRunsThere() async throws {
        try await withGroup(threads: 2) { group in
            let room = Room(group[1])
            await withTaskGroup(of: Bool.self) { tasks in
                for _ in 0..<500 { tasks.addTask { await room.join() } }
                for await isOnLoop in tasks { #expect(isOnLoop) }
            }
            #expect(await room.members == 500)
        }
    }

    @Test func isolationIsKnownOnTheLoopWithoutATask() throws {
        try withGroup { group in
            let room = Room(group[0])
            #expect(onLoop(group[0]) { room.assertIsolated() })
            #expect(group[0].isIsolatingCurrentContext() == false)
            #expect(
                onLoop(group[0]) {
                    group[0].checkIsolated()
                    return group[0].isIsolatingCurrentContext() == true
                })
        }
    }

    @Test func aTaskWithThePreferenceRunsOnTheLoopAfterEachSuspension() async throws {
        try await withGroup { group in
            let loop = group[0]
            let seen = await Task(executorPreference: loop) {
                var seen = [loop.isCurrent]
                await Task.yield()
                seen.append(loop.isCurrent)
                try? await loop.sleep(for: .milliseconds(1))
                seen.append(loop.isCurrent)
                _ = await Task.detached { 1 }.value
                seen.append(loop.isCurrent)
                return seen
            }.value
            #expect(seen == [true, true, true, true])
        }
    }

    @Test func anImmediateTaskBeginsInTheCallAndResumesOnTheLoop() throws {
        let steps = Shared<[String]>([])
        try withGroup { group in
            let loop = group[0]
            onLoop(loop) {
                Task.immediate(executorPreference: loop) {
                    steps.change { $0.append("begun \(loop.isCurrent)") }
                    try? await loop.sleep(for: .milliseconds(2))
                    steps.change { $0.append("resumed \(loop.isCurrent)") }
                }
                steps.change { $0.append("returned") }
            }
            #expect(steps.wait { $0.count == 3 })
        }
        #expect(steps.value == ["begun true", "returned", "resumed true"])
    }

    @Test func sleepLastsAsLongAsItSays() async throws {
        try await withGroup { group in
            let start = helio_monotonic_ns()
            try await group[0].sleep(for: .milliseconds(20))
            // An iteration's time may be a little before the call.
            #expect(helio_monotonic_ns() - start >= 19_000_000)
        }
    }

    @Test func sleepThrowsWhenCancelledBefore() async throws {
        try await withGroup { group in
            let loop = group[0]
            let task = Task(executorPreference: loop) {
                unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                try await loop.sleep(for: .seconds(3600))
            }
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(onLoop(loop) { loop.armedTimers } == 0)
        }
    }

    @Test func sleepThrowsWhenCancelledDuringIt() async throws {
        try await withGroup { group in
            let loop = group[0]
            let task = Task(executorPreference: loop) { try await loop.sleep(for: .seconds(3600)) }
            while onLoop(loop, { loop.armedTimers }) == 0 { await Task.yield() }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(onLoop(loop) { loop.armedTimers } == 0)
        }
    }

    @Test func cancellingAfterASleepChangesNothing() async throws {
        try await withGroup { group in
            let loop = group[0]
            let task = Task(executorPreference: loop) {
                try await loop.sleep(for: .zero)
                return 7
            }
            let before = try await task.value
            task.cancel()
            let after = try await task.value
            #expect(before == 7 && after == 7)
        }
    }

    @Test func manySleepsAndCancellationsRace() async throws {
        try await withGroup(threads: 2) { group in
            let ends = await withTaskGroup(of: Bool.self) { tasks in
                for number in 0..<400 {
                    let loop = group[number % 2]
                    tasks.addTask {
                        let sleeper = Task(executorPreference: loop) {
                            try await loop.sleep(for: .microseconds(number * 10))
                        }
                        if number % 3 == 0 { try? await Task.sleep(for: .microseconds(number * 10)) }
                        sleeper.cancel()
                        return (try? await sleeper.value) != nil
                    }
                }
                return await tasks.reduce(0) { count, _ in count + 1 }
            }
            #expect(ends == 400)
            #expect(onLoop(group[0]) { group[0].armedTimers } == 0)
        }
    }

    @Test func theEndOfTheLoopEndsSleeps() async throws {
        let group = try EventLoopGroup(threads: 1)
        let loop = group[0]
        let task = Task(executorPreference: loop) { try await loop.sleep(for: .seconds(3600)) }
        while onLoop(loop, { loop.armedTimers }) == 0 { await Task.yield() }
        await Task.detached { group.stop() }.value
        await #expect(throws: CancellationError.self) { try await task.value }
        await #expect(throws: CancellationError.self) { try await loop.sleep(for: .zero) }
    }

    @Test func aTaskThatOutlivesItsLoopEndsWithoutIt() async throws {
        let group = try EventLoopGroup(threads: 1)
        let loop = group[0]
        let (stream, ends) = AsyncStream<Int>.makeStream()
        let begun = Shared(false)
        let task = Task(executorPreference: loop) {
            begun.change { $0 = true }
            var sum = 0
            for await number in stream { sum += number }
            await Task.yield()
            return (sum, loop.isCurrent, (try? await loop.sleep(for: .seconds(60))) == nil)
        }
        while !begun.value { await Task.yield() }
        await Task.detached { group.stop() }.value
        ends.yield(3)
        ends.yield(4)
        ends.finish()
        let (sum, isCurrent, isRefused) = await task.value
        #expect(sum == 7 && isCurrent && isRefused)
    }

    @Test func aFloodOfJobsDoesNotStarveATimer() async throws {
        try await withGroup { group in
            let loop = group[0]
            let isOver = Shared(false)
            let turns = await Task(executorPreference: loop) {
                loop.schedule(after: .milliseconds(10)) { isOver.change { $0 = true } }
                var turns = 0
                while !isOver.value {
                    await Task.yield()
                    turns += 1
                }
                return turns
            }.value
            #expect(turns > 0)
        }
    }
}
