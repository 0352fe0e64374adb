internal import CLinux

/// What a listener tells. On its loop's thread.
public protocol ListenerDelegate: AnyObject {
    /// A connection has come.
    func accepted(_ socket: consuming Socket, by listener: Listener)
    /// Nothing can be accepted now, mostly for want of descriptors or memory (``Errno/isOutOfDescriptors``). The listener
    /// tries again by itself. Told once until a connection is accepted again.
    func acceptingPaused(_ listener: Listener, _ error: Errno)
}

/// Accepts the connections of one listening socket on one loop. Loop thread.
public final class Listener: EventSource {
    private let socket: ListeningSocket
    private let loop: EventLoop
    private let delegate: any ListenerDelegate
    private var token: Token?
    private var retry: LoopTimer?
    private var hasTold = false
    private var isClosed = false

    /// Connections that are accepted in one turn; the others have theirs in the next iteration.
    private static let batch = 32
    /// How long it waits for descriptors to become free.
    private static let pause = Duration.milliseconds(100)

    /// Starts to accept. The delegate is held until ``close()``.
    ///
    /// - Throws: `Errno` of epoll_ctl(2).
    public init(_ socket: ListeningSocket, on loop: EventLoop, delegate: any ListenerDelegate) throws(Errno) {
        self.socket = socket
        self.loop = loop
        self.delegate = delegate
        try resumeAccepting()
    }

    /// Where it listens.
    public var address: SocketAddress { socket.address }

    public func ready(_ readiness: Readiness) {
        for _ in 0..<Self.batch {
            guard token != nil else { return }
            let descriptor = helio_accept(socket.socket.descriptor, nil, nil)
            if descriptor >= 0 {
                hasTold = false
                delegate.accepted(Socket(descriptor: descriptor), by: self)
                continue
            }
            let error = Errno.last("accept4")
            if error.code == EAGAIN || error.code == EWOULDBLOCK { return }
            if Self.isOfConnection(error.code) { continue }
            // Readiness is level-triggered: whatever else fails would fail at once again.
            pauseUntilRetry(error)
            return
        }
    }

    /// Errors of a connection that came to nothing, not of the listener (accept(2), "Error handling").
    private static func isOfConnection(_ code: Int32) -> Bool {
        switch code {
        case EINTR, ECONNABORTED, EPROTO, EPERM, ENOPROTOOPT, EOPNOTSUPP, ETIMEDOUT, ENETDOWN, ENETUNREACH, EHOSTDOWN,
            EHOSTUNREACH, ENONET:
            true
        default: false
        }
    }

    private func pauseUntilRetry(_ error: Errno) {
        pauseAccepting()
        retry = loop.schedule(after: Self.pause) { [self] in
            retry = nil
            resumeOrRetry()
        }
        guard !hasTold else { return }
        hasTold = true
        delegate.acceptingPaused(self, error)
    }

    private func resumeOrRetry() {
        guard !isClosed else { return }
        do {
            try resumeAccepting()
        } catch {
            pauseUntilRetry(error)
        }
    }

    /// Leaves connections in the kernel's queue until ``resumeAccepting()``.
    public func pauseAccepting() {
        retry?.cancel()
        retry = nil
        guard let token else { return }
        loop.forget(token, descriptor: socket.socket.descriptor)
        self.token = nil
    }

    /// Accepts again; does nothing while it accepts, or when it is closed.
    ///
    /// - Throws: `Errno` of epoll_ctl(2).
    public func resumeAccepting() throws(Errno) {
        guard token == nil, !isClosed else { return }
        retry?.cancel()
        retry = nil
        token = try loop.watch(socket.socket.descriptor, socket.isShared ? .sharedInput : .input, self)
    }

    /// Ends accepting. The socket closes when no loop's listener holds it any more.
    public func close() {
        isClosed = true
        pauseAccepting()
    }
}
