internal import Glibc

/// The time of day for the lines of a log, from a loop's clock: the system's is asked once a second.
struct WallClock {
    /// What the system's clock is ahead of the loop's, in nanoseconds.
    private var offset: Int64 = 0
    private var nextLook: UInt64 = 0
    /// The second whose date is known.
    private var second = Int64.min
    private var year = 0
    private var month = 0
    private var day = 0

    private static let months: [StaticString] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Milliseconds since 1970 at `now` of the loop's clock.
    private mutating func milliseconds(_ now: UInt64) -> Int64 {
        if now >= nextLook {
            var time = timespec()
            unsafe clock_gettime(CLOCK_REALTIME, &time)
            offset = Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec) - Int64(truncatingIfNeeded: now)
            nextLook = now &+ 1_000_000_000
        }
        return (Int64(truncatingIfNeeded: now) + offset) / 1_000_000
    }

    /// `24/Nov/2026:10:30:14 +0000`, as the combined format has it.
    mutating func appendCommon(_ now: UInt64, to line: inout LogLine) {
        let seconds = milliseconds(now) / 1000
        findDate(seconds)
        line.append(day, digits: 2)
        line.append(UInt8(ascii: "/"))
        line.append(Self.months[month - 1])
        line.append(UInt8(ascii: "/"))
        line.append(year, digits: 4)
        line.append(UInt8(ascii: ":"))
        Self.appendTime(seconds, to: &line)
        line.append(" +0000")
    }

    /// `2026-11-24T10:30:14.123Z` (RFC 3339).
    mutating func appendRFC3339(_ now: UInt64, to line: inout LogLine) {
        let milliseconds = milliseconds(now)
        findDate(milliseconds / 1000)
        line.append(year, digits: 4)
        line.append(UInt8(ascii: "-"))
        line.append(month, digits: 2)
        line.append(UInt8(ascii: "-"))
        line.append(day, digits: 2)
        line.append(UInt8(ascii: "T"))
        Self.appendTime(milliseconds / 1000, to: &line)
        line.append(UInt8(ascii: "."))
        line.append(Int(milliseconds % 1000), digits: 3)
        line.append(UInt8(ascii: "Z"))
    }

    private static func appendTime(_ seconds: Int64, to line: inout LogLine) {
        let ofDay = Int(seconds % 86_400)
        line.append(ofDay / 3600, digits: 2)
        line.append(UInt8(ascii: ":"))
        line.append(ofDay / 60 % 60, digits: 2)
        line.append(UInt8(ascii: ":"))
        line.append(ofDay % 60, digits: 2)
    }

    private mutating func findDate(_ seconds: Int64) {
        guard seconds / 86_400 != second / 86_400 else { return }
        second = seconds
        var time = time_t(seconds)
        var parts = unsafe tm()
        unsafe gmtime_r(&time, &parts)
        year = Int(unsafe parts.tm_year) + 1900
        month = Int(unsafe parts.tm_mon) + 1
        day = Int(unsafe parts.tm_mday)
    }
}
