import CLinux
import CoreMetrics
import HelioTLS
import HeliographTesting
import Testing

@testable import Heliograph
@testable import HelioReactor

/// What an operator sees. Each in a process of its own: metrics are set up once in a process, and descriptors run out for all.
@Suite struct OperationTests {
    @Test func countersReachTheMetricsBackend() async {
        await #expect(processExitsWith: .success) {
            let metrics = RecordingMetrics()
            MetricsSystem.bootstrap(metrics)
            try await withServer {
                $0.limits.maxConnectionsPerLoop = 2
            } makeHandler: { _ in
                RecordingHandler()
            } _: { live in
                let (one, two) = (try live.connect(), try live.connect())
                #expect(try one.get("/hello").status == 200)
                #expect(try one.get("/hello").status == 200)
                #expect(try two.get("/hello").status == 200)
                let stream = two.http.request("GET", "/waits")
                try two.flush()
                #expect(try await live.settled { $0.http.openStreams == 1 } != nil)
                #expect(try await metrics.values.settled { $0["heliograph_streams_open loop=0"] == 1 })
                two.http.reset(stream)
                try two.flush()
                two.kill()
            }
            let values = metrics.values.value
            #expect(values["heliograph_connections_accepted loop=0"] == 2)
            #expect(values["heliograph_connections_open loop=0"] == 0, "the last report comes with the end")
            #expect(values["heliograph_tls_handshakes loop=0"] == 2)
            #expect(values["heliograph_tls_resumptions loop=0"] ?? 0 == 0)
            #expect(values["heliograph_requests loop=0"] == 4)
            #expect(values["heliograph_streams_open loop=0"] == 0)
            #expect(values["heliograph_limits_tripped limit=connections loop=0"] == 1)
            #expect(values["heliograph_bytes_received loop=0"] ?? 0 > 500)
            #expect(values["heliograph_bytes_sent loop=0"] ?? 0 > 500)
            #expect(values["heliograph_loop_busy_seconds loop=0"] ?? 0 > 0)
            #expect(values["heliograph_loop_longest_iteration_seconds loop=0"] != nil)
        }
    }

    // ThreadSanitizer's runtime needs descriptors of its own and does not get by without.
    #if !HELIOGRAPH_SANITIZE
        @Test func runningOutOfDescriptorsIsToldOnceAndRecovers() async {
            await #expect(processExitsWith: .success) {
                try await withServer { _ in
                    RecordingHandler()
                } _: { live in
                    let old = try live.connect()
                    #expect(try old.get("/hello").status == 200)
                    // Dispatch opens what it sleeps by with the first sleep, and traps when it cannot.
                    try await Task.sleep(for: .milliseconds(1))
                    var limit = rlimit()
                    let resource = __rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue))
                    unsafe getrlimit(resource, &limit)
                    limit.rlim_cur = 256
                    unsafe setrlimit(resource, &limit)
                    // One is left, which the client takes: the kernel completes the connection, nothing accepts it.
                    var taken: [Int32] = []
                    while case let descriptor = eventfd(0, 0), descriptor >= 0 { taken.append(descriptor) }
                    if let last = taken.popLast() { close(last) }
                    let waiting = try live.connect()
                    let log = live.log
                    var isTold = false
                    for _ in 0..<1000 where !isTold {
                        try await Task.sleep(for: .milliseconds(5))
                        isTold = log.lines.contains { $0.contains("accepting pauses") }
                    }
                    #expect(isTold)
                    try await Task.sleep(for: .milliseconds(250))
                    #expect(try old.get("/hello").status == 200, "who is connected is served")
                    for descriptor in taken { close(descriptor) }
                    #expect(try waiting.get("/hello").status == 200)
                    let lines = log.lines.filter { $0.contains("accepting pauses") }
                    #expect(lines.count == 1)
                    #expect(lines.first?.contains("ulimit -n") == true && lines.first?.hasPrefix("error") == true)
                }
            }
        }
    #endif
}

/// A metrics backend that adds up, by label and dimensions.
private final class RecordingMetrics: MetricsFactory, Sendable {
    let values = Shared<[String: Double]>([:])

    private final class Recorder: CounterHandler, FloatingPointCounterHandler, RecorderHandler, TimerHandler,
        MeterHandler
    {
        let key: String
        let values: Shared<[String: Double]>
        init(key: String, values: Shared<[String: Double]>) {
            self.key = key
            self.values = values
        }
        func increment(by amount: Int64) { increment(by: Double(amount)) }
        func increment(by amount: Double) { values.change { $0[key, default: 0] += amount } }
        func decrement(by amount: Double) { increment(by: -amount) }
        func reset() { set(0.0) }
        func record(_ value: Int64) { set(Double(value)) }
        func record(_ value: Double) { set(value) }
        func recordNanoseconds(_ duration: Int64) { set(Double(duration)) }
        func set(_ value: Int64) { set(Double(value)) }
        func set(_ value: Double) { values.change { $0[key] = value } }
    }

    private func recorder(_ label: String, _ dimensions: [(String, String)]) -> Recorder {
        let sorted = dimensions.map { "\($0.0)=\($0.1)" }.sorted()
        return Recorder(key: ([label] + sorted).joined(separator: " "), values: values)
    }

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        recorder(label, dimensions)
    }
    func makeFloatingPointCounter(label: String, dimensions: [(String, String)]) -> any FloatingPointCounterHandler {
        recorder(label, dimensions)
    }
    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler { recorder(label, dimensions) }
    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        recorder(label, dimensions)
    }
    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler { recorder(label, dimensions) }
    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    func destroyMeter(_ handler: any MeterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}
}
