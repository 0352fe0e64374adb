/// The events of a session that its client may still need: bounded, numbered when they are sent, and sent again after a drop.
///
/// An event is *sent* when it is on its way to a stream, *written* when the stream has taken it. When the log is full, written
/// ones are forgotten, oldest first; others are not: then there is no place for one more.
struct ReplayLog {
    private let limits: ServiceLimits
    let epoch: UInt32
    private var events = FIFO<(event: ServerEvent, at: UInt64, stub: MessageStub?)>()
    private var pending: PendingEvents
    private var size = 0
    /// The position of the next event to be sent.
    private var cursor = 0
    /// The position of the next event to be written.
    private var writtenEnd = 0
    private(set) var lastSeq: UInt64 = 0
    /// All up to here are gone: acknowledged, or forgotten.
    private var goneUpTo: UInt64 = 0
    /// Something found no place, and no stream has told the client yet.
    private(set) var hasUntoldLoss = false

    init(epoch: UInt32, limits: ServiceLimits) {
        self.epoch = epoch
        self.limits = limits
        pending = PendingEvents(limits: limits)
    }

    /// How many events are kept.
    var count: Int { events.count + pending.events.count }
    /// In bytes.
    var keptBytes: Int { size + pending.size }
    var hasUnsent: Bool { cursor < events.endIndex || !pending.isEmpty }
    /// When the oldest event was added, in nanoseconds.
    var oldest: UInt64? { events.first?.at ?? pending.events.first?.at }
    /// Something waits that is of use for a limited time only.
    var hasDeadlines: Bool { pending.hasDeadlines }

    /// What became of messages since the last time, for their senders.
    mutating func takeFates() -> [MessageFate] {
        defer { pending.fates = [] }
        return pending.fates
    }

    /// Keeps the event.
    ///
    /// - Returns: false when the log is full of events that were not written; then nothing has happened.
    mutating func append(_ tail: [UInt8], _ subject: EventSubject = .plain, now: Moment) -> Bool {
        let event = PendingEvent(
            tail: tail, at: now.nanoseconds, timestamp: now.unixMilliseconds, subject: subject)
        if pending.absorb(event) { return true }
        while count >= limits.logMessages || keptBytes + event.size > limits.logBytes, count > 0 {
            guard events.startIndex < writtenEnd else { return false }
            forgetFirst()
        }
        pending.append(event)
        return true
    }

    /// Counts an event that is not kept: the client learns of it as ``Resumption/partial``.
    mutating func skip() {
        lastSeq += 1
        goneUpTo = lastSeq
        hasUntoldLoss = true
    }

    /// The client has all up to `seq`.
    ///
    /// - Returns: false when no such event was ever made.
    mutating func acknowledge(_ seq: UInt64) -> Bool {
        guard seq <= lastSeq else { return false }
        while let first = events.first, first.event.seq <= seq { forgetDelivered() }
        goneUpTo = max(goneUpTo, seq)
        return true
    }

    /// The last event that was given a number.
    var position: EventID { EventID(epoch: epoch, seq: lastSeq) }

    /// What a stream after `last` could bring.
    func continuity(after last: EventID?) -> Resumption {
        guard let last, last.epoch == epoch, last.seq <= lastSeq else { return .no }
        return last.seq >= goneUpTo && !hasUntoldLoss ? .yes : .partial
    }

    /// Goes back for a new stream: to what follows `last`, the last event that its client has.
    mutating func resume(after last: EventID?) -> Resumption {
        let continuity = continuity(after: last)
        hasUntoldLoss = false
        guard let last, continuity != .no else {
            rewind()
            return .no
        }
        while let first = events.first, first.event.seq <= last.seq { forgetDelivered() }
        goneUpTo = max(goneUpTo, last.seq)
        rewind()
        return continuity
    }

