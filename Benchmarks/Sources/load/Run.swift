import ArgumentParser
import Glibc
import Heliograph

/// What all kinds of load are told.
struct LoadOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "Connections.") var connections = 32
    @Option(name: .shortAndLong, help: "Operations to measure; without it --duration decides.") var operations: Int?
    @Option(name: .shortAndLong, help: "Seconds to measure.") var duration: Double?
    @Option(help: "Seconds before anything is measured.") var warmUp = 0.0
    @Option(help: "Operations a second, whatever the server does (an open loop); without it as fast as they end.")
    var rate: Double?
    @Flag(help: "Speak HTTP/1.1.") var http1 = false
    @Flag(help: "Ask another machine than this one. It has to agree to that.") var allowRemote = false
    @Option(help: "text, json or csv.") var format = Format.text

    enum Format: String, ExpressibleByArgument { case text, json, csv }

    func validate() throws {
        guard (1...19_000).contains(connections) else { throw ValidationError("--connections is from 1 to 19000") }
        guard operations ?? 1 > 0, duration ?? 1 > 0, rate ?? 1 > 0, warmUp >= 0 else {
            throw ValidationError("numbers of operations, seconds and rates are above 0")
        }
    }

    /// Only this machine is asked, unless the other is named by the flag.
    func check(_ request: ClientRequest) throws {
        let host = request.authority.split(separator: ":").first.map(String.init) ?? ""
        let isLocal = host == "localhost" || host.hasPrefix("127.") || request.authority.hasPrefix("[::1]")
        guard isLocal || allowRemote else {
            throw ValidationError("\(host) is another machine: give --allow-remote if its owner agrees")
        }
    }

    /// - Parameter perConnection: exchanges at once on each connection.
    func configuration(perConnection: Int) -> ClientConfiguration {
        var configuration = ClientConfiguration()
        configuration.trust = .insecure
        configuration.versions = http1 ? .http1 : .http2
        configuration.plaintextVersion = http1 ? .http11 : .http2
        configuration.limits.maxConnectionsPerOrigin = connections
        configuration.limits.maxConcurrentStreams = perConnection
        configuration.limits.maxQueuedRequests = connections * perConnection + 1
        configuration.limits.queueTimeout = .seconds(600)
        // One address has some 28,000 ports, and one of 127.0.0.0/8 serves 10,000 of the connections.
        configuration.localAddresses = (0..<(connections / 10_000 + 1)).compactMap {
            SocketAddress(host: "127.0.0.\(2 + $0)", port: 0)
        }
        return configuration
    }

    /// Runs a load on a loop of its own until it is over, and prints what it found.
    ///
    /// - Parameter start: on the loop; begins all.
    func run(perConnection: Int, _ start: @escaping @Sendable (ClientPool, Schedule, Recorder) -> Void) async throws {
        let group = try EventLoopGroup(threads: 1)
        let loop = group[0]
        let client = try Client(on: group, configuration: configuration(perConnection: perConnection))
        let (operations, duration) = (operations, operations == nil ? duration ?? 10 : duration)
        let (rate, warmUp) = (rate, warmUp)
        let result = await withCheckedContinuation { (ended: CheckedContinuation<Recorder.Result, Never>) in
            loop.execute {
                let schedule = Schedule(on: loop, rate: rate)
                let recorder = Recorder(
                    goal: operations, duration: duration.map { .seconds($0) }, warmUp: .seconds(warmUp)
                ) { result in
                    schedule.stop()
                    ended.resume(returning: result)
                }
                Progress.show(recorder, on: loop)
                start(client.pool, schedule, recorder)
            }
        }
        await client.stop(within: .zero)
        group.stop()
        await group.stopped()
        result.print(as: format)
        if result.operations == 0 { throw ExitCode.failure }
    }
}

/// A line on a terminal that says how far a run has come.
enum Progress {
    static func show(_ recorder: Recorder, on loop: EventLoop) {
        guard isatty(2) == 1 else { return }
        loop.schedule(after: .milliseconds(500)) {
            let line = Array(("\r\u{1B}[K" + (recorder.isOver ? "" : recorder.progress)).utf8)
            write(2, line, line.count)
            if !recorder.isOver { show(recorder, on: loop) }
        }
    }
}

extension Recorder.Result {
    func print(as format: LoadOptions.Format) {
        let microseconds = latencies.map { ($0.name, Double($0.value) / 1000) }
        switch format {
        case .text:
            if let error { Swift.print("\(failed) failed, the first one: \(error)") }
            guard operations > 0 else { return Swift.print("nothing succeeded") }
            Swift.print("\(operations) operations in \(rounded(seconds)) s over \(version), \(failed) failed")
            Swift.print("\(Int(Double(operations) / max(seconds, 1e-9)))/s, \(bytes) bytes")
            Swift.print("latency, µs: " + microseconds.map { "\($0.0) \(rounded($0.1))" }.joined(separator: ", "))
        case .json:
            let latency = microseconds.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",")
            let reason = (error ?? "").replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            Swift.print(
                "{\"operations\":\(operations),\"failed\":\(failed),\"seconds\":\(seconds),\"bytes\":\(bytes),"
                    + "\"version\":\"\(version)\",\"error\":\"\(reason)\",\"latency\":{\(latency)}}")
        case .csv:
            Swift.print("operations,failed,seconds,bytes,version," + latencies.map(\.name).joined(separator: ","))
            Swift.print(
                "\(operations),\(failed),\(seconds),\(bytes),\(version),"
                    + microseconds.map { "\($0.1)" }.joined(separator: ","))
        }
    }

    private func rounded(_ value: Double) -> String { "\((value * 100).rounded() / 100)" }
}
