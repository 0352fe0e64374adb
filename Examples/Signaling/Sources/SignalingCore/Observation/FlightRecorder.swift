/// The last events of a session, for whoever has to find out what went wrong: types, sizes and codes, and nothing of what the
/// peers say to each other or who they are. Bounded, and small: 16 bytes an event.
package struct FlightRecorder {
    private var entries: [Entry] = []
    /// Where the oldest entry is, once all places are taken.
    private var oldest = 0
    private let capacity: Int
    private let start: UInt64
    /// All that were ever recorded.
    package private(set) var count = 0

    private struct Entry {
        /// Since the start of the session.
        let milliseconds: UInt32
        let event: FlightEvent
    }

    /// - Parameter now: the start of the session, in nanoseconds.
    init(capacity: Int, now: UInt64) {
        self.capacity = capacity
        start = now
    }

    mutating func record(_ event: FlightEvent, now: UInt64) {
        guard capacity > 0 else { return }
        let elapsed = now > start ? (now - start) / 1_000_000 : 0
        let entry = Entry(milliseconds: UInt32(clamping: elapsed), event: event)
        count += 1
        if entries.count < capacity {
            entries.append(entry)
        } else {
            entries[oldest] = entry
            oldest = (oldest + 1) % capacity
        }
    }

    /// In the order in which they happened; time in milliseconds since the start of the session.
    package var events: [(milliseconds: UInt32, event: FlightEvent)] {
        (entries[oldest...] + entries[..<oldest]).map { ($0.milliseconds, $0.event) }
    }

    /// A line for each event.
    package var lines: [String] { events.map { "+\($0.milliseconds)ms \($0.event)" } }

    /// What it takes, in bytes.
    var memory: Int { entries.capacity * MemoryLayout<Entry>.stride }
}

/// One event of a session's flight recorder.
package enum FlightEvent: Sendable, Hashable {
    case started
    case attached(Transport, Resumption)
    case detached
    /// The service has ended the stream: a newer one has come, the client did not keep up, or has to go elsewhere.
    case streamEnded
    /// A request with messages, of so many bytes.
    case request(size: UInt32)
    case message(MessageType, MessageError.Code?)
    /// An event was given the next number and kept for the client.
    case event(MessageType, size: UInt32)
    /// An event found no place in the log.
    case skipped(MessageType)
    case refused(Problem)
    case ended(LeaveReason)
}

extension FlightEvent: CustomStringConvertible {
    /// What happened, as one word.
    package var name: String {
        switch self {
        case .started: "started"
        case .attached: "attached"
        case .detached: "detached"
        case .streamEnded: "stream_ended"
        case .request: "request"
        case .message: "message"
        case .event: "event"
        case .skipped: "skipped"
        case .refused: "refused"
        case .ended: "ended"
        }
    }

    /// The rest, by name. Values are words of the program's own.
    package var fields: [(name: String, value: String)] {
        switch self {
        case .started, .detached, .streamEnded: []
        case .attached(let transport, let resumption):
            [("transport", transport.rawValue), ("resumed", resumption.rawValue)]
        case .message(let type, let code): [("t", type.rawValue), ("outcome", code?.rawValue ?? "ok")]
        case .skipped(let type): [("t", type.rawValue)]
        case .event(let type, _): [("t", type.rawValue)]
        case .refused(let problem): [("code", problem.rawValue)]
        case .ended(let reason): [("reason", reason.rawValue)]
        case .request: []
        }
    }

    /// In bytes, where it has a size.
    package var size: UInt32? {
        switch self {
        case .request(let size), .event(_, let size): size
        default: nil
        }
    }

    package var description: String {
        let size = size.map { " size=\($0)" } ?? ""
        return fields.reduce(name) { "\($0) \($1.name)=\($1.value)" } + size
    }
}
