/// The events of a session that its client may still need: numbered, bounded, and sent again after a drop.
///
/// An event is *sent* when it is on its way to a stream, *written* when the stream has taken it. When the log is full, written
/// ones are forgotten, oldest first; others are not: then there is no place for one more.
struct ReplayLog {
    private let limits: ServiceLimits
    let epoch: UInt32
    private var events = FIFO<(event: ServerEvent, at: UInt64)>()
    private var size = 0
    /// The position of the next event to be sent.
    private var cursor = 0
    /// The position of the next event to be written.
    private var writtenEnd = 0
    private(set) var lastSeq: UInt64 = 0
    /// All up to here are gone: acknowledged, or forgotten.
    private var goneUpTo: UInt64 = 0

    init(epoch: UInt32, limits: ServiceLimits) {
        self.epoch = epoch
        self.limits = limits
    }

    /// How many events are kept.
    var count: Int { events.count }
    /// In bytes.
    var keptBytes: Int { size }
    var hasUnsent: Bool { cursor < events.endIndex }
    /// When the oldest event was added, in nanoseconds.
    var oldest: UInt64? { events.first?.at }

    /// Gives the event the next number and keeps it.
    ///
    /// - Returns: false when the log is full of events that were not written; then nothing has happened.
    mutating func append(_ tail: [UInt8], now: Moment) -> Bool {
        let needed = ServerEvent.size(ofTail: tail)
        while events.count >= limits.logMessages || size + needed > limits.logBytes, !events.isEmpty {
            guard events.startIndex < writtenEnd else { return false }
            forgetFirst()
        }
        lastSeq += 1
        size += needed
        let event = ServerEvent(epoch: epoch, seq: lastSeq, timestamp: now.unixMilliseconds, tail: tail)
        events.append((event, now.nanoseconds))
        return true
    }

    /// Counts an event that is not kept: the client learns of it as ``Resumption/partial``.
    mutating func skip() {
        lastSeq += 1
        goneUpTo = lastSeq
    }

    /// The client has all up to `seq`.
    ///
    /// - Returns: false when no such event was ever made.
    mutating func acknowledge(_ seq: UInt64) -> Bool {
        guard seq <= lastSeq else { return false }
        while let first = events.first, first.event.seq <= seq { forgetFirst() }
        goneUpTo = max(goneUpTo, seq)
        return true
    }

    /// The last event that was given a number.
    var position: EventID { EventID(epoch: epoch, seq: lastSeq) }

    /// What a stream after `last` could bring.
    func continuity(after last: EventID?) -> Resumption {
        guard let last, last.epoch == epoch, last.seq <= lastSeq else { return .no }
        return last.seq >= goneUpTo ? .yes : .partial
    }

    /// Goes back for a new stream: to what follows `last`, the last event that its client has.
    mutating func resume(after last: EventID?) -> Resumption {
        let continuity = continuity(after: last)
        guard let last, continuity != .no else {
            rewind()
            return .no
        }
        while let first = events.first, first.event.seq <= last.seq { forgetFirst() }
        goneUpTo = max(goneUpTo, last.seq)
        rewind()
        return continuity
    }

    /// The next events to send, of about `maxSize` bytes, or one that is larger when `isIdle`. They count as sent.
    mutating func next(maxSize: Int, isIdle: Bool) -> [ServerEvent] {
        var result: [ServerEvent] = []
        var left = maxSize
        while let event = events[cursor]?.event {
            guard event.size <= left || isIdle && result.isEmpty else { break }
            result.append(event)
            left -= event.size
            cursor += 1
        }
        return result
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
            if events.startIndex >= writtenEnd { allWritten = false }
            forgetFirst()
        }
        return allWritten
    }

    private mutating func rewind() {
        cursor = events.startIndex
        writtenEnd = events.startIndex
    }

    private mutating func forgetFirst() {
        guard let (event, _) = events.popFirst() else { return }
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
