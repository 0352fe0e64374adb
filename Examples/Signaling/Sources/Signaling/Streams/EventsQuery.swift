import SignalingCore

/// The query of `GET …/events`: `since=epoch.seq&wait=seconds`.
struct EventsQuery {
    /// The last event that the client has.
    private(set) var since: EventID?
    /// How long a poll waits for an event. A client that does not say waits as long as it may.
    private(set) var wait = Duration.seconds(60)

    init(_ query: String) {
        for field in query.split(separator: "&") {
            let parts = field.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            switch parts[0] {
            case "since": since = EventID(String(parts[1]))
            case "wait": wait = .seconds(min(UInt32(parts[1]) ?? 0, 3600))
            default: break
            }
        }
    }
}
