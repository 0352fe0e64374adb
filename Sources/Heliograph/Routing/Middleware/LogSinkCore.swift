internal import Glibc
internal import HelioReactor
internal import Logging
internal import Synchronization

/// What a sink's thread works on; it outlives the sink until the thread has ended.
final class LogSinkCore: Sendable {
    struct Orders {
        var hasWork = false
        var isReopening = false
        var isClosing = false
    }

    private let destination: LogSink.Destination
    private let queue: Int
    private let logger: Logger
    private let orders = ConditionLock(Orders())
    private let shards = Lock<[LogShard]>([])
    private let lost = Atomic<Int>(0)
    /// Handed to the thread when it begins.
    private let opened: Int32

    /// How long lines gather once there is one, in microseconds: a wake-up of the thread for each would cost more than the line.
    private static let pause: UInt32 = 20_000
    private static let reportInterval: Int64 = 10

    init(_ destination: LogSink.Destination, queue: Int, logger: Logger) throws(ServerError) {
        self.destination = destination
        self.queue = queue
        self.logger = logger
        opened = try Self.open(destination)
    }

    var dropped: Int { lost.load(ordering: .relaxed) }

    func makeShard() -> LogShard {
        let shard = LogShard(limit: queue)
        shards.withLock { $0.append(shard) }
        return shard
    }

    func order(_ change: (inout Orders) -> Void) { orders.signal(change) }

    /// The thread's life.
    func run() {
        var output = Output(descriptor: opened)
        var taken = LogShard.Pending()
        while true {
            let order = orders.wait { orders -> Orders? in
                guard orders.hasWork || orders.isReopening || orders.isClosing else { return nil }
                defer { orders = Orders() }
                return orders
            }
            if !order.isClosing { usleep(Self.pause) }
            if order.isReopening { reopen(&output) }
            for shard in shards.withLock({ $0 }) {
                taken.bytes.removeAll(keepingCapacity: true)
                taken.lines = 0
                taken.dropped = 0
                shard.swap(&taken)
                write(taken, to: &output)
            }
            guard order.isClosing else { continue }
            if destination != .standardOutput { close(output.descriptor) }
            return
        }
    }

    /// The thread's own.
    private struct Output {
        var descriptor: Int32
        /// A line was cut off by an error, and the next one begins behind a newline.
        var isBroken = false
        var nextReport: Int64 = 0
    }

    private func write(_ pending: LogShard.Pending, to output: inout Output) {
        if pending.dropped > 0 { lose(pending.dropped, "the disk lags behind", &output) }
        guard !pending.bytes.isEmpty else { return }
        if output.isBroken { output.isBroken = !writeAll([UInt8(ascii: "\n")], to: output.descriptor) }
        guard !output.isBroken, writeAll(pending.bytes, to: output.descriptor) else {
            output.isBroken = true
            lose(pending.lines, Errno(errno, in: "write").reason, &output)
            return
        }
    }

    private func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        unsafe bytes.withUnsafeBytes { bytes in
            var written = 0
            while written < bytes.count {
                let count = unsafe Glibc.write(
                    descriptor, bytes.baseAddress.unsafelyUnwrapped + written, bytes.count - written)
                if count > 0 {
                    written += count
                } else if errno == EAGAIN {
                    // A standard output that another program has made nonblocking.
                    var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    unsafe Glibc.poll(&poll, 1, 1000)
                } else if errno != EINTR {
                    return false
                }
            }
            return true
        }
    }

    private func lose(_ lines: Int, _ reason: String, _ output: inout Output) {
        let total = lost.add(lines, ordering: .relaxed).newValue
        guard unixTime() >= output.nextReport else { return }
        output.nextReport = unixTime() + Self.reportInterval
        logger.warning("lines of a log are lost", metadata: ["reason": "\(reason)", "lost": "\(total)"])
    }

    private func reopen(_ output: inout Output) {
        guard destination != .standardOutput else { return }
        do throws(ServerError) {
            let descriptor = try Self.open(destination)
            close(output.descriptor)
            output.descriptor = descriptor
            output.isBroken = false
        } catch {
            logger.error("a log cannot be opened again, the old file stays", metadata: ["error": "\(error)"])
        }
    }

    private static func open(_ destination: LogSink.Destination) throws(ServerError) -> Int32 {
        guard case .file(let path) = destination else { return STDOUT_FILENO }
        let descriptor = unsafe Glibc.open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw .file(path: path, Errno(errno, in: "open")) }
        return descriptor
    }
}
