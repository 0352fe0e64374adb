internal import CLinux
internal import Synchronization

/// Signals as events of a loop. One watcher at a time in a process; its signals stay handled after it has closed.
///
/// The handler writes the signal's number into a pipe, which is all that it may do (signal-safety(7)); the loop reads it.
public final class Signals: EventSource {
    /// Ctrl-C.
    public static let interrupt = SIGINT
    /// What `kill` and service managers send.
    public static let terminate = SIGTERM
    /// What asks a server to read its configuration again.
    public static let hangUp = SIGHUP

    private let loop: EventLoop
    private let body: (Int32) -> Void
    private let pipe: Socket
    private var token: Token?

    /// Starts to watch. Loop thread.
    ///
    /// - Parameters:
    ///   - signals: their numbers.
    ///   - body: called on the loop with the number of each signal that comes.
    /// - Throws: `Errno` when descriptors run out.
    public init(_ signals: [Int32], on loop: EventLoop, _ body: @escaping (Int32) -> Void) throws(Errno) {
        self.loop = loop
        self.body = body
        var ends: [Int32] = [-1, -1]
        _ = try checked("socketpair") { unsafe helio_socket_pair(&ends) }
        pipe = Socket(descriptor: ends[0])
        let earlier = signalPipe.exchange(ends[1], ordering: .relaxed)
        if earlier >= 0 { CLinux.close(earlier) }
        token = try loop.watch(pipe.descriptor, .input, self)
        for signal in signals { helio_handle_signal(signal, passSignalOn) }
    }

    public func ready(_ readiness: Readiness) {
        unsafe withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { buffer in
            guard case .bytes(let count) = unsafe pipe.receive(into: buffer) else { return }
            for index in 0..<count { body(Int32(unsafe buffer[index])) }
        }
    }

    /// Ends the watch; signals that come are ignored from now on. Loop thread.
    public func close() {
        guard let token else { return }
        self.token = nil
        loop.forget(token)
        let end = signalPipe.exchange(-1, ordering: .relaxed)
        if end >= 0 { CLinux.close(end) }
    }
}

/// Where the handler writes.
private let signalPipe = Atomic<Int32>(-1)

/// Runs in whatever thread a signal interrupts.
private func passSignalOn(_ signal: Int32) {
    let descriptor = signalPipe.load(ordering: .relaxed)
    guard descriptor >= 0 else { return }
    var byte = UInt8(truncatingIfNeeded: signal)
    _ = unsafe write(descriptor, &byte, 1)
}
