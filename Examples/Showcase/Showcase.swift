import ArgumentParser
import Glibc
import Heliograph
import Logging

/// Each capability of the runtime on one route.
@main
struct Showcase: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "showcase",
        abstract: "A server with one route for each capability of Heliograph.",
        discussion: """
            EXAMPLES
              showcase                                    https://localhost:8443 with a development certificate
              showcase --host 0.0.0.0 --port 443 --certificate site.pem --private-key site.key
              curl -k https://localhost:8443/hello
              curl -k -T file https://localhost:8443/echo
            """)

    @Option(help: "A numeric address to listen at, or 'localhost'.") var host = "localhost"
    @Option(help: "The port; 0 lets the kernel choose.") var port: UInt16 = 8443
    @Option(help: "Event loops, each a thread. [default: one for each CPU]") var threads: Int?
    @Option(help: "A PEM file with the certificate and its chain. [default: a development certificate]")
    var certificate: String?
    @Option(help: "The PEM file with the certificate's private key.") var privateKey: String?
    @Flag(help: "Serve without TLS: HTTP/1.1, and HTTP/2 with prior knowledge, on one port.") var plaintext = false
    @Flag(help: "Do not speak HTTP/1.1.") var noHttp1 = false
    @Flag(help: "Do not speak HTTP/2.") var noHttp2 = false
    @Flag(help: "Take no WebSocket over HTTP/2 (RFC 8441).") var noConnectProtocol = false
    @Option(help: "A PEM file with those who sign clients' certificates, which are then asked for.")
    var clientAuthorities: String?
    @Flag(help: "Connections begin with a header of the PROXY protocol.") var proxyProtocol = false
    @Option(help: "A network whose proxies are believed, such as 10.0.0.0/8; may be repeated. [default: this machine]")
    var trustedProxy: [String] = []
    @Option(help: "A line for each request: combined, json or none.") var logFormat = LogFormat.none
    @Option(help: "The file for these lines, opened again at SIGHUP. [default: the standard output]")
    var logFile: String?
    @Option(help: "A directory whose files are served at /files/.") var root: String?

    func validate() throws {
        if (certificate == nil) != (privateKey == nil) {
            throw ValidationError("--certificate and --private-key are given together")
        }
        if plaintext, certificate != nil { throw ValidationError("--plaintext uses no certificate") }
        if noHttp1, noHttp2 { throw ValidationError("--no-http1 and --no-http2 together leave nothing to speak") }
        if let wrong = trustedProxy.first(where: { AddressRange($0) == nil }) {
            throw ValidationError("--trusted-proxy '\(wrong)' is no network such as 10.0.0.0/8 or ::1")
        }
        if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads is from 1 to 1024") }
    }

    func run() async throws {
        let files = try openRoot()
        let log = try openLog()
        let feeds = Feeds()
        let server = Server(serverConfiguration) { loop in
            let router = showcaseRouter(RouteContext(loop: loop, files: files, feeds: feeds))
            guard let log else { return router }
            return AccessLog(log.format, to: log.sink, on: loop, wrapping: RequestID(wrapping: router))
        }
        do {
            try server.start()
        } catch {
            throw Failure(description: "\(error)")
        }
        let address = "\(plaintext ? "http" : "https")://\(host):\(server.port ?? 0)"
        await server.stopOnSignal(
            ready: {
                print("showcase is at \(address)")
                if files == nil { print("/files/ answers 404: give a directory with --root") }
                // A pipe is written to in blocks otherwise, and whoever waits for the address would wait on.
                fflush(nil)
            }, hangUp: { log?.sink.reopen() })
        log?.sink.close()
    }

    private var serverConfiguration: ServerConfiguration {
        var endpoint = ServerConfiguration.Endpoint.tcp(host: host, port: port)
        if noHttp1 { endpoint.versions.remove(.http1) }
        if noHttp2 { endpoint.versions.remove(.http2) }
        endpoint.allowsConnectProtocol = !noConnectProtocol
        let trusted = trustedProxy.isEmpty ? AddressRange.loopback : trustedProxy.compactMap { AddressRange($0) }
        if proxyProtocol { endpoint.proxyProtocol = .required(from: trusted) }
        var configuration = ServerConfiguration()
        configuration.endpoints = [endpoint]
        configuration.threads = threads
        if plaintext { configuration.security = .plaintext }
        if let certificate, let privateKey {
            configuration.security = .certificate(chain: certificate, key: privateKey)
        }
        if let clientAuthorities { configuration.clientCertificates = .optional(authorities: clientAuthorities) }
        return configuration
    }

    /// What is written for each request, if anything is.
    private func openLog() throws -> (format: AccessLog.Format, sink: LogSink)? {
        guard let format = logFormat.format else { return nil }
        do {
            return (format, try LogSink(logFile.map { .file($0) } ?? .standardOutput))
        } catch {
            throw Failure(description: "\(error)")
        }
    }

    /// The files of `--root`.
    private func openRoot() throws -> FileRoot? {
        guard let root else { return nil }
        do {
            return try FileRoot(root)
        } catch {
            throw Failure(description: "--root \(root): \(error.reason)")
        }
    }

    /// Printed as it is.
    struct Failure: Error, CustomStringConvertible { let description: String }
}

/// The values of `--log-format`.
enum LogFormat: String, ExpressibleByArgument {
    case combined, json, none

    var format: AccessLog.Format? {
        switch self {
        case .combined: .combined
        case .json: .json
        case .none: nil
        }
    }
}
