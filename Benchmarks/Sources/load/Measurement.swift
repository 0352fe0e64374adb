import Histogram

/// What a run has found. Those of several processes add up.
struct Measurement: Sendable, Codable {
    var operations = 0
    var failed = 0
    var seconds = 0.0
    var bytes = 0
    /// What was spoken.
    var version = ""
    /// The first thing that failed.
    var error: String?
    /// In nanoseconds, from when each operation was due.
    var latencies = Histogram<UInt64>(highestTrackableValue: 60_000_000_000, numberOfSignificantValueDigits: .three)

    mutating func add(_ other: Measurement) {
        operations += other.operations
        failed += other.failed
        seconds = max(seconds, other.seconds)
        bytes += other.bytes
        if version.isEmpty { version = other.version }
        error = error ?? other.error
        latencies.add(other.latencies)
    }

    /// Names and microseconds.
    private var percentiles: [(name: String, value: Double)] {
        [("p50", 50.0), ("p90", 90), ("p99", 99), ("p99.9", 99.9), ("max", 100)].map { name, percentile in
            (name, Double(latencies.valueAtPercentile(percentile)) / 1000)
        }
    }

    func print(as format: LoadOptions.Format) {
        switch format {
        case .text:
            if let error { Swift.print("\(failed) failed, the first one: \(error)") }
            guard operations > 0 else { return Swift.print("nothing succeeded") }
            Swift.print("\(operations) operations in \(rounded(seconds)) s over \(version), \(failed) failed")
            Swift.print("\(Int(Double(operations) / max(seconds, 1e-9)))/s, \(bytes) bytes")
            Swift.print("latency, µs: " + percentiles.map { "\($0.name) \(rounded($0.value))" }.joined(separator: ", "))
        case .json:
            let latency = percentiles.map { "\"\($0.name)\":\($0.value)" }.joined(separator: ",")
            let reason = (error ?? "").replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            Swift.print(
                "{\"operations\":\(operations),\"failed\":\(failed),\"seconds\":\(seconds),\"bytes\":\(bytes),"
                    + "\"version\":\"\(version)\",\"error\":\"\(reason)\",\"latency\":{\(latency)}}")
        case .csv:
            Swift.print("operations,failed,seconds,bytes,version," + percentiles.map(\.name).joined(separator: ","))
            Swift.print(
                "\(operations),\(failed),\(seconds),\(bytes),\(version),"
                    + percentiles.map { "\($0.value)" }.joined(separator: ","))
        }
    }

    private func rounded(_ value: Double) -> String { "\((value * 100).rounded() / 100)" }
}
