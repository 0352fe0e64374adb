import Glibc
import Heliograph
import SignalingCore

extension EventLoop {
    /// Now, by this loop's clock and by the calendar.
    var moment: Moment { Moment(nanoseconds: now, unixMilliseconds: Self.unixMilliseconds) }

    /// The calendar's time, in milliseconds since 1970.
    static var unixMilliseconds: Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
