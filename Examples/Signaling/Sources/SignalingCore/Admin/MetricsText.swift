/// What all loops have counted, for Prometheus. Every label has few values: names that are the program's own, and the loops.
struct MetricsText {
    private let loops: [LoopMeasures]
    private var text = PrometheusText()
    private var statistics = NodeStatistics()

    init(_ loops: [LoopMeasures]) {
        self.loops = loops
        for loop in loops { statistics.add(loop.statistics) }
        writeConnections()
        writeSessions()
        writeMessages()
        writeQueues()
        writeLoops()
        writeLimits()
        writeWebhooks()
        writeKeySet()
    }

    var reply: Reply {
        Reply(
            status: 200, contentType: PrometheusText.contentType, headers: SignalingNode.fresh,
            body: Array(text.text.utf8))
    }

    private func sum(_ value: (LoopMeasures) -> Int) -> Int { loops.reduce(0) { $0 + value($1) } }

    private mutating func total(
        _ name: String, _ kind: PrometheusText.Kind, _ help: String, _ value: (LoopMeasures) -> Int
    ) {
        text.family(name, kind, help)
        text.sample(sum(value))
    }

    private mutating func writeConnections() {
        total("connections", .gauge, "Connections that are open.") { $0.outlet.connectionsOpen }
        total("connections_accepted_total", .counter, "Connections accepted.") { $0.outlet.connectionsAccepted }
        text.family("handshakes_total", .counter, "TLS handshakes by how they ended.")
        let failed = sum { $0.outlet.handshakeFailures }
        let resumed = sum { $0.outlet.resumptions }
        text.sample(sum { $0.outlet.handshakes } - resumed, [("outcome", "full")])
        text.sample(resumed, [("outcome", "resumed")])
        text.sample(failed, [("outcome", "failed")])
        text.family("streams", .gauge, "Open ways down of sessions, by transport and version of HTTP.")
        var streams = Tally<StreamKind>()
        for loop in loops { streams.add(loop.streams) }
        for transport in Transport.allCases {
            for version in ["1.1", "2"] {
                text.sample(
                    streams[StreamKind(transport: transport, version: version)],
                    [("transport", transport.rawValue), ("http", version)])
            }
        }
        text.family("streams_opened_total", .counter, "Ways down that were opened, by transport.")
        for transport in Transport.allCases {
            text.sample(statistics.streamsOpened[transport], [("transport", transport.rawValue)])
        }
        text.family("resumptions_total", .counter, "Ways down by how much of what was missed they could bring.")
        for resumption in [Resumption.yes, .partial, .no] {
            text.sample(statistics.resumptions[resumption], [("resumed", resumption.rawValue)])
        }
        total("bytes_received_total", .counter, "Bytes read from connections.") { $0.outlet.bytesReceived }
        total("bytes_sent_total", .counter, "Bytes given to connections.") { $0.outlet.bytesSent }
        total("requests_total", .counter, "Requests of HTTP.") { $0.outlet.requests }
    }

