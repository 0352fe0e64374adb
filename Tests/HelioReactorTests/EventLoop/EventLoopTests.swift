internal import CLinux
internal import Foundation
internal import Testing

@testable internal import HelioReactor

@Suite struct EventLoopTests {
    /// Calls a closure when its descriptor is ready.
    private final class Watcher: EventSource {
        var onReady: (Readiness) -> Void = { _ in }
        var onResume: () -> Void = {}
        func ready(_ readiness: Readiness) { onReady(readiness) }
        func resume() { onResume() }
    }

    @Test func aStaleEventDoesNotReachTheNextUseOfItsSlot() throws {
        // Both are ready in one wait. Whichever comes first closes the other, and reuses its slot.
        let calls = Shared<[String]>([])
        let live = try withGroup { group -> Int in
            let loop = group[0]
            return onLoop(loop) {
                let (a, peerA) = socketPair()
                let (b, peerB) = socketPair()
                let (idle, peerIdle) = socketPair()
                let sources = [Watcher(), Watcher()]
                let replacement = Watcher()
                replacement.onReady = { readiness in
                    if readiness.contains(.input) { calls.change { $0.append("stale") } }
                }
                let tokens = OnLoop<[Token]>([])
                for (index, source) in sources.enumerated() {
                    source.onReady = { readiness in
                        guard readiness.contains(.input), calls.value.isEmpty else { return }
                        calls.change { $0.append("first") }
                        let other = 1 - index
                        loop.forget(tokens.value[other], descriptor: [a, b][other])
                        close([a, b][other])
                        _ = try? loop.watch(idle, .connection, replacement)
                    }
                }
                tokens.value = [a, b].enumerated().compactMap { try? loop.watch($1, .connection, sources[$0]) }
                _ = unsafe write(peerA, "x", 1)
                _ = unsafe write(peerB, "x", 1)
                let descriptors = [a, b, idle, peerA, peerB, peerIdle]
                loop.schedule(after: .milliseconds(30)) {
                    calls.change { $0.append("end") }
                    for descriptor in descriptors { close(descriptor) }
                    withExtendedLifetime(sources) {}
                }
                return tokens.value.count
            }
        }
        #expect(live == 2)
        #expect(calls.value == ["first"] || calls.value == ["first", "end"])
    }

    @Test func aTokenOfAnEarlierUseFindsNothing() throws {
        var table = SourceTable()
        let first = table.insert(Watcher())
        #expect(table.remove(first) != nil)
        let second = table.insert(Watcher())
        #expect(first.slot == second.slot)
        #expect(table[first] == nil)
        #expect(table[second] != nil)
        #expect(table.remove(first) == nil, "nor does it end the later one")
        #expect(table.count == 1)
        #expect(Token(rawValue: second.rawValue) == second)
        #expect(table[Token(slot: 77, generation: 0)] == nil)
    }

    @Test func dataAndTheEndComeInOneEvent() throws {
        let events = Shared<[Readiness]>([])
        let (near, far) = socketPair()
        defer { close(near) }
        try withGroup { group in
            onLoop(group[0]) {
                let watcher = Watcher()
                watcher.onReady = { readiness in
                    if readiness.contains(.input) { events.change { $0.append(readiness) } }
                }
                _ = unsafe write(far, "last", 4)
                close(far)
                _ = try? group[0].watch(near, .connection, watcher)
            }
            #expect(events.wait { !$0.isEmpty })
            usleep(20_000)
        }
        #expect(events.value.count == 1, "and no second edge follows")
        #expect(events.value.first?.isDisjoint(with: .lastWords) == false)
    }

    @Test func workOfOtherThreadsAllRunsInEachThreadsOrder() throws {
        let order = Shared<[[Int]]>([[], [], [], []])
        try withGroup { group in
            let threads = try (0..<4).map { thread in
                try LoopThread(name: "test") {
                    for number in 0..<2500 {
                        group[0].execute { order.change { $0[thread].append(number) } }
                    }
                }
            }
            for thread in threads { thread.join() }
        }
        #expect(order.value == Array(repeating: Array(0..<2500), count: 4))
    }

