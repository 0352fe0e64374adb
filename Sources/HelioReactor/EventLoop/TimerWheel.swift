/// A hierarchical timing wheel (Varghese and Lauck, 1987) of four levels of 256 slots: a slot of the first is a
/// millisecond, of the last 4.7 hours. Arming and cancelling touch one list; a timer moves down at most three times.
///
/// It sees no clock. One thread.
@safe struct TimerWheel: ~Copyable {
    private static let levels = 4
    private static let tickLength: UInt64 = 1_000_000
    private static let farthest: UInt64 = (1 << 32) - 1

    /// The heads of the lists, level by level.
    private let heads: UnsafeMutablePointer<Unmanaged<LoopTimer>?>
    /// A bit for each slot that is not empty: four words a level.
    private let occupied: UnsafeMutablePointer<UInt64>
    /// All ticks up to this one have fired.
    private var current: UInt64
    private(set) var count = 0

    init(now: UInt64) {
        current = now / Self.tickLength
        unsafe heads = .allocate(capacity: Self.levels * 256)
        unsafe heads.initialize(repeating: nil, count: Self.levels * 256)
        unsafe occupied = .allocate(capacity: Self.levels * 4)
        unsafe occupied.initialize(repeating: 0, count: Self.levels * 4)
    }

    deinit {
        for slot in 0..<Self.levels * 256 {
            while let timer = unsafe heads[slot] {
                unsafe heads[slot] = timer._withUnsafeGuaranteedRef { timer in
                    timer.slot = -1
                    return unsafe timer.next
                }
                unsafe timer.release()
            }
        }
        unsafe heads.deallocate()
        unsafe occupied.deallocate()
    }

    /// Arms a timer that is not armed. It is due at the first ``popExpired(now:)`` whose tick is not before the deadline's.
    mutating func insert(_ timer: LoopTimer, deadline: UInt64) {
        let tick = deadline / Self.tickLength + (deadline % Self.tickLength == 0 ? 0 : 1)
        timer.tick = max(tick, current + 1)
        place(timer)
        _ = unsafe Unmanaged.passRetained(timer)
        count += 1
    }

    /// Disarms a timer that is armed here.
    mutating func remove(_ timer: LoopTimer) {
        unlink(timer)
        count -= 1
        unsafe Unmanaged.passUnretained(timer).release()
    }

    /// The next timer that is due at `now`, disarmed; nil when there is none, and the wheel stands at `now`.
    mutating func popExpired(now: UInt64) -> LoopTimer? {
        let target = now / Self.tickLength
        while true {
            if let timer = unsafe heads[Int(current & 255)],
                unsafe timer._withUnsafeGuaranteedRef({ $0.tick <= current })
            {
                let expired = unsafe timer.takeUnretainedValue()
                remove(expired)
                return expired
            }
            guard current < target else { return nil }
            if count == 0 {
                current = target
                return nil
            }
            step(towards: target)
        }
    }

    /// Any timer that is armed, disarmed; nil when there is none.
    mutating func popAny() -> LoopTimer? {
        for word in 0..<Self.levels * 4 {
            let bits = unsafe occupied[word]
            guard bits != 0 else { continue }
            let timer = unsafe heads[word * 64 + bits.trailingZeroBitCount]?.takeUnretainedValue()
            if let timer { remove(timer) }
            return timer
        }
        return nil
    }

    /// When ``popExpired(now:)`` next has something to do, in nanoseconds; nil when nothing is armed.
    var nextDeadline: UInt64? {
        guard count > 0 else { return nil }
        if unsafe heads[Int(current & 255)] != nil { return current * Self.tickLength }
        return nextTick.map { $0 * Self.tickLength }
    }

    /// The next tick at which something is due or a list moves down.
    private var nextTick: UInt64? {
        var earliest = UInt64.max
        for level in 0..<Self.levels {
            let shift = UInt64(level * 8)
            let position = current >> shift
            guard let distance = distance(level: level, after: Int(position & 255)) else { continue }
            earliest = min(earliest, (position + UInt64(distance)) << shift)
        }
        return earliest == UInt64.max ? nil : earliest
    }

    /// Moves on to the next tick at which something is due or a list moves down, but not past `target`. The boundaries on the
    /// way have nothing to move.
    private mutating func step(towards target: UInt64) {
        let boundary = (current | 255) + 1
        if let distance = distance(level: 0, after: Int(current & 255)), current + UInt64(distance) < boundary {
            current = min(current + UInt64(distance), target)
            return
        }
        current = min(nextTick ?? target, target)
        guard current & 255 == 0 else { return }
        var level = 1
        repeat {
            cascade(level: level, slot: Int(current >> UInt64(level * 8) & 255))
            level += 1
        } while level < Self.levels && current & ((1 << UInt64(level * 8)) - 1) == 0
    }

    private mutating func cascade(level: Int, slot: Int) {
        let index = level * 256 + slot
        guard var head = unsafe heads[index] else { return }
        unsafe heads[index] = nil
        unsafe occupied[index >> 6] &= ~(1 << UInt64(index & 63))
        while true {
            let timer = unsafe head.takeUnretainedValue()
            let rest = unsafe timer.next
            place(timer)
            guard let rest = unsafe rest else { return }
            unsafe head = rest
        }
    }

    private mutating func place(_ timer: LoopTimer) {
        let delta = min(timer.tick - min(timer.tick, current), Self.farthest)
        let level = delta < 256 ? 0 : delta < 65_536 ? 1 : delta < 16_777_216 ? 2 : 3
        let index = level * 256 + Int((current + delta) >> UInt64(level * 8) & 255)
        timer.slot = index
        unsafe timer.previous = nil
        unsafe timer.next = heads[index]
        let reference = unsafe Unmanaged.passUnretained(timer)
        unsafe heads[index]?._withUnsafeGuaranteedRef { unsafe $0.previous = reference }
        unsafe heads[index] = reference
        unsafe occupied[index >> 6] |= 1 << UInt64(index & 63)
    }

    private mutating func unlink(_ timer: LoopTimer) {
        let index = timer.slot
        let next = unsafe timer.next
        let previous = unsafe timer.previous
        unsafe next?._withUnsafeGuaranteedRef { unsafe $0.previous = previous }
        if let previous = unsafe previous {
            unsafe previous._withUnsafeGuaranteedRef { unsafe $0.next = next }
        } else {
            unsafe heads[index] = next
            if unsafe next == nil { unsafe occupied[index >> 6] &= ~(1 << UInt64(index & 63)) }
        }
        timer.slot = -1
        unsafe timer.next = nil
        unsafe timer.previous = nil
    }

    /// How many slots from `position` on, 1 to 256, the next occupied one of a level is.
    private func distance(level: Int, after position: Int) -> Int? {
        var offset = 1
        while offset <= 256 {
            let slot = (position + offset) & 255
            let word = unsafe occupied[level * 4 + (slot >> 6)] >> UInt64(slot & 63)
            if word != 0 {
                let found = offset + word.trailingZeroBitCount
                return found <= 256 ? found : nil
            }
            offset += 64 - (slot & 63)
        }
        return nil
    }
}
