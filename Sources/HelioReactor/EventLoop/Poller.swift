internal import CLinux

/// An epoll instance and the buffer of its events. One thread.
@safe struct Poller: ~Copyable {
    private let descriptor: Int32
    private let events: UnsafeMutableBufferPointer<epoll_event>

    /// More than this many ready descriptors are reported in several turns.
    private static let batch = 256

    init() throws(Errno) {
        descriptor = try checked("epoll_create1") { epoll_create1(Int32(EPOLL_CLOEXEC)) }
        unsafe events = .allocate(capacity: Self.batch)
    }

    deinit {
        close(descriptor)
        unsafe events.deallocate()
    }

    borrowing func add(_ target: Int32, _ token: Token, _ interest: Interest) throws(Errno) {
        _ = try checked("epoll_ctl") {
            helio_epoll_ctl(descriptor, EPOLL_CTL_ADD, target, interest.events, token.rawValue)
        }
    }

    /// Closing a descriptor removes it too, unless it is open elsewhere.
    borrowing func remove(_ target: Int32) { _ = helio_epoll_ctl(descriptor, EPOLL_CTL_DEL, target, 0, 0) }

    /// Waits for events.
    ///
    /// - Parameter timeout: milliseconds; 0 only looks, -1 waits for ever.
    /// - Returns: how many there are; 0 also when a signal came.
    borrowing func wait(timeout: Int32) -> Int {
        let count = unsafe epoll_wait(descriptor, events.baseAddress, Int32(Self.batch), timeout)
        return max(Int(count), 0)
    }

    @inline(__always)
    borrowing func event(_ index: Int) -> (token: Token, readiness: Readiness) {
        // Swift does not touch the packed structure itself: under ThreadSanitizer the compiler fails on that.
        let token = unsafe helio_epoll_token(events.baseAddress, Int32(truncatingIfNeeded: index))
        let readiness = unsafe helio_epoll_readiness(events.baseAddress, Int32(truncatingIfNeeded: index))
        return (Token(rawValue: token), Readiness(rawValue: readiness))
    }
}
