import Logging
import Synchronization

/// The level below which nothing is logged: one for the whole process, to be changed while it runs.
enum LogThreshold {
    private static let index = Atomic<Int>(levels.firstIndex(of: .info) ?? 0)
    private static let levels = Logger.Level.allCases

    static var level: Logger.Level {
        get { levels[index.load(ordering: .relaxed)] }
        set { index.store(levels.firstIndex(of: newValue) ?? 0, ordering: .relaxed) }
    }
}

/// Passes on what reaches the threshold.
struct ThresholdLogHandler: LogHandler {
    private var next: any LogHandler

    init(_ next: any LogHandler) {
        self.next = next
        self.next.logLevel = .trace
    }

    /// The process's; one logger alone cannot have another.
    var logLevel: Logger.Level {
        get { LogThreshold.level }
        set {}
    }

    var metadata: Logger.Metadata {
        get { next.metadata }
        set { next.metadata = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { next[metadataKey: key] }
        set { next[metadataKey: key] = newValue }
    }

    func log(event: LogEvent) { next.log(event: event) }
}
