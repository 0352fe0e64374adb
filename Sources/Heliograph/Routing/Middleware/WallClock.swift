internal import Glibc

/// The time of day for the lines of a log, from a loop's clock: the system's is asked once a second, and a second's text made
/// once.
struct WallClock {
    /// What the system's clock is ahead of the loop's, in nanoseconds.
    private var offset: Int64 = 0
    private var nextLook: UInt64 = 0
    /// The second whose texts these are.
    private var second = Int64.min
    /// `24/Nov/2026:10:30:14`
    private var common = InlineArray<20, UInt8>(repeating: 0)
    /// `2026-11-24T10:30:14`
    private var internet = InlineArray<19, UInt8>(repeating: 0)

    private static let months = Array("JanFebMarAprMayJunJulAugSepOctNovDec".utf8)

    /// `24/Nov/2026:10:30:14 +0000`, as the combined format has it.
    mutating func appendCommon(_ now: UInt64, to line: inout LogLine) {
        _ = find(now)
        unsafe common.span.withUnsafeBytes { unsafe line.append(known: $0) }
        line.append(" +0000")
    }

    /// `2026-11-24T10:30:14.123Z` (RFC 3339).
    mutating func appendInternet(_ now: UInt64, to line: inout LogLine) {
        let milliseconds = find(now)
        unsafe internet.span.withUnsafeBytes { unsafe line.append(known: $0) }
        line.append(UInt8(ascii: "."))
        line.append(Int(milliseconds % 1000), digits: 3)
        line.append(UInt8(ascii: "Z"))
    }

    /// Sees to the texts of `now` of the loop's clock. Answers milliseconds since 1970.
    private mutating func find(_ now: UInt64) -> Int64 {
        if now >= nextLook {
            var time = timespec()
            unsafe clock_gettime(CLOCK_REALTIME, &time)
            offset = Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec) - Int64(truncatingIfNeeded: now)
            nextLook = now &+ 1_000_000_000
        }
        let milliseconds = (Int64(truncatingIfNeeded: now) + offset) / 1_000_000
        if milliseconds / 1000 != second {
            second = milliseconds / 1000
            makeTexts()
        }
        return milliseconds
    }

    private mutating func makeTexts() {
        var time = time_t(second)
        var parts = unsafe tm()
        unsafe gmtime_r(&time, &parts)
        let (year, month, day) = unsafe (Int(parts.tm_year) + 1900, Int(parts.tm_mon), Int(parts.tm_mday))
        put(day, 2, "/", &common, 0)
        for index in 0..<3 { common[3 + index] = Self.months[3 * month + index] }
        common[6] = UInt8(ascii: "/")
        put(year, 4, ":", &common, 7)
        put(year, 4, "-", &internet, 0)
        put(month + 1, 2, "-", &internet, 5)
        put(day, 2, "T", &internet, 8)
        let clock = unsafe (Int(parts.tm_hour), Int(parts.tm_min), Int(parts.tm_sec))
        putClock(clock, &common, 12)
        putClock(clock, &internet, 11)
    }

    private func putClock<let count: Int>(
        _ clock: (Int, Int, Int), _ text: inout InlineArray<count, UInt8>, _ place: Int
    ) {
        put(clock.0, 2, ":", &text, place)
        put(clock.1, 2, ":", &text, place + 3)
        put(clock.2, 2, nil, &text, place + 6)
    }

    private func put<let count: Int>(
        _ number: Int, _ digits: Int, _ end: Unicode.Scalar?, _ text: inout InlineArray<count, UInt8>, _ place: Int
    ) {
        var rest = number
        for index in (place..<place + digits).reversed() {
            text[index] = UInt8(truncatingIfNeeded: rest % 10) + 48
            rest /= 10
        }
        if let end { text[place + digits] = UInt8(ascii: end) }
    }
}
