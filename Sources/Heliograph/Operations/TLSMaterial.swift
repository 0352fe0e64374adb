internal import Glibc
internal import HelioHTTP
internal import HelioReactor
internal import HelioTLS

/// Turns what a configuration says of security into what TLS needs: reads files, makes the development certificate.
enum TLSMaterial {
    /// - Returns: nil for plaintext.
    static func configuration(
        for server: ServerConfiguration, tickets: SessionTickets
    ) throws(ServerError) -> TLSConfiguration? {
        var made: TLSConfiguration
        switch server.security {
        case .plaintext: return nil
        case .custom(let given): return given
        case .certificate(let chain, let key): made = try configuration(chain: chain, key: key, tickets: tickets)
        case .development(let directory):
            let paths = try DevelopmentCertificate.paths(in: directory)
            made = try configuration(chain: paths.chain, key: paths.key, tickets: tickets)
        }
        made.clientAuthentication = try authentication(server.clientCertificates)
        return made
    }

    private static func authentication(_ clients: ClientCertificates) throws(ServerError) -> ClientAuthentication {
        switch clients {
        case .none: .none
        case .optional(let path): .optional(authorities: try FileContents.read(path), source: path)
        case .required(let path): .required(authorities: try FileContents.read(path), source: path)
        }
    }

    private static func configuration(
        chain: String, key: String, tickets: SessionTickets
    ) throws(ServerError) -> TLSConfiguration {
        let chainBytes = try FileContents.read(chain)
        let keyBytes = try FileContents.read(key)
        do {
            let certificate = try Certificate(
                chain: chainBytes, key: keyBytes, chainSource: chain, keySource: key, now: unixTime())
            var configuration = TLSConfiguration(certificates: [certificate])
            configuration.sessionTickets = tickets
            return configuration
        } catch {
            throw .tls(error)
        }
    }
}

/// The TLS contexts of a server: one for each set of versions that its endpoints speak, as ALPN is a context's.
struct TLSContexts: Sendable {
    private var contexts: [HTTPVersions: TLSContext] = [:]

    init(_ configuration: TLSConfiguration, for endpoints: [ServerConfiguration.Endpoint]) throws(ServerError) {
        for versions in Set(endpoints.map(\.versions)) {
            var configuration = configuration
            configuration.alpn = versions.alpn
            do {
                contexts[versions] = try TLSContext(server: configuration, now: unixTime())
            } catch {
                throw .tls(error)
            }
        }
    }

    subscript(versions: HTTPVersions) -> TLSContext? { contexts[versions] }
}

/// A self-signed certificate for this machine's own names, and others that are asked for, made once and kept, so that a
/// browser asks only once whether it is trusted.
public enum DevelopmentCertificate {
    private static let names = ["localhost", "127.0.0.1", "::1"]
    private static let validDays = 365
    /// One that ends sooner is made anew.
    private static let leastRest: Int64 = 7 * 86_400

    /// The files of the certificate, which is made when there is none, it is about to expire, or it lacks one of the names.
    ///
    /// ```swift
    /// let paths = try DevelopmentCertificate.paths(in: nil, alsoFor: ["192.0.2.7"])
    /// ```
    ///
    /// - Parameters:
    ///   - directory: nil is `$XDG_CACHE_HOME/heliograph`, else `~/.cache/heliograph`.
    ///   - others: names and numeric addresses beside those of loopback. With any, it is another certificate, in files of its
    ///     own.
    /// - Throws: ``ServerError`` when the directory cannot be used, or nothing tells where it is.
    public static func paths(
        in directory: String?, alsoFor others: [String] = []
    ) throws(ServerError) -> (chain: String, key: String) {
        let given = directory
        let directory: String
        if let given { directory = given } else { directory = try standardDirectory() }
        let file = directory + (others.isEmpty ? "/localhost" : "/network")
        let paths = (chain: file + ".pem", key: file + ".key")
        let names = names + others
        if isUsable(paths, for: names) { return paths }
        try FileContents.makeDirectory(directory)
        let lock = try FileContents.lock(directory)
        defer { lock.release() }
        // Another process, or another server of this one, may just have made it.
        if isUsable(paths, for: names) { return paths }
        let made: (chain: [UInt8], key: [UInt8])
        do {
            made = try Certificate.selfSigned(names: names, now: unixTime(), validDays: validDays)
        } catch {
            throw .tls(error)
        }
        try FileContents.write(made.key, to: paths.key)
        try FileContents.write(made.chain, to: paths.chain)
        return paths
    }

    private static func isUsable(_ paths: (chain: String, key: String), for names: [String]) -> Bool {
        guard let chain = try? FileContents.read(paths.chain), let key = try? FileContents.read(paths.key),
            let certificate = try? Certificate(chain: chain, key: key, now: unixTime())
        else { return false }
        return certificate.notAfter - unixTime() > leastRest
            && Set(names.map(normal)).isSubset(of: certificate.names.map(normal))
    }

    /// An address can be written in several ways.
    private static func normal(_ name: String) -> String {
        SocketAddress(host: name, port: 0)?.description ?? name.lowercased()
    }

    /// No other place is looked for: in one that others can write to, they could put a key that they know.
    private static func standardDirectory() throws(ServerError) -> String {
        if let cache = environment("XDG_CACHE_HOME") { return cache + "/heliograph" }
        guard let home = environment("HOME") else { throw .file(path: "~/.cache", Errno(ENOENT, in: "open")) }
        return home + "/.cache/heliograph"
    }

    private static func environment(_ name: String) -> String? {
        guard let value = unsafe getenv(name), unsafe value.pointee != 0 else { return nil }
        return unsafe String(cString: value)
    }
}
