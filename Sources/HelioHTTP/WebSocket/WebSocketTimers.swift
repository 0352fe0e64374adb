/// The deadlines of a loop's WebSockets, one for each at most: a wheel of 512 slots of 134 ms. One further away than a turn
/// of the wheel is looked at once a turn.
///
/// It sees no clock. One thread.
final class WebSocketTimers {
    private static let tickBits: UInt64 = 27
    private static let slotCount = 512

    @Unguarded private var slots: [[WebSocket]] = Array(repeating: [], count: slotCount)
    /// All ticks up to this one are done.
    private var current: UInt64 = 0
    private var count = 0
    /// What the owner was last told to wake up for.
    private(set) var nextDeadline: UInt64?

    var isEmpty: Bool { count == 0 }

    deinit { _slots.deallocate() }

    /// Arms a WebSocket's deadline in place of its last one.
    ///
    /// - Returns: whether ``nextDeadline`` is another now.
    func arm(_ webSocket: WebSocket, at deadline: UInt64, now: UInt64) -> Bool {
        disarm(webSocket)
        if count == 0 { current = now >> Self.tickBits }
        // The tick in which the deadline has passed for certain.
        let tick = max(deadline >> Self.tickBits, current) + 1
        webSocket.deadlineTick = tick
        insert(webSocket)
        count += 1
        let due = tick << Self.tickBits
        guard nextDeadline.map({ due < $0 }) ?? true else { return false }
        nextDeadline = due
        return true
    }

    func disarm(_ webSocket: WebSocket) {
        guard let index = webSocket.timerIndex else { return }
        let slot = Self.slot(webSocket.deadlineTick)
        let last = slots[slot].removeLast()
        if last !== webSocket {
            slots[slot][index] = last
            last.timerIndex = index
        }
        webSocket.timerIndex = nil
        count -= 1
        if count == 0 { nextDeadline = nil }
    }

    /// Tells those whose deadline has passed.
    func advance(to now: UInt64) {
        let target = now >> Self.tickBits
        nextDeadline = nil
        // A turn of the wheel shows them all.
        var tick = max(current + 1, target >= UInt64(Self.slotCount) ? target - UInt64(Self.slotCount) + 1 : 0)
        current = max(current, target)
        while tick <= target, count > 0 {
            expire(Self.slot(tick), target, now)
            tick += 1
        }
        findNext()
    }

    private func expire(_ slot: Int, _ target: UInt64, _ now: UInt64) {
        guard !slots[slot].isEmpty else { return }
        let due = slots[slot].filter { $0.deadlineTick <= target }
        for webSocket in due where webSocket.timerIndex != nil && webSocket.deadlineTick <= target {
            disarm(webSocket)
            webSocket.deadlinePassed(now: now)
        }
    }

    private func findNext() {
        guard count > 0 else {
            nextDeadline = nil
            return
        }
        for step in 1...UInt64(Self.slotCount) where !slots[Self.slot(current + step)].isEmpty {
            nextDeadline = (current + step) << Self.tickBits
            return
        }
    }

    private func insert(_ webSocket: WebSocket) {
        let slot = Self.slot(webSocket.deadlineTick)
        webSocket.timerIndex = slots[slot].count
        slots[slot].append(webSocket)
    }

    private static func slot(_ tick: UInt64) -> Int { Int(tick & UInt64(slotCount - 1)) }
}
