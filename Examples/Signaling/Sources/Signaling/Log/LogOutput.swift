import Glibc
import Logging
import Synchronization

/// Where lines of the log go, and which: one for all loggers, so that a change reaches those that are there already. Any thread.
final class LogOutput: Sendable {
    private let descriptor: Int32
    private let isTerminal: Bool
    private let isJSON: Atomic<Bool>
    private let showsAddresses = Atomic(false)

    init(descriptor: Int32 = STDERR_FILENO) {
        self.descriptor = descriptor
        isTerminal = isatty(descriptor) == 1
        isJSON = Atomic(!isTerminal)
    }

    func configure(_ log: ServiceConfiguration.Log) {
        LogThreshold.level = log.level
        showsAddresses.store(log.addresses, ordering: .relaxed)
        let json = log.format == .json || log.format == .auto && !isTerminal
        isJSON.store(json, ordering: .relaxed)
    }

    func logger(label: String) -> Logger { Logger(label: label) { ServiceLogHandler(label: $0, output: self) } }

    func write(_ level: Logger.Level, label: String, _ message: String, _ metadata: Logger.Metadata) {
        let redaction = LogRedaction(showsAddresses: showsAddresses.load(ordering: .relaxed))
        let fields = metadata.sorted { $0.key < $1.key }.map { ($0.key, redaction.text($0.key, $0.value)) }
        let time = Self.time()
        let line =
            isJSON.load(ordering: .relaxed)
            ? LogText.json(time, "\(level)", label, message, fields)
            : LogText.text(time, "\(level)", label, message, fields)
        emit(Array(line.utf8))
    }

    /// A line is one call, so that lines of several threads do not mix. What a full disk does not take is lost.
    private func emit(_ line: [UInt8]) {
        var rest = line[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { bytes in
                unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count)
            }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                return
            }
        }
    }

    /// Now, as RFC 3339 has it, in UTC.
    private static func time() -> String {
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        var parts = unsafe tm()
        unsafe gmtime_r(&now.tv_sec, &parts)
        func digits(_ number: some BinaryInteger, _ count: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        let date = unsafe [
            digits(parts.tm_year + 1900, 4), digits(parts.tm_mon + 1, 2), digits(parts.tm_mday, 2),
        ].joined(separator: "-")
        let clock = unsafe [digits(parts.tm_hour, 2), digits(parts.tm_min, 2), digits(parts.tm_sec, 2)]
            .joined(separator: ":")
        return "\(date)T\(clock).\(digits(now.tv_nsec / 1_000_000, 3))Z"
    }
}

/// Hands one logger's lines to the output.
struct ServiceLogHandler: LogHandler {
    let label: String
    let output: LogOutput
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    init(label: String, output: LogOutput) {
        self.label = label
        self.output = output
    }

    /// The process's; one logger alone cannot have another.
    var logLevel: Logger.Level {
        get { LogThreshold.level }
        set {}
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let given = event.metadata { all.merge(given) { $1 } }
        output.write(event.level, label: label, "\(event.message)", all)
    }
}
