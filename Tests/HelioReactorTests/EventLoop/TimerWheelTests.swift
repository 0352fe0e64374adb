internal import Testing

@testable internal import HelioReactor

/// The wheel against a list of deadlines that is searched from end to end.
@Suite struct TimerWheelTests {
    static let millisecond: UInt64 = 1_000_000

    /// Timers that know their number; fired numbers come in `fired`.
    private final class Fixture {
        let loop: EventLoop
        var fired: [Int] = []
        var timers: [LoopTimer] = []

        init(_ count: Int) throws {
            loop = try EventLoop()
            for number in 0..<count {
                timers.append(LoopTimer(on: loop) { [unowned self] in fired.append(number) })
            }
        }
    }

    /// The wheel where `#expect` can reach it, which copies what it is given.
    private final class Wheel {
        private var wheel: TimerWheel
        init(now: UInt64) { wheel = TimerWheel(now: now) }
        var count: Int { wheel.count }
        var nextDeadline: UInt64? { wheel.nextDeadline }
        func insert(_ timer: LoopTimer, deadline: UInt64) { wheel.insert(timer, deadline: deadline) }
        func remove(_ timer: LoopTimer) { wheel.remove(timer) }
        func popExpired(now: UInt64) -> LoopTimer? { wheel.popExpired(now: now) }
        func popAny() -> LoopTimer? { wheel.popAny() }
    }

