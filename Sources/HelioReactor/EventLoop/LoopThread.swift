internal import CLinux

/// A POSIX thread: a loop's, or one that may block.
///
/// ```swift
/// let thread = try LoopThread(name: "writer") { print("on a thread of its own") }
/// thread.join()
/// ```
@safe public struct LoopThread: @unchecked Sendable {
    private let handle: pthread_t

    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void
        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// Starts it.
    ///
    /// - Parameters:
    ///   - name: shown by ps and perf; at most 15 bytes.
    ///   - isDetached: nobody joins it.
    /// - Throws: `Errno` of pthread_create(3).
    public init(name: String, isDetached: Bool = false, _ body: @escaping @Sendable () -> Void) throws(Errno) {
        var handle = pthread_t()
        let start = unsafe Unmanaged.passRetained(Start(name, body))
        let status = unsafe pthread_create(
            &handle, nil,
            { argument in
                let start = unsafe Unmanaged<Start>.fromOpaque(argument.unsafelyUnwrapped).takeRetainedValue()
                unsafe helio_name_thread(start.name)
                start.body()
                return nil
            }, start.toOpaque())
        guard status == 0 else {
            unsafe start.release()
            throw Errno(status, in: "pthread_create")
        }
        self.handle = handle
        if isDetached { pthread_detach(handle) }
    }

    /// Waits for its end. Once, and not from itself.
    public func join() { pthread_join(handle, nil) }

    /// Lets it end by itself. Instead of ``join()``.
    public func detach() { pthread_detach(handle) }
}
