internal import CoreMetrics
internal import HelioHTTP
internal import HelioReactor

/// Tells swift-metrics, once a second, what a loop has counted since: nothing of it is on the path of a request.
///
/// Metrics, each with the dimension `loop`:
/// `heliograph_connections_accepted`, `heliograph_connections_open`, `heliograph_tls_handshakes`,
/// `heliograph_tls_resumptions`, `heliograph_tls_handshake_failures`, `heliograph_proxy_refusals`,
/// `heliograph_bytes_received`, `heliograph_bytes_sent`, `heliograph_requests`, `heliograph_requests_refused` (with
/// `status`), `heliograph_streams_open`, `heliograph_limits_tripped` (with `limit`),
/// `heliograph_loop_longest_iteration_seconds`, `heliograph_loop_busy_seconds`.
final class MetricsReporter {
    private unowned let server: LoopServer
    private var timer: LoopTimer?
    private var lastConnections = ConnectionCounters()
    private var lastHTTP = HTTPCounters()
    private var limitCounters: [LimitName: Counter] = [:]
    private var refusalCounters: [Status: Counter] = [:]
    private let dimensions: [(String, String)]
    private let accepted, handshakes, resumptions, failures, proxyRefusals, received, sent, requests: Counter
    private let open, streams, longestIteration: Gauge
    private let busy: FloatingPointCounter

    private static let interval = Duration.seconds(1)

    init(_ server: LoopServer) {
        self.server = server
        let dimensions = [("loop", String(server.loop.index))]
        self.dimensions = dimensions
        func counter(_ name: String) -> Counter { Counter(label: "heliograph_" + name, dimensions: dimensions) }
        accepted = counter("connections_accepted")
        handshakes = counter("tls_handshakes")
        resumptions = counter("tls_resumptions")
        failures = counter("tls_handshake_failures")
        proxyRefusals = counter("proxy_refusals")
        received = counter("bytes_received")
        sent = counter("bytes_sent")
        requests = counter("requests")
        open = Gauge(label: "heliograph_connections_open", dimensions: dimensions)
        streams = Gauge(label: "heliograph_streams_open", dimensions: dimensions)
        longestIteration = Gauge(label: "heliograph_loop_longest_iteration_seconds", dimensions: dimensions)
        busy = FloatingPointCounter(label: "heliograph_loop_busy_seconds", dimensions: dimensions)
        let timer = LoopTimer(on: server.loop) { [unowned self] in report() }
        self.timer = timer
        timer.schedule(after: Self.interval)
    }

    func stop() {
        report()
        timer?.cancel()
        timer = nil
    }

    private func report() {
        timer?.schedule(after: Self.interval)
        let connections = server.resources.counters
        let http = server.resources.http.counterSnapshot()
        let statistics = server.loop.takeStatistics(for: .metrics)
        accepted.increment(by: connections.accepted - lastConnections.accepted)
        handshakes.increment(by: connections.handshakes - lastConnections.handshakes)
        resumptions.increment(by: connections.resumptions - lastConnections.resumptions)
        failures.increment(by: connections.handshakeFailures - lastConnections.handshakeFailures)
        proxyRefusals.increment(by: connections.proxyRefusals - lastConnections.proxyRefusals)
        received.increment(by: connections.bytesReceived - lastConnections.bytesReceived)
        sent.increment(by: connections.bytesSent - lastConnections.bytesSent)
        requests.increment(by: http.requests - lastHTTP.requests)
        open.record(connections.open)
        streams.record(http.openStreams)
        longestIteration.record(Double(statistics.longestIteration) / 1e9)
        busy.increment(by: Double(statistics.busy) / 1e9)
        report(connections.limitsTripped, since: lastConnections.limitsTripped)
        report(http.limitsTripped, since: lastHTTP.limitsTripped)
        for (status, count) in http.refusals where count > lastHTTP.refusals[status, default: 0] {
            let counter =
                refusalCounters[status]
                ?? Counter(label: "heliograph_requests_refused", dimensions: dimensions + [("status", "\(status)")])
            refusalCounters[status] = counter
            counter.increment(by: count - lastHTTP.refusals[status, default: 0])
        }
        lastConnections = connections
        lastHTTP = http
    }

    private func report(_ tripped: [LimitName: Int], since last: [LimitName: Int]) {
        for (limit, count) in tripped where count > last[limit, default: 0] {
            let counter =
                limitCounters[limit]
                ?? Counter(
                    label: "heliograph_limits_tripped", dimensions: dimensions + [("limit", limit.rawValue)])
            limitCounters[limit] = counter
            counter.increment(by: count - last[limit, default: 0])
        }
    }
}
