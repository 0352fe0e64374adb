internal import Glibc
internal import HelioReactor
public import Logging

/// Where lines of a log go: a file or the standard output, written by a thread of its own.
///
/// Each loop has a queue of its own to it, bounded in bytes: when the disk lags behind, lines are dropped and counted, and the
/// loops go on. Any thread.
///
/// ```swift
/// let sink = try LogSink(.file("/var/log/site/access.log"))
/// await server.stopOnSignal(hangUp: { sink.reopen() })
/// sink.close()
/// ```
public final class LogSink: Sendable {
    /// A place for lines.
    public enum Destination: Hashable, Sendable {
        case standardOutput
        /// A file, made if there is none and appended to. Its directory is there.
        case file(String)
    }

    private let core: LogSinkCore
    private let thread: Lock<LoopThread?>

    /// Opens the file and starts the thread.
    ///
    /// - Parameters:
    ///   - queue: bytes that wait for the thread, for each loop; a line that finds no room is dropped.
    ///   - logger: told when lines are dropped or the file cannot be written, at most once in ten seconds.
    /// - Throws: ``ServerError`` when the file cannot be opened or a thread cannot be started.
    public init(
        _ destination: Destination, queue: Int = 4 << 20, logger: Logger = Logger(label: "heliograph")
    ) throws(ServerError) {
        let core = try LogSinkCore(destination, queue: queue, logger: logger)
        self.core = core
        do {
            thread = Lock(try LoopThread(name: "helio-log") { core.run() })
        } catch {
            throw .resources(error)
        }
    }

    deinit { close() }

    /// Opens the file again under its name, after it was moved away (logrotate). One that cannot be opened is logged, and the old
    /// one stays in use.
    public func reopen() { core.order { $0.isReopening = true } }

    /// Writes what waits and ends the thread; waits for it. Lines that come later are dropped.
    public func close() {
        let running = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        guard let running else { return }
        core.order { $0.isClosing = true }
        running.join()
    }

    /// Lines that were dropped since the start.
    public var dropped: Int { core.dropped }

    /// A queue for one loop.
    func makeShard() -> LogShard { core.makeShard() }

    /// Has the thread look at the queues.
    func wake() { core.order { $0.hasWork = true } }
}

/// One loop's queue to a sink.
final class LogShard: Sendable {
    struct Pending {
        var bytes: [UInt8] = []
        var lines = 0
        var dropped = 0
    }

    private let pending = Lock(Pending())
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// Adds a line. Answers whether the queue was empty: then the thread is to be woken.
    func append(_ line: UnsafeRawBufferPointer) -> Bool {
        pending.withLock { pending in
            guard pending.bytes.count + line.count <= limit else {
                pending.dropped += 1
                return false
            }
            unsafe pending.bytes.append(contentsOf: line)
            pending.lines += 1
            return pending.lines == 1
        }
    }

    /// Takes what there is, and leaves what is given, empty, in its place.
    func swap(_ other: inout Pending) { pending.withLock { Swift.swap(&$0, &other) } }
}
