import ArgumentParser
import Heliograph

/// Asks a service on this machine whether it lives, for those who start containers.
struct HealthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Asks the service of this configuration, on this machine, whether it lives.",
        discussion: """
            With an admin port it asks for /livez there, else for the page. The exit
            code is 0 when it answers, else 1.
            """)

    /// How long it may take to answer.
    private static let patience = Duration.seconds(4)

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        let configuration = try options.sources.load().values
        var client = ClientConfiguration()
        // It is this machine that is asked, by an address that no certificate has.
        client.trust = .insecure
        client.limits.connectTimeout = Self.patience
        client.limits.responseTimeout = Self.patience
        let isOperators = configuration.admin.port != nil
        if !isOperators { client.unixSocket = configuration.listen.unixSocket }
        let group = try EventLoopGroup(threads: 1)
        let asker = try Client(on: group, configuration: client)
        let url = configuration.healthURL
        do {
            let status = try await asker.run { try await asker.request(ClientRequest(.get, url)).status }
            guard status == 200 else { throw HealthError(description: "\(url) answers \(status)") }
        } catch let error as ClientError {
            throw HealthError(description: "\(url): \(error)")
        }
        await asker.stop(within: .zero)
        group.stop()
    }
}

/// Why a service is not well.
struct HealthError: Error, CustomStringConvertible {
    let description: String
}

extension ServiceConfiguration {
    /// Where it can be asked from this machine.
    var healthURL: String {
        if let port = admin.port {
            let scheme = AdminConfiguration(host: admin.host).isLoopback ? "http" : "https"
            return "\(scheme)://\(Self.reachable(admin.host)):\(port)/livez"
        }
        return "\(tls.plaintext ? "http" : "https")://\(Self.reachable(listen.host)):\(listen.port)/"
    }

    /// An address at which a listener of `host` is reached from here.
    private static func reachable(_ host: String) -> String {
        switch host {
        case "::": "[::1]"
        case "0.0.0.0": "127.0.0.1"
        default: host.contains(":") ? "[\(host)]" : host
        }
    }
}
