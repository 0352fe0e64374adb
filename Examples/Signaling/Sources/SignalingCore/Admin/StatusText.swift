/// What the dashboard shows, as JSON.
struct StatusText {
    private let loops: [LoopMeasures]

    init(_ loops: [LoopMeasures]) { self.loops = loops }

    private func sum(_ value: (LoopMeasures) -> Int) -> Int { loops.reduce(0) { $0 + value($1) } }

    var reply: Reply {
        var statistics = NodeStatistics()
        for loop in loops { statistics.add(loop.statistics) }
        let messages = statistics.messages.counts
        let failed = messages.reduce(0) { $1.key.error == nil ? $0 : $0 + $1.value }
        let limits = statistics.limits.counts.values.reduce(0, +) + sum { $0.outlet.limits.values.reduce(0, +) }
        return .json(200, headers: SignalingNode.fresh) { writer in
            writer.key("draining")
            writer.bool(loops.contains(where: \.isDraining))
            writer.field("connections", sum { $0.outlet.connectionsOpen })
            writer.field("sessions", sum(\.sessions))
            writer.field("connected", sum(\.connectedSessions))
            writer.field("rooms", sum(\.rooms))
            writer.field("members", sum(\.members))
            writer.field("messages", messages.values.reduce(0, +))
            writer.field("messages_refused", failed)
            writer.field("events", statistics.events.counts.values.reduce(0, +))
            writer.field("unacknowledged", sum(\.keptEvents))
            writer.field("limits_tripped", limits)
            writer.field("internal_errors", statistics.internalErrors)
            writer.field("bytes_received", sum { $0.outlet.bytesReceived })
            writer.field("bytes_sent", sum { $0.outlet.bytesSent })
            writer.key("loops")
            writer.array { writer in
                for loop in loops {
                    writer.object { writer in
                        writer.field("loop", loop.loop)
                        writer.field("sessions", loop.sessions)
                        writer.field("rooms", loop.rooms)
                        writer.field("busy_us", loop.outlet.busy / 1000)
                        writer.field("longest_us", loop.outlet.longestIteration / 1000)
                    }
                }
            }
        }
    }
}
