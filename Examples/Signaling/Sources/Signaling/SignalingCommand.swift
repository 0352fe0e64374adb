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
              signaling --dev-lan                a link to open on a phone, too
              signaling --port 0 --threads 2     a free port, which it prints
              signaling --host :: --port 443 --certificate site.pem --private-key site.key
              signaling check-config --config signaling.yaml

            SETTINGS
              Each flag below is also a variable of the environment and a key of the
              file that --config names: --room-capacity is SIGNALING_ROOM_CAPACITY and
              room-capacity. Flags go before variables, and those before the file.
              Times are 250ms, 30s, 5m, 2h, 1d, sizes 64KiB, 1MiB. --help-hidden shows
              the settings that tune a deployment too.

            SIGNALS
              SIGTERM, SIGINT   send sessions away and end; a second one ends at once
              SIGHUP            reads certificates and the configuration again
            """,
        subcommands: [TokenCommand.self, CheckConfigCommand.self, HealthCommand.self])

    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Shows every setting and where its value comes from, secrets redacted, and ends.")
    var printConfig = false

    func run() async throws {
        let sources = options.sources
        let loaded = try sources.load()
        guard !printConfig else { return print(loaded.report, terminator: "") }
        let configuration = loaded.values
        let output = LogOutput()
        output.configure(configuration.log)
        LoggingSystem.bootstrap { ServiceLogHandler(label: $0, output: output) }
        let logger = output.logger(label: "signaling")
        let reloader = Reloader(loaded, from: sources, output: output, logger: logger)
        let operations = configuration.operations
        let limits = configuration.limits
        let access = try await configuration.access.configuration(limits: limits)
        let service = try Service(
            try configuration.server(logger), limits: limits, keys: try configuration.ticketKeys, access: access,
            operations: operations, reloader: reloader, manager: ServiceManager(environment: sources.environment))
        try service.start()
        await service.watchSignals()
        for warning in loaded.warnings { logger.warning("\(warning)") }
        warn(configuration, logger, asksForTokens: access.verifier != nil)
        for place in try await Self.places(configuration, port: service.port) { print("signaling: open \(place)") }
        if let port = service.adminPort, let admin = operations.admin {
            print("signaling: operators \(admin.isLoopback ? "http" : "https")://\(admin.hostInURL):\(port)/")
        }
        // Whoever reads it through a pipe waits for the port.
        fflush(nil)
        await service.stopped()
    }

    private static func places(_ configuration: ServiceConfiguration, port: UInt16) async throws -> [String] {
        guard let network = configuration.network else { return [place(configuration, port: port)] }
        let access = configuration.access
        return try await network.links(
            port: port, issuer: access.issuers.first ?? "", audience: access.audiences.first ?? "",
            seconds: TokenCommand.now / 1000)
    }

    private static func place(_ configuration: ServiceConfiguration, port: UInt16) -> String {
        let listen = configuration.listen
        if !listen.handedOver.isEmpty { return "the sockets that were handed over" }
        if let path = listen.unixSocket { return "unix:\(path)" }
        let host = listen.host.contains(":") ? "[\(listen.host)]" : listen.host
        return "\(configuration.tls.plaintext ? "http" : "https")://\(host):\(port)/"
    }

    private func warn(_ configuration: ServiceConfiguration, _ logger: Logger, asksForTokens: Bool) {
        if configuration.network != nil {
            logger.warning(
                """
                DEVELOPMENT MODE ON THE NETWORK: every machine that reaches this one is served. Who has one of the links gets into \
                their room, for an hour and until this run ends. Browsers warn of the certificate, as nobody has signed it: go on only \
                if you trust the network. This is for trying, not for use.
                """)
        } else if configuration.isDevelopment {
            logger.warning(
                "DEVELOPMENT MODE: no certificate is configured, so only this machine is served. Do not put a proxy before it."
            )
        } else if !configuration.listen.isLocal, !asksForTokens {
            logger.warning("everyone who reaches this address may use the service: it does not ask who they are")
        }
    }

    /// As the argument parser's own, but an error is one line, and each fault of a configuration is one.
    static func main() async {
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let error as ConfigurationError {
            for problem in error.problems { complain(problem) }
            Glibc.exit(ExitCode.validationFailure.rawValue)
        } catch {
            let code = exitCode(for: error)
            guard !code.isSuccess else { exit(withError: error) }
            complain(message(for: error).split(separator: "\n").joined(separator: " "))
            Glibc.exit(code.rawValue)
        }
    }

    static func complain(_ message: String) {
        let line = Array("signaling: \(message)\n".utf8)
        _ = unsafe write(STDERR_FILENO, line, line.count)
    }
}
