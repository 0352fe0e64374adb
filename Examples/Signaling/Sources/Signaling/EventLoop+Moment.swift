import Glibc
import Heliograph
import SignalingCore

extension EventLoop {
    /// Now, by this loop's clock and by the calendar.
    var moment: Moment {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Moment(
            nanoseconds: now, unixMilliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }
}
