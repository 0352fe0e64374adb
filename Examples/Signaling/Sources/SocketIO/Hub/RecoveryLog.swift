/// The events that were sent to sockets of this loop, for those of their clients that come back: bounded in bytes and in time.
struct RecoveryLog {
    private let options: SocketRecoveryOptions
    private var entries: [Entry?] = []
    /// The place of the first of `entries` that is there, and the number that the first place has.
    private var head = 0
    private var base = 0
    private var bytes = 0
    private var positions: [String: Int] = [:]

    private struct Entry {
        let offset: String
        let rooms: Set<String>
        let excepted: Set<String>
        let packets: [EnginePacket]
        let size: Int
        let at: UInt64
    }

    init(_ options: SocketRecoveryOptions) { self.options = options }

    /// The number that the next event will have.
    var end: Int { base + entries.count }

    /// - Returns: how many were forgotten for it, not because of their age.
    mutating func append(_ packets: [EnginePacket], _ offset: String, _ broadcast: Broadcast, now: UInt64) -> Int {
        expire(now: now)
        positions[offset] = end
        entries.append(
            Entry(
                offset: offset, rooms: broadcast.rooms, excepted: broadcast.excepted, packets: packets,
                size: broadcast.size, at: now))
        bytes += broadcast.size
        var dropped = 0
        while bytes > options.maxBytes {
            forgetFirst()
            dropped += 1
        }
        return dropped
    }

    mutating func expire(now: UInt64) {
        let age = options.maxDisconnection.wholeNanoseconds
        while head < entries.count, let first = entries[head], first.at + age < now { forgetFirst() }
    }

    /// What a socket in these rooms was sent after an event, or since it came.
    ///
    /// - Returns: nil when that is not known any more.
    func missed(after offset: String?, since birth: Int, rooms: Set<String>) -> [[EnginePacket]]? {
        let start: Int
        if let offset {
            guard let position = positions[offset] else { return nil }
            start = position + 1
        } else {
            start = birth
        }
        guard start >= base + head, start <= end else { return nil }
        return entries[(start - base)...].compactMap { entry in
            guard let entry, entry.rooms.isEmpty || !entry.rooms.isDisjoint(with: rooms),
                entry.excepted.isDisjoint(with: rooms)
            else { return nil }
            return entry.packets
        }
    }

    private mutating func forgetFirst() {
        guard head < entries.count, let first = entries[head] else { return }
        positions[first.offset] = nil
        bytes -= first.size
        entries[head] = nil
        head += 1
        guard head > 64, head > entries.count / 2 else { return }
        entries.removeFirst(head)
        base += head
        head = 0
    }
}

/// The state of sockets whose clients are away and may come back.
struct AwaySockets {
    private let options: SocketRecoveryOptions
    private var states: [LoopID: State] = [:]
    /// In the order in which they went. Some are not away any more.
    private var order: [(pid: LoopID, at: UInt64)] = []

    struct State {
        let id: LoopID
        let rooms: Set<String>
        let data: SocketValue
        let birth: Int
        let at: UInt64
    }

    init(_ options: SocketRecoveryOptions) { self.options = options }

    /// When the first is forgotten.
    var firstDue: UInt64? { order.first.map { $0.at + options.maxDisconnection.wholeNanoseconds + 1 } }

    /// - Returns: how many were forgotten for it.
    mutating func insert(_ socket: ServerSocket, now: UInt64) -> Int {
        expire(now: now)
        states[socket.pid] = State(
            id: socket.key.id, rooms: socket.rooms, data: socket.data, birth: socket.birth, at: now)
        order.append((socket.pid, now))
        var forgotten = 0
        while states.count > options.maxSockets, let first = order.first {
            order.removeFirst()
            guard states[first.pid]?.at == first.at else { continue }
            states[first.pid] = nil
            forgotten += 1
        }
        return forgotten
    }

    mutating func take(_ pid: LoopID, now: UInt64) -> State? {
        guard let state = states.removeValue(forKey: pid),
            state.at + options.maxDisconnection.wholeNanoseconds >= now
        else { return nil }
        return state
    }

    mutating func expire(now: UInt64) {
        let age = options.maxDisconnection.wholeNanoseconds
        let gone = order.prefix { $0.at + age < now }
        for (pid, at) in gone where states[pid]?.at == at { states[pid] = nil }
        order.removeFirst(gone.count)
    }
}
