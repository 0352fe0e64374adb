/// Names a registration in epoll's 64 bits of data: a slot and the generation of its use, never a pointer. An event that
/// was reported for an earlier use of the slot finds another generation, and nothing.
public struct Token: Hashable, Sendable {
    let slot: UInt32
    let generation: UInt32

    init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }

    init(rawValue: UInt64) {
        slot = UInt32(truncatingIfNeeded: rawValue)
        generation = UInt32(truncatingIfNeeded: rawValue >> 32)
    }

    var rawValue: UInt64 { UInt64(generation) << 32 | UInt64(slot) }
}

/// The sources of a loop by slot. A slot's generation grows with each use.
struct SourceTable {
    private struct Slot {
        var generation: UInt32 = 0
        var source: (any EventSource)?
    }

    private var slots: ContiguousArray<Slot> = []
    private var free: ContiguousArray<UInt32> = []

    var count: Int { slots.count - free.count }

    mutating func insert(_ source: any EventSource) -> Token {
        if let slot = free.popLast() {
            slots[Int(slot)].source = source
            return Token(slot: slot, generation: slots[Int(slot)].generation)
        }
        slots.append(Slot(source: source))
        return Token(slot: UInt32(slots.count - 1), generation: 0)
    }

    /// Ends a registration. What it held is returned, to be let go when the table is not being changed.
    mutating func remove(_ token: Token) -> (any EventSource)? {
        let index = Int(token.slot)
        guard index < slots.count, slots[index].generation == token.generation, slots[index].source != nil else {
            return nil
        }
        var source: (any EventSource)?
        swap(&source, &slots[index].source)
        slots[index].generation &+= 1
        free.append(token.slot)
        return source
    }

    mutating func removeAll() -> [any EventSource] {
        var sources: [any EventSource] = []
        for (index, slot) in slots.enumerated() where slot.source != nil {
            let token = Token(slot: UInt32(index), generation: slot.generation)
            if let source = remove(token) { sources.append(source) }
        }
        return sources
    }

    @inline(__always)
    subscript(token: Token) -> (any EventSource)? {
        let index = Int(token.slot)
        guard index < slots.count, slots[index].generation == token.generation else { return nil }
        return slots[index].source
    }
}