    private mutating func writeSessions() {
        text.family("sessions", .gauge, "Sessions that exist, with a way down or without.")
        let connected = sum(\.connectedSessions)
        text.sample(connected, [("state", "connected")])
        text.sample(sum(\.sessions) - connected, [("state", "detached")])
        text.family("sessions_started_total", .counter, "Sessions that have begun.")
        text.sample(statistics.sessionsStarted)
        text.family("sessions_ended_total", .counter, "Sessions that have ended, by reason.")
        for (reason, count) in statistics.sessionsEnded.counts.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            text.sample(count, [("reason", reason.rawValue)])
        }
        total("rooms", .gauge, "Rooms that have members.", \.rooms)
        total("room_members", .gauge, "Members of all rooms.", \.members)
        text.family("rooms_opened_total", .counter, "Rooms that have begun.")
        text.sample(statistics.roomsOpened)
        text.family("draining", .gauge, "1 while the node takes no new sessions.")
        text.sample(loops.contains(where: \.isDraining) ? 1 : 0)
        text.family("goaways_total", .counter, "Sessions that were told to go to another node.")
        text.sample(statistics.goaways)
    }

    private mutating func writeMessages() {
        text.family("messages_total", .counter, "Messages of clients by type and outcome.")
        let messages = statistics.messages.counts.map { (key: $0.key, labels: label($0.key), count: $0.value) }
        for (_, labels, count) in messages.sorted(by: { $0.labels.lexicographicallyPrecedes($1.labels) }) {
            text.sample(count, [("type", labels[0]), ("outcome", labels[1])])
        }
        text.family("events_total", .counter, "Events that were given to sessions, by type.")
        for (type, count) in statistics.events.counts.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            text.sample(count, [("type", type.rawValue)])
        }
        text.family("events_skipped_total", .counter, "Events that found no place in the log of their session.")
        text.sample(statistics.eventsSkipped)
        text.family("internal_errors_total", .counter, "What should never happen, and did; the log says more.")
        text.sample(statistics.internalErrors)
    }

    private func label(_ outcome: MessageOutcome) -> [String] {
        [outcome.type.rawValue, outcome.error?.rawValue ?? "ok"]
    }

    private mutating func writeQueues() {
        text.family("queue_depth", .gauge, "What waits, by queue.")
        text.sample(sum(\.keptEvents), [("queue", "unacknowledged_events")])
        text.sample(sum(\.waitingEvents), [("queue", "stream_events")])
        text.sample(sum(\.pendingRequests), [("queue", "pending_requests")])
        text.sample(sum(\.waitingMessages), [("queue", "loop_messages")])
        text.sample(sum { $0.outlet.webhooks.queued }, [("queue", "webhooks")])
        let components: [(String, Int)] = [
            ("event_log", sum(\.logBytes)), ("flight_recorder", sum(\.flightBytes)),
            ("output", sum(\.streamBytes)),
        ]
        text.family("memory_bytes", .gauge, "Memory of sessions and their connections, by component.")
        for (name, bytes) in components { text.sample(bytes, [("component", name)]) }
        text.family("bytes_per_connection", .gauge, "The same for each open connection, on average.")
        let connections = max(1, sum { $0.outlet.connectionsOpen })
        for (name, bytes) in components { text.sample(bytes / connections, [("component", name)]) }
        total("http2_blocks", .gauge, "Blocks of memory that HTTP/2 holds.") { $0.outlet.http2Blocks }
        total("descriptors", .gauge, "Descriptors that loops watch.") { $0.outlet.descriptors }
        total("timers", .gauge, "Timers that are armed.") { $0.outlet.timers }
    }

    private mutating func writeLoops() {
        text.family("loop_lag_seconds", .histogram, "How late timers of a loop fire.")
        for loop in loops {
            let label = (name: "loop", value: "\(loop.loop)")
            var count = 0
            for (index, bound) in LagHistogram.bounds.enumerated() {
                count += loop.outlet.lag.counts[index]
                text.sample(count, [label, ("le", "\(Double(bound) / 1000)")], suffix: "_bucket")
            }
            count += loop.outlet.lag.counts[LagHistogram.bounds.count]
            text.sample(count, [label, ("le", "+Inf")], suffix: "_bucket")
            text.sample(nanoseconds: loop.outlet.lag.sum, [label], suffix: "_sum")
            text.sample(count, [label], suffix: "_count")
        }
        text.family("loop_busy_seconds_total", .counter, "Time that a loop has worked.")
        for loop in loops { text.sample(nanoseconds: loop.outlet.busy, [("loop", "\(loop.loop)")]) }
        text.family("loop_longest_iteration_seconds", .gauge, "The longest iteration of a loop in the last second.")
        for loop in loops { text.sample(nanoseconds: loop.outlet.longestIteration, [("loop", "\(loop.loop)")]) }
    }

    private mutating func writeLimits() {
        var tripped: [String: Int] = [:]
        for (limit, count) in statistics.limits.counts { tripped[limit.name, default: 0] += count }
        for loop in loops { tripped.merge(loop.outlet.limits, uniquingKeysWith: +) }
        text.family("limits_tripped_total", .counter, "Limits that were crossed, by name.")
        for (name, count) in tripped.sorted(by: { $0.key < $1.key }) { text.sample(count, [("limit", name)]) }
        var refusals: [Int: Int] = [:]
        for loop in loops { refusals.merge(loop.outlet.refusals, uniquingKeysWith: +) }
        text.family("requests_refused_total", .counter, "Malformed requests over HTTP/1.1, by status.")
        for (status, count) in refusals.sorted(by: { $0.key < $1.key }) {
            text.sample(count, [("status", "\(status)")])
        }
        text.family("problems_total", .counter, "Requests that the service refused, by code.")
        for problem in Problem.allCases { text.sample(statistics.problems[problem], [("code", problem.rawValue)]) }
    }

    private mutating func writeWebhooks() {
        text.family("webhook_events_total", .counter, "Events for webhooks, by what became of them.")
        text.sample(sum { $0.outlet.webhooks.delivered }, [("outcome", "delivered")])
        text.sample(sum { $0.outlet.webhooks.dropped }, [("outcome", "dropped")])
        total("webhook_retries_total", .counter, "Deliveries that were tried again.") { $0.outlet.webhooks.retries }
    }

    private mutating func writeKeySet() {
        guard let keySet = loops.lazy.compactMap(\.outlet.keySet).first else { return }
        text.family("key_set_fetches_total", .counter, "Fetches of the keys of tokens, by how they ended.")
        text.sample(keySet.fetched, [("outcome", "ok")])
        text.sample(keySet.failed, [("outcome", "failed")])
        text.family("key_set_keys", .gauge, "Keys of tokens that were fetched.")
        text.sample(keySet.keys)
        guard let age = keySet.age else { return }
        text.family("key_set_age_seconds", .gauge, "How long ago the keys of tokens were fetched last.")
        text.sample(nanoseconds: age.nanoseconds)
    }
}