    private static func tick(_ deadline: UInt64) -> UInt64 { (deadline + millisecond - 1) / millisecond }

    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8]) func agreesWithAModel(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let fixture = try Fixture(200)
        var now: UInt64 = UInt64.random(in: 0...(1 << 50), using: &random)
        let wheel = Wheel(now: now)
        var model: [Int: UInt64] = [:]
        // From a millisecond to eight days: each level, and past the second to last.
        let ranges: [UInt64] = [1, 255, 256, 257, 5000, 65_535, 65_536, 65_537, 16_777_216, 700_000_000]
        for _ in 0..<4000 {
            let number = Int.random(in: 0..<200, using: &random)
            let timer = fixture.timers[number]
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                if timer.isScheduled { wheel.remove(timer) }
                let reach = ranges[Int.random(in: 0..<ranges.count, using: &random)]
                let deadline = now + UInt64.random(in: 0...reach * Self.millisecond, using: &random)
                wheel.insert(timer, deadline: deadline)
                // What is due already fires with the next tick.
                model[number] = max(Self.tick(deadline), now / Self.millisecond + 1)
            case 5..<7:
                if timer.isScheduled { wheel.remove(timer) }
                model[number] = nil
            default:
                let reach = ranges[Int.random(in: 0..<ranges.count, using: &random)]
                now += UInt64.random(in: 0...reach * Self.millisecond / 4, using: &random)
                let due = model.filter { $0.value <= now / Self.millisecond }
                fixture.fired = []
                var lastTick: UInt64 = 0
                while let timer = wheel.popExpired(now: now) {
                    #expect(timer.tick >= lastTick, "in the order of their deadlines")
                    lastTick = timer.tick
                    timer.action()
                }
                #expect(fixture.fired.sorted() == due.keys.sorted())
                for number in due.keys { model[number] = nil }
            }
            #expect(wheel.count == model.count)
            #expect(model.keys.allSatisfy { fixture.timers[$0].isScheduled })
            if let earliest = model.values.min() {
                let next = try #require(wheel.nextDeadline)
                #expect(next <= earliest * Self.millisecond, "never later than the earliest deadline")
                #expect(next > now - now % Self.millisecond, "and never in the past: that would spin")
            } else {
                #expect(wheel.nextDeadline == nil)
            }
        }
    }

    @Test(arguments: [
        1, 254, 255, 256, 257, 511, 512, 65_279, 65_535, 65_536, 65_537, 16_777_215, 16_777_216, 16_777_217,
    ])
    func firesAtTheTickItself(delay: UInt64) throws {
        for start: UInt64 in [0, 1, 255, 256, 65_535, 65_536, 16_777_215, 4_294_967_295] {
            let fixture = try Fixture(1)
            let wheel = Wheel(now: start * Self.millisecond)
            wheel.insert(fixture.timers[0], deadline: (start + delay) * Self.millisecond)
            // As a loop does: it sleeps until the next deadline, which may be only a move to a lower level.
            var wakeups = 0
            while let next = wheel.nextDeadline {
                #expect(next <= (start + delay) * Self.millisecond)
                #expect(wheel.popExpired(now: next - 1) == nil, "not before")
                wheel.popExpired(now: next)?.action()
                wakeups += 1
            }
            #expect(fixture.fired == [0])
            #expect(wakeups <= 4, "once for each level")
        }
    }

    @Test func keepsATimerBeyondItsReach() throws {
        let fixture = try Fixture(1)
        let wheel = Wheel(now: 0)
        let deadline = (UInt64(1) << 33) * Self.millisecond
        wheel.insert(fixture.timers[0], deadline: deadline)
        #expect(wheel.popExpired(now: deadline - 1) == nil)
        #expect(wheel.count == 1)
        #expect(wheel.popExpired(now: deadline) === fixture.timers[0])
        #expect(wheel.count == 0)
    }

    @Test func whatIsCancelledWhileFiringDoesNotFire() throws {
        let loop = try EventLoop()
        var fired: [String] = []
        let later = LoopTimer(on: loop) { fired.append("later") }
        let wheel = Wheel(now: 0)
        let first = LoopTimer(on: loop) { fired.append("first") }
        let sameTick = LoopTimer(on: loop) { fired.append("same tick") }
        wheel.insert(sameTick, deadline: Self.millisecond)
        wheel.insert(first, deadline: Self.millisecond)
        wheel.insert(later, deadline: 2 * Self.millisecond)
        let popped = try #require(wheel.popExpired(now: 5 * Self.millisecond))
        popped.action()
        for timer in [first, sameTick, later] where timer.isScheduled { wheel.remove(timer) }
        #expect(wheel.popExpired(now: 5 * Self.millisecond) == nil)
        #expect(fired.count == 1 && fired != ["later"])
        #expect(wheel.count == 0)
    }

    @Test func aFiringInterruptedHalfwayIsDueAtOnce() throws {
        let fixture = try Fixture(3)
        let wheel = Wheel(now: 0)
        for timer in fixture.timers { wheel.insert(timer, deadline: 3 * Self.millisecond) }
        _ = wheel.popExpired(now: 4 * Self.millisecond)
        let next = try #require(wheel.nextDeadline)
        #expect(next <= 4 * Self.millisecond)
        #expect(wheel.popExpired(now: 4 * Self.millisecond) != nil)
        #expect(wheel.popExpired(now: 4 * Self.millisecond) != nil)
        #expect(wheel.popExpired(now: 4 * Self.millisecond) == nil)
    }

    @Test func letsGoOfTimersWhenItGoes() throws {
        weak var held: LoopTimer?
        do {
            let loop = try EventLoop()
            let wheel = Wheel(now: 0)
            let timer = LoopTimer(on: loop) {}
            held = timer
            wheel.insert(timer, deadline: 1_000_000_000)
            #expect(wheel.popAny() === timer)
            #expect(wheel.popAny() == nil)
            wheel.insert(timer, deadline: 1_000_000_000)
        }
        #expect(held == nil)
    }

    @Test func durationsBecomeNanosecondsWithinBounds() {
        #expect(Duration.milliseconds(3).nanoseconds == 3_000_000)
        #expect(Duration.seconds(-1).nanoseconds == 0)
        #expect((Duration.zero - .nanoseconds(1)).nanoseconds == 0)
        #expect(Duration.seconds(Int64.max).nanoseconds == UInt64.max / 4)
    }
}
