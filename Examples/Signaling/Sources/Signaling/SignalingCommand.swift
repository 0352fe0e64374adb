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
              SIGTERM, SIGINT   send sessions away and end; a second one ends at once
              SIGHUP            reads the certificate again
            """)

    @Option(help: "A numeric address to listen at, or 'localhost'.") var host = "localhost"
    @Option(help: "The port; 0 takes a free one.") var port: UInt16 = 8443
    @Option(help: "Event loops, each a thread, from 1 to 1024. [default: one for each CPU]") var threads: Int?
    @Option(help: "A PEM file with the certificate and its chain.") var certificate: String?
    @Option(help: "The PEM file with the certificate's private key.") var privateKey: String?
    @Option(
        help: ArgumentHelp(
            "Keys that sign resume tickets, so that they are good after a restart: one in each line, the newest first.",
            valueName: "file"))
    var ticketSecretFile: String?
    @Option(help: ArgumentHelp("How long a session lives without an event stream.", valueName: "seconds"))
    var sessionGrace = 30.0

    @Option(help: ArgumentHelp("How long sessions have to go elsewhere when it ends.", valueName: "seconds"))
    var drainTimeout = 10.0
    @Option(help: ArgumentHelp("How long readiness is gone before sessions are sent away.", valueName: "seconds"))
    var drainLead = 0.0
    @Option(help: "A numeric address, or 'localhost', to listen at for operators.") var adminHost = "127.0.0.1"
    @Option(help: "The port for operators, such as 9443; 0 takes a free one. [default: none: it does not listen]")
    var adminPort: UInt16?
    @Option(help: "A file with the bearer token of operators, of at least 16 bytes. Beyond loopback it is needed.")
    var adminTokenFile: String?
    @Option(help: "Where events of sessions and rooms are posted to.") var webhookUrl: String?
    @Option(help: "A file with the secret that they are signed with, of at least 16 bytes.")
    var webhookSecretFile: String?

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
        guard (0...3600).contains(drainTimeout), (0...drainTimeout).contains(drainLead) else {
            throw ValidationError("--drain-timeout is from 0 to 3600 seconds, --drain-lead from 0 to that")
        }
        guard (webhookUrl == nil) == (webhookSecretFile == nil) else {
            throw ValidationError("--webhook-url and --webhook-secret-file are given together")
        }
        let admin = AdminConfiguration(host: adminHost)
        guard adminPort == nil || admin.isLoopback || adminTokenFile != nil && !isDevelopment else {
            throw ValidationError(
                "--admin-host \(adminHost) can be reached from other machines: give --admin-token-file, "
                    + "--certificate and --private-key")
        }
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
        limits.sessionGrace = .milliseconds(Int(sessionGrace * 1000))
        limits.drainLead = .milliseconds(Int(drainLead * 1000))
        let operations = try operations()
        let service = try Service(configuration, limits: limits, keys: try ticketKeys(), operations: operations)
        try service.start()
        await service.watchSignals()
        warn(configuration.logger)
        print("signaling: open https://\(host.contains(":") ? "[\(host)]" : host):\(service.port)/")
        if let port = service.adminPort, let admin = operations.admin {
            print("signaling: operators \(admin.isLoopback ? "http" : "https")://\(admin.hostInURL):\(port)/")
        }
        // Whoever reads it through a pipe waits for the port.
        fflush(nil)
        await service.stopped()
    }

    private func ticketKeys() throws -> TicketKeys {
        if let ticketSecretFile { return try TicketKeys(file: ticketSecretFile) }
        return isDevelopment ? .development : TicketKeys()
    }

    private func operations() throws -> OperationsConfiguration {
        var operations = OperationsConfiguration(drainTimeout: .milliseconds(Int(drainTimeout * 1000)))
        if let adminPort {
            let token = try adminTokenFile.map { try Secret.read($0, for: "admin token", atLeast: 16) }
            operations.admin = AdminConfiguration(host: adminHost, port: adminPort, token: token)
        }
        if let webhookUrl, let webhookSecretFile {
            // What is wrong with it is said now, and not at the first event.
            _ = try ClientRequest(.post, webhookUrl)
            let secret = try Secret.read(webhookSecretFile, for: "webhooks' secret", atLeast: 16)
            operations.webhooks = WebhookConfiguration(url: webhookUrl, secret: secret)
        }
        return operations
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
        LoggingSystem.bootstrap { label in ThresholdLogHandler(StreamLogHandler.standardError(label: label)) }
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
