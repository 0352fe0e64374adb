import Heliograph
import Logging
import SignalingCore

/// All that an operator can choose, each topic in a section of its own. ``Setting/all`` names every value.
struct ServiceConfiguration: Sendable {
    var listen = Listen()
    /// In development mode for other machines.
    var network: DevelopmentNetwork?
    var tls = TLS()
    var log = Log()
    var access = Access()
    var admin = Admin()
    var webhooks = Webhooks()
    /// How long sessions have to go elsewhere when the service ends, or an operator drains it.
    var drainTimeout = Duration.seconds(10)
    /// Keys that sign resume tickets.
    var ticketSecret: String?
    /// What clients of the service may do.
    var limits = ServiceLimits()
    /// What connections may do.
    var http = Limits()

    /// Where it listens.
    struct Listen: Sendable {
        var host = "localhost"
        var port: UInt16 = 8443
        /// Instead of a host and a port.
        var unixSocket: String?
        /// nil is one for each CPU.
        var threads: Int?
        var proxyProtocol = false
        /// Who may send a header of the PROXY protocol.
        var proxies: [AddressRange] = AddressRange.loopback
        /// Development mode for other machines.
        var isDevelopmentOnLAN = false

        /// Instead of all of these.
        var handedOver: [HandedOverSocket] = []

        /// Whether only this machine reaches it.
        var isLocal: Bool {
            if !handedOver.isEmpty { return handedOver.allSatisfy(\.isLocal) }
            return unixSocket != nil || isLoopback(host)
        }
    }

    /// What protects its connections.
    struct TLS: Sendable {
        var certificate: String?
        var privateKey: String?
        /// A proxy in front has the certificate.
        var plaintext = false
    }

    /// The second listener.
    struct Admin: Sendable {
        var host = "127.0.0.1"
        /// nil: there is none.
        var port: UInt16?
        /// Instead of a host and a port.
        var handedOver: HandedOverSocket?
        var token: Secret?
    }

    /// Where events are posted to.
    struct Webhooks: Sendable {
        var url: String?
        var secret: Secret?
    }

    /// What it says of itself.
    struct Log: Sendable {
        var level = Logger.Level.info
        var format = LogFormat.auto
        /// Whether addresses of clients stand in it.
        var addresses = false
    }
}

/// How a line of the log looks.
enum LogFormat: String, Sendable, CaseIterable {
    /// Text on a terminal, JSON otherwise.
    case auto
    case text
    case json
}

/// Whether only this machine reaches a host: a numeric address, or `localhost`.
func isLoopback(_ host: String) -> Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }

extension ServiceConfiguration {
    /// Without a certificate of its own, nor a proxy that has one.
    var isDevelopment: Bool { tls.certificate == nil && !tls.plaintext }

    /// What the runtime's server is told.
    func server(_ logger: Logger) throws(ServerError) -> ServerConfiguration {
        var server = ServerConfiguration(host: listen.host, port: listen.port)
        if let path = listen.unixSocket { server.endpoints = [.unix(path: path)] }
        if !listen.handedOver.isEmpty { server.endpoints = listen.handedOver.map { .descriptor($0.descriptor) } }
        if listen.proxyProtocol {
            let trusted = listen.unixSocket == nil ? listen.proxies : listen.proxies + [.unix]
            for index in server.endpoints.indices { server.endpoints[index].proxyProtocol = .required(from: trusted) }
        }
        server.threads = listen.threads
        server.limits = http
        server.logger = logger
        if tls.plaintext { server.security = .plaintext }
        if let chain = tls.certificate, let key = tls.privateKey {
            server.security = .certificate(chain: chain, key: key)
        }
        if let network {
            server.endpoints = [.tcp(host: network.host, port: listen.port)]
            server.security = try network.security
        }
        return server
    }

    /// What operators have.
    var operations: OperationsConfiguration {
        var operations = OperationsConfiguration(drainTimeout: drainTimeout)
        if admin.port != nil || admin.handedOver != nil { operations.admin = adminListener }
        if let url = webhooks.url, let secret = webhooks.secret {
            operations.webhooks = WebhookConfiguration(url: url, secret: secret)
        }
        return operations
    }

    /// Those of the file; without one they are new at each start, or those of all services in development.
    var ticketKeys: TicketKeys {
        get throws {
            if let ticketSecret { return try TicketKeys(file: ticketSecret) }
            return isDevelopment && network == nil ? .development : TicketKeys()
        }
    }

    private var adminListener: AdminConfiguration {
        AdminConfiguration(
            host: admin.host, port: admin.port ?? 0, handedOver: admin.handedOver, token: admin.token)
    }

    /// What is wrong between settings that are right by themselves, each in a sentence.
    var conflicts: [String] {
        var found: [String] = []
        if (tls.certificate == nil) != (tls.privateKey == nil) {
            found.append("--certificate and --private-key are given together")
        }
        if tls.plaintext, tls.certificate != nil {
            found.append("--plaintext and --certificate exclude each other")
        }
        if isDevelopment, !listen.isLocal {
            let place = listen.handedOver.isEmpty ? "--host \(listen.host)" : "the socket"
            found.append(
                "\(place) can be reached from other machines: give --certificate and --private-key, or --plaintext "
                    + "when a proxy in front has them, or leave --host out to try it on this machine")
        }
        if listen.proxyProtocol, listen.unixSocket == nil, listen.proxies.isEmpty {
            found.append("--proxy-protocol needs to know who may send it: give --proxy-protocol-from")
        }
        if access.previousSecret != nil, access.secret == nil {
            found.append("--token-previous-secret-file is of use beside --token-secret-file only")
        }
        return found + developmentConflicts + operationsConflicts
    }

    private var developmentConflicts: [String] {
        guard listen.isDevelopmentOnLAN else { return [] }
        var found: [String] = []
        if !isDevelopment { found.append("--dev-lan is development mode: leave out --certificate and --plaintext") }
        if access.hasKeys { found.append("--dev-lan makes a key for each run: leave out those of tokens") }
        if listen.host != Listen().host || listen.unixSocket != nil || !listen.handedOver.isEmpty {
            found.append("--dev-lan listens at all addresses: leave out --host, --unix-socket and sockets of systemd")
        }
        return found
    }

    private var operationsConflicts: [String] {
        var found: [String] = []
        if limits.drainLead > drainTimeout { found.append("--drain-lead is at most --drain-timeout") }
        if (webhooks.url == nil) != (webhooks.secret == nil) {
            found.append("--webhook-url and --webhook-secret-file are given together")
        }
        let isExposed = operations.admin?.isLoopback == false
        if isExposed, admin.token == nil || tls.certificate == nil {
            let place = admin.handedOver == nil ? "--admin-host \(admin.host)" : "the admin socket"
            found.append(
                "\(place) can be reached from other machines: give --admin-token-file, --certificate "
                    + "and --private-key")
        }
        return found
    }
}
