import Testing

@testable import SignalingCore

/// A log, with seconds for times.
private final class Log {
    private var log: ReplayLog

    init(messages: Int = 256, bytes: Int = 256 * 1024) {
        var limits = ServiceLimits()
        limits.logMessages = messages
        limits.logBytes = bytes
        log = ReplayLog(epoch: 1, limits: limits)
    }

    var count: Int { log.count }
    var keptBytes: Int { log.keptBytes }
    var lastSeq: UInt64 { log.lastSeq }

    func append(size: Int = 0, at seconds: Int = 0) -> Bool {
        log.append(Array(repeating: 0x20, count: size), now: moment(seconds))
    }

    func append(mark: Int, at seconds: Int) -> Bool { log.append(Array("\(mark)".utf8), now: moment(seconds)) }

    func fill(_ count: Int, size: Int = 10) { for _ in 0..<count { #expect(append(size: size)) } }

    /// What is sent next; a stream takes it at once.
    func next(_ maxSize: Int = .max, isIdle: Bool = true) -> [UInt64] {
        let events = send(maxSize, isIdle: isIdle)
        confirm(events.reduce(0) { $0 + $1.size })
        return events.map(\.seq)
    }

    func send(_ maxSize: Int = .max, isIdle: Bool = true) -> [ServerEvent] {
        log.next(maxSize: maxSize, isIdle: isIdle)
    }

    func confirm(_ size: Int) { log.confirm(size) }

    func resume(after last: String?) -> Resumption { log.resume(after: last.flatMap { EventID($0) }) }

    func acknowledge(_ seq: UInt64) -> Bool { log.acknowledge(seq) }

    func skip() { log.skip() }

    func expire(at seconds: Int) -> Bool { log.expire(now: moment(seconds).nanoseconds) }

    private func moment(_ seconds: Int) -> Moment {
        Moment(nanoseconds: UInt64(seconds) * 1_000_000_000, unixMilliseconds: Int64(seconds) * 1000)
    }
}

@Suite struct ReplayLogTests {
    @Test func numbersEventsFromOne() {
        let log = Log()
        log.fill(3)
        #expect(log.next() == [1, 2, 3])
        #expect(log.next() == [])
    }

    @Test func sendsAgainWhatFollowsTheLastEventOfItsClient() {
        let log = Log()
        log.fill(5)
        _ = log.next()
        #expect(log.resume(after: "1.3") == .yes)
        #expect(log.next() == [4, 5])
    }

    @Test func sendsAllToAFirstStream() {
        let log = Log()
        log.fill(2)
        #expect(log.resume(after: nil) == .no)
        #expect(log.next() == [1, 2])
    }

    @Test(arguments: ["2.1", "1.9", "1.18446744073709551615"])
    func startsAnewAfterAnEventThatNeverWas(_ id: String) {
        let log = Log()
        log.fill(2)
        _ = log.next()
        #expect(log.resume(after: id) == .no)
        #expect(log.next() == [1, 2])
    }

    @Test(arguments: ["", "1", "1.", ".1", "1.2.3", "a.b", "-1.1", "+1.1", "1.+1", "1. 1", "99999999999.1"])
    func takesOnlyEventIdsOfItsOwnForm(_ text: String) { #expect(EventID(text) == nil) }

    @Test func keepsWhatWasNotSentAndRefusesMore() {
        let log = Log(messages: 3)
        log.fill(3)
        #expect(!log.append())
        #expect(log.next() == [1, 2, 3])
        #expect(log.lastSeq == 3)
    }

    @Test func forgetsWhatWasSentWhenItIsFull() {
        let log = Log(messages: 3)
        log.fill(3)
        _ = log.next()
        log.fill(2)
        #expect(log.count == 3)
        #expect(log.resume(after: "1.1") == .partial)
        #expect(log.next() == [3, 4, 5])
    }

    @Test func keepsWhatIsOnTheWayToAStream() {
        let log = Log(messages: 3)
        log.fill(3)
        let sent = log.send()
        #expect(sent.map(\.seq) == [1, 2, 3])
        #expect(!log.append())
        log.confirm(sent[0].size)
        #expect(log.append())
        #expect(!log.append())
        #expect(log.resume(after: "1.1") == .yes)
        #expect(log.next() == [2, 3, 4])
    }

    @Test func isBoundedInBytes() {
        let log = Log(bytes: 1000)
        log.fill(4, size: 170)
        #expect(log.keptBytes == 1000)
        #expect(!log.append())
        _ = log.next()
        log.fill(1, size: 0)
        #expect(log.count == 4)
    }

    @Test func acknowledgedEventsAreGone() {
        let log = Log()
        log.fill(4)
        _ = log.next()
        #expect(log.acknowledge(3))
        #expect(log.count == 1)
        #expect(!log.acknowledge(5))
        #expect(log.resume(after: "1.3") == .yes)
        #expect(log.next() == [4])
    }

    @Test func acknowledgingDoesNotSkipEventsThatComeLater() {
        let log = Log()
        log.fill(2)
        #expect(!log.acknowledge(2), "they have no number yet")
        _ = log.next()
        #expect(log.acknowledge(2))
        log.fill(1)
        #expect(log.next() == [3])
    }

    @Test func tellsOfSkippedEvents() {
        let log = Log(messages: 2)
        log.fill(1)
        _ = log.next()
        log.fill(1)
        log.skip()
        #expect(log.resume(after: "1.1") == .partial)
        #expect(log.next() == [3])
        log.fill(1)
        _ = log.next()
        #expect(log.resume(after: "1.4") == .yes)
    }

    @Test func forgetsWhatIsOld() {
        let log = Log()
        #expect(log.append(at: 0))
        #expect(log.append(at: 60))
        _ = log.next()
        #expect(log.append(at: 119))
        #expect(log.expire(at: 120))
        #expect(log.count == 2)
        #expect(!log.expire(at: 239), "the last one was never sent")
        #expect(log.count == 0)
    }

    @Test func sendsNoMoreThanThereIsRoomFor() {
        let log = Log()
        log.fill(3, size: 20)
        #expect(log.next(250) == [1, 2])
        #expect(log.next(50, isIdle: false).isEmpty)
        #expect(log.next(50) == [3], "a large one goes alone")
    }

    /// Against a model that keeps everything: whatever happens, a client that comes back gets what it has not, in order,
    /// without repeats, or is told that something is lost.
    @Test(arguments: 0..<200 as Range<UInt64>)
    func neverLosesInSilence(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let log = Log(messages: Int.random(in: 1...6, using: &random))
        var made: [Int] = []
        var got: [(seq: UInt64, mark: Int)] = []
        func take(_ limit: Int) {
            let events = log.send(limit)
            log.confirm(events.reduce(0) { $0 + $1.size })
            got += events.map { ($0.seq, Int(String(decoding: $0.tail, as: UTF8.self)) ?? -1) }
        }
        var mayLack = false
        for step in 0..<300 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5: if log.append(mark: step, at: step) { made.append(step) }
            case 5, 6: take(Int.random(in: 0...300, using: &random))
            case 7: if let last = got.last { #expect(log.acknowledge(last.seq)) }
            case 8: if !log.expire(at: step) { mayLack = true }
            default:
                // The stream breaks: its client has only some of what was sent.
                got.removeLast(Int.random(in: 0...min(3, got.count), using: &random))
                let last = got.last.map { "1.\($0.seq)" }
                let resumption = log.resume(after: last)
                if last == nil { #expect(resumption == .no) }
                if resumption == .partial || last == nil { mayLack = true }
            }
            #expect(zip(got, got.dropFirst()).allSatisfy { $0.seq < $1.seq && $0.mark < $1.mark })
            #expect(log.count <= 6)
        }
        take(.max)
        #expect(Set(got.map(\.mark)).isSubset(of: made))
        if !mayLack { #expect(got.map(\.mark) == made) }
    }
}
