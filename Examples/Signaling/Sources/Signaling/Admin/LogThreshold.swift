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
