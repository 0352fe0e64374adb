import ArgumentParser
import Heliograph

/// What all kinds of load are told.
struct LoadOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "Connections.") var connections = 32
    @Option(name: .shortAndLong, help: "Operations to measure; without it --duration decides.") var operations: Int?
    @Option(name: .shortAndLong, help: "Seconds to measure.") var duration: Double?
    @Option(help: "Seconds before anything is measured.") var warmUp = 0.0
    @Option(help: "Operations a second, whatever the server does (an open loop); without it as fast as they end.")
    var rate: Double?
    @Option(help: "Processes that share the connections, the operations and the rate.") var processes = 1
    @Flag(help: "Speak HTTP/1.1.") var http1 = false
    @Flag(help: "Ask another machine than this one. It has to agree to that.") var allowRemote = false
    @Option(help: "text, json or csv.") var format = Format.text
    /// Which of the processes this one is.
    @Option(help: .private) var share: Int?

    enum Format: String, ExpressibleByArgument { case text, json, csv }

    func validate() throws {
        guard (1...64).contains(processes), (0..<processes).contains(share ?? 0) else {
            throw ValidationError("--processes is from 1 to 64")
        }
        guard (processes...19_000 * processes).contains(connections) else {
            throw ValidationError(
                "--connections is from 1 to 19000 for each process, of which there are \(processes): raise --processes")
        }
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

    /// What this process does of the whole.
    func part(of whole: Int) -> Int {
        guard processes > 1, let share else { return whole }
        return whole / processes + (share < whole % processes ? 1 : 0)
    }

    /// - Parameter perConnection: exchanges at once on each connection.
    func configuration(connections: Int, perConnection: Int) -> ClientConfiguration {
        var configuration = ClientConfiguration()
        configuration.trust = .insecure
        configuration.versions = http1 ? .http1 : .http2
        configuration.plaintextVersion = http1 ? .http11 : .http2
        configuration.limits.maxConnectionsPerOrigin = connections
        configuration.limits.maxConcurrentStreams = perConnection
        configuration.limits.maxQueuedRequests = connections * perConnection + 1
        configuration.limits.queueTimeout = .seconds(600)
        configuration.limits.connectTimeout = .seconds(600)
        configuration.limits.prefaceTimeout = .seconds(600)
        configuration.limits.responseTimeout = .seconds(600)
        configuration.limits.bodyTimeout = .seconds(3600)
        configuration.limits.idleTimeout = .seconds(3600)
        configuration.localAddresses = (0..<(connections / 10_000 + 1)).flatMap(localAddresses)
        return configuration
    }

    /// An address of 127.0.0.0/8 of this process's own: one has some 28,000 ports, and serves 10,000 of its connections.
    func localAddresses(from number: Int) -> [SocketAddress] {
        SocketAddress(host: "127.0.0.\(2 + 2 * (share ?? 0) + number)", port: 0).map { [$0] } ?? []
    }
}
