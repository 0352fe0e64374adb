internal import CLinux

/// An eventfd by which other threads wake a loop. Level-triggered: read to be quiet again.
struct Wakeup: ~Copyable {
    let descriptor: Int32

    init() throws(Errno) {
        descriptor = try checked("eventfd") { eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC)) }
    }

    deinit { close(descriptor) }

    /// Any thread.
    borrowing func signal() {
        var one: UInt64 = 1
        // It fails only when the counter is full: then the loop is woken already.
        _ = unsafe write(descriptor, &one, 8)
    }

    borrowing func clear() {
        var count: UInt64 = 0
        _ = unsafe read(descriptor, &count, 8)
    }
}
