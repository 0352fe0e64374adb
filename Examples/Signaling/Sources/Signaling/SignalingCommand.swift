import ArgumentParser
import Glibc
import Heliograph
import Logging
import SignalingCore

/// The command line.
@main
struct SignalingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "signaling",
        abstract:
            "Carries offers, answers, candidates and presence between WebRTC peers, and serves a page to call from.",
        discussion: """
            Without a certificate it runs in development mode: on this machine's
            loopback addresses only, with a self-signed certificate that is kept
            between runs in ~/.cache/heliograph.

            EXAMPLES
              signaling                          https://localhost:8443, for two tabs
              signaling --port 0 --threads 2     a free port, which it prints
              signaling --host :: --port 443 --certificate site.pem --private-key site.key

            SIGNALS
              SIGTERM, SIGINT   end gracefully; a second one ends at once
              SIGHUP            reads the certificate again
            """)

    @Option(help: "A numeric address to listen at, or 'localhost'.") var host = "localhost"
    @Option(help: "The port; 0 takes a free one.") var port: UInt16 = 8443
    @Option(help: "Event loops, each a thread, from 1 to 1024. [default: one for each CPU]") var threads: Int?
    @Option(help: "A PEM file with the certificate and its chain.") var certificate: String?
    @Option(help: "The PEM file with the certificate's private key.") var privateKey: String?
    @Option(help: ArgumentHelp("How long a session lives without an event stream.", valueName: "seconds"))
    var sessionGrace = 30.0
    @Option(
        help: ArgumentHelp(
            "What descriptions and candidates may say in rooms, such as 'private-*: relay-only, media=4'; may be repeated, "
                + "the first whose rooms match counts. See Documentation/Policy.md.",
            valueName: "rooms: setting, …"))
    var sdpPolicy: [String] = []

    private var isDevelopment: Bool { certificate == nil }

    private var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }

    func validate() throws {
        guard (certificate == nil) == (privateKey == nil) else {
            throw ValidationError("--certificate and --private-key are given together")
        }
        guard !isDevelopment || isLoopback else {
            throw ValidationError(
                "--host \(host) can be reached from other machines: give --certificate and --private-key, "
                    + "or leave --host out to try it on this one")
        }
        guard (1...1024).contains(threads ?? 1) else { throw ValidationError("--threads is from 1 to 1024") }
        guard (0.1...86_400).contains(sessionGrace) else {
            throw ValidationError("--session-grace is from 0.1 to 86400 seconds")
        }
    }

    func run() async throws {
        var configuration = ServerConfiguration(host: host, port: port)
        configuration.threads = threads
        configuration.logger = Logger(label: "signaling")
        if let certificate, let privateKey {
            configuration.security = .certificate(chain: certificate, key: privateKey)
        }
        var limits = ServiceLimits()
        do {
            limits.sdpPolicies = try SDPPolicies(sdpPolicy)
        } catch {
            throw ValidationError("--sdp-policy \(error)")
        }
        limits.sessionGrace = .milliseconds(Int(sessionGrace * 1000))
        let service = try Service(configuration, limits: limits)
        try service.start()
        await service.watchSignals()
        warn(configuration.logger)
        print("signaling: open https://\(host.contains(":") ? "[\(host)]" : host):\(service.port)/")
        // Whoever reads it through a pipe waits for the port.
        fflush(nil)
        await service.stopped()
    }

    private func warn(_ logger: Logger) {
        if isDevelopment {
            logger.warning(
                "DEVELOPMENT MODE: no certificate is configured, so only this machine is served. Do not put a proxy before it."
            )
        } else if !isLoopback {
            logger.warning("everyone who reaches this address may use the service: it does not ask who they are")
        }
    }

    /// As the argument parser's own, but an error is one line.
    static func main() async {
        LoggingSystem.bootstrap(StreamLogHandler.standardError)
        do {
            try await parse().run()
        } catch {
            let code = exitCode(for: error)
            guard !code.isSuccess else { exit(withError: error) }
            let message = message(for: error).split(separator: "\n").joined(separator: " ")
            let line = Array("signaling: \(message)\n".utf8)
            _ = unsafe write(STDERR_FILENO, line, line.count)
            Glibc.exit(code.rawValue)
        }
    }
}