    @Test func workThatTheLoopHandsItselfComesAfterTheCallInOrder() throws {
        let order = Shared<[Int]>([])
        try withGroup { group in
            onLoop(group[0]) {
                for number in 1...3 { group[0].execute { order.change { $0.append(number) } } }
                order.change { $0.append(0) }
            }
        }
        #expect(order.value == [0, 1, 2, 3])
    }

    @Test func workIsRefusedAfterTheEnd() throws {
        let group = try EventLoopGroup(threads: 1)
        #expect(group[0].execute {})
        group.stop()
        let ran = Shared(false)
        #expect(!group[0].execute { ran.change { $0 = true } })
        #expect(!ran.value)
        group.stop()
    }

    @Test func whatWasHandedInBeforeTheEndIsDone() throws {
        let count = Shared(0)
        let group = try EventLoopGroup(threads: 1)
        for _ in 0..<5000 { group[0].execute { count.change { $0 += 1 } } }
        group.stop()
        #expect(count.value == 5000)
    }

    @Test func aFloodOfWorkDoesNotStarveASocket() throws {
        // Each piece hands in another; the socket must still be heard, and so must the timer.
        let heard = Shared(0)
        let (near, far) = socketPair()
        defer {
            close(near)
            close(far)
        }
        try withGroup { group in
            let loop = group[0]
            onLoop(loop) {
                let watcher = Watcher()
                watcher.onReady = { readiness in
                    if readiness.contains(.input) { heard.change { $0 += 1 } }
                }
                _ = try? loop.watch(near, .connection, watcher)
                let flood = OnLoop<Watcher>(Watcher())
                flood.value.onResume = {
                    if heard.value < 2 { loop.again(flood.value) } else { flood.value.onResume = {} }
                }
                loop.again(flood.value)
                loop.schedule(after: .milliseconds(5)) { heard.change { $0 += 1 } }
                for _ in 0..<4 { Self.refill(loop, until: heard) }
            }
            usleep(2000)
            _ = unsafe write(far, "x", 1)
            #expect(heard.wait { $0 == 2 })
        }
    }

    private static func refill(_ loop: EventLoop, until heard: Shared<Int>) {
        loop.execute {
            guard heard.value < 2 else { return }
            refill(loop, until: heard)
        }
    }

    @Test func timersFireInOrderAndNotBeforeTheirTime() throws {
        let fired = Shared<[Int]>([])
        let early = Shared(0)
        try withGroup { group in
            let loop = group[0]
            onLoop(loop) {
                for delay in [30, 10, 20, 0] {
                    let start = loop.now
                    loop.schedule(after: .milliseconds(delay)) {
                        if helio_monotonic_ns() < start + UInt64(delay) * 1_000_000 { early.change { $0 += 1 } }
                        fired.change { $0.append(delay) }
                    }
                }
                let cancelled = loop.schedule(after: .milliseconds(5)) { fired.change { $0.append(-1) } }
                cancelled.cancel()
                cancelled.cancel()
                return #expect(loop.armedTimers == 4)
            }
            #expect(fired.wait { $0.count == 4 })
        }
        #expect(fired.value == [0, 10, 20, 30])
        #expect(early.value == 0)
    }

    @Test func anArmedTimerLetsGoOfItsActionWhenTheLoopEnds() throws {
        // The owner holds the timer, and the timer's action the owner, as in a listener that waits to try again.
        final class Owner { var timer: LoopTimer? }
        weak var freed: Owner?
        try withGroup { group in
            let owner = OnLoop(Owner())
            freed = owner.value
            onLoop(group[0]) {
                let held = owner.value
                held.timer = group[0].schedule(after: .seconds(3600)) { withExtendedLifetime(held) {} }
            }
        }
        #expect(freed == nil)
    }

    @Test func anIdleLoopDoesNotSpin() throws {
        try withGroup { group in
            let loop = group[0]
            _ = onLoop(loop) { loop.takeStatistics() }
            usleep(50_000)
            let statistics = onLoop(loop) { loop.takeStatistics() }
            #expect(statistics.iterations <= 3)
            #expect(statistics.longestIteration <= statistics.busy)
        }
    }
}