    /// The next events to send, of about `maxSize` bytes, or one that is larger when `isIdle`. They count as sent.
    mutating func next(maxSize: Int, isIdle: Bool) -> [ServerEvent] {
        var result: [ServerEvent] = []
        var left = maxSize
        while let size = events[cursor]?.event.size ?? pending.events.first?.size {
            guard size <= left || isIdle && result.isEmpty else { break }
            if events[cursor] == nil { number() }
            guard let event = events[cursor]?.event else { break }
            result.append(event)
            left -= size
            cursor += 1
        }
        return result
    }

    private mutating func number() {
        guard let next = pending.popFirst() else { return }
        lastSeq += 1
        size += next.size
        let event = ServerEvent(epoch: epoch, seq: lastSeq, timestamp: next.timestamp, tail: next.tail)
        events.append((event, next.at, next.stub))
    }

    /// Drops what waits and is of no more use.
    mutating func dropLapsed(now: UInt64) {
        pending.remove(.expired) { event in event.stub?.deadline.map { $0 <= now } ?? false }
    }

    /// To be called when nothing is on the way to a stream: drops what its client does not have and has no use for any more.
    /// The numbers stay; some are missing then.
    mutating func dropLapsedUnacknowledged(now: UInt64) {
        var kept = FIFO<(event: ServerEvent, at: UInt64, stub: MessageStub?)>()
        for position in events.startIndex..<events.endIndex {
            guard let entry = events[position] else { continue }
            if let stub = entry.stub, let deadline = stub.deadline, deadline <= now {
                size -= entry.event.size
                pending.fates.append(MessageFate(type: .expired, stub: stub))
            } else {
                kept.append(entry)
            }
        }
        events = kept
        rewind()
    }

    /// An offer of this sender has to give way.
    mutating func withdraw(_ call: Identifier, of sender: SessionID, in room: RoomName) {
        pending.withdraw(call, of: sender, in: room)
    }

    /// The session ends: what no stream has taken reaches nobody.
    mutating func abandon() {
        for position in writtenEnd..<events.endIndex { lose(position) }
        pending.remove(.expired) { _ in true }
    }

    /// The sender of what stands there hears that it was not delivered.
    private mutating func lose(_ position: Int) {
        if let stub = events[position]?.stub { pending.fates.append(MessageFate(type: .expired, stub: stub)) }
    }

    /// The stream has taken so many bytes more of what was sent, a sum of sizes of events.
    mutating func confirm(_ size: Int) {
        var left = size
        while left > 0, writtenEnd < cursor, let event = events[writtenEnd]?.event {
            left -= event.size
            writtenEnd += 1
        }
    }

    /// Forgets what is older than the limit.
    ///
    /// - Returns: false when something among it was not written.
    mutating func expire(now: UInt64) -> Bool {
        var allWritten = true
        while let first = events.first, first.at + limits.logAge.nanoseconds <= now {
            if events.startIndex >= writtenEnd {
                allWritten = false
                lose(events.startIndex)
            }
            forgetFirst()
        }
        let limit = limits.logAge.nanoseconds
        if pending.events.first.map({ $0.at + limit <= now }) == true {
            allWritten = false
            if pending.remove(.expired, where: { $0.at + limit <= now }) { skip() }
        }
        return allWritten
    }

    private mutating func rewind() {
        cursor = events.startIndex
        writtenEnd = events.startIndex
    }

    private mutating func forgetDelivered() {
        if let stub = events.first?.stub, stub.wantsReceipt {
            pending.fates.append(MessageFate(type: .delivered, stub: stub))
        }
        forgetFirst()
    }

    private mutating func forgetFirst() {
        guard let (event, _, _) = events.popFirst() else { return }
        size -= event.size
        goneUpTo = max(goneUpTo, event.seq)
        cursor = max(cursor, events.startIndex)
        writtenEnd = max(writtenEnd, events.startIndex)
    }
}

/// What a new stream tells its client of the time before it.
package enum Resumption: String, Sendable {
    /// All that was missed follows.
    case yes
    /// Something is lost.
    case partial
    /// The stream does not continue an earlier one.
    case no
}
