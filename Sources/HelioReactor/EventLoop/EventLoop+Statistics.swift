extension EventLoop {
    /// How the loop has fared.
    public struct Statistics: Sendable, Hashable {
        public internal(set) var iterations = 0
        /// The longest iteration, from the end of its wait to its end; nanoseconds.
        public internal(set) var longestIteration: UInt64 = 0
        /// Time spent in iterations, all in all; nanoseconds.
        public internal(set) var busy: UInt64 = 0

        @inline(__always)
        mutating func record(_ length: UInt64) {
            iterations += 1
            busy += length
            if length > longestIteration { longestIteration = length }
        }

        mutating func add(_ other: Statistics) {
            iterations += other.iterations
            busy += other.busy
            longestIteration = max(longestIteration, other.longestIteration)
        }
    }

    /// Who takes statistics: what one has taken the other still gets.
    public enum StatisticsReader: Sendable {
        /// The program itself.
        case application
        /// Whoever reports to a metrics system, as a server does each second.
        case metrics
    }

    /// What each reader has yet to take; an iteration records once, for both.
    struct Tally {
        var latest = Statistics()
        var application = Statistics()
        var metrics = Statistics()

        mutating func take(for reader: StatisticsReader) -> Statistics {
            application.add(latest)
            metrics.add(latest)
            latest = Statistics()
            switch reader {
            case .application:
                defer { application = Statistics() }
                return application
            case .metrics:
                defer { metrics = Statistics() }
                return metrics
            }
        }
    }
}
