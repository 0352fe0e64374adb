internal import Glibc
internal import HelioReactor
internal import HelioTLS

/// Turns what a configuration says of security into a context: reads files, makes the development certificate.
enum TLSMaterial {
    /// - Returns: nil for plaintext.
    static func context(for security: TransportSecurity, tickets: SessionTickets) throws(ServerError) -> TLSContext? {
        let configuration: TLSConfiguration
        switch security {
        case .plaintext: return nil
        case .custom(let given): configuration = given
        case .certificate(let chain, let key):
            configuration = try Self.configuration(chain: chain, key: key, tickets: tickets)
        case .development(let directory):
            let paths = try DevelopmentCertificate.paths(in: directory)
            configuration = try Self.configuration(chain: paths.chain, key: paths.key, tickets: tickets)
        }
        do {
            return try TLSContext(server: configuration, now: unixTime())
        } catch {
            throw .tls(error)
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

/// A self-signed certificate for this machine's own names, made once and kept, so that a browser asks only once whether
/// it is trusted.
public enum DevelopmentCertificate {
    private static let names = ["localhost", "127.0.0.1", "::1"]
    private static let validDays = 365
    /// One that ends sooner is made anew.
    private static let leastRest: Int64 = 7 * 86_400

    /// The files of the certificate, which is made when there is none or it is about to expire.
    ///
    /// - Parameter directory: nil is `$XDG_CACHE_HOME/heliograph`, else `~/.cache/heliograph`.
    /// - Throws: ``ServerError`` when the directory cannot be used.
    public static func paths(in directory: String?) throws(ServerError) -> (chain: String, key: String) {
        let directory = directory ?? standardDirectory
        let paths = (chain: directory + "/localhost.pem", key: directory + "/localhost.key")
        if isUsable(paths) { return paths }
        try FileContents.makeDirectory(directory)
        do {
            let made = try Certificate.selfSigned(names: names, now: unixTime(), validDays: validDays)
            try FileContents.write(made.key, to: paths.key)
            try FileContents.write(made.chain, to: paths.chain)
        } catch let error as TLSError {
            throw .tls(error)
        } catch let error as ServerError {
            throw error
        } catch {
            throw .file(path: directory, Errno(EIO, in: "write"))
        }
        return paths
    }

    private static func isUsable(_ paths: (chain: String, key: String)) -> Bool {
        guard let chain = try? FileContents.read(paths.chain), let key = try? FileContents.read(paths.key),
            let certificate = try? Certificate(chain: chain, key: key, now: unixTime())
        else { return false }
        return certificate.notAfter - unixTime() > leastRest
    }

    private static var standardDirectory: String {
        if let cache = unsafe getenv("XDG_CACHE_HOME") { return unsafe String(cString: cache) + "/heliograph" }
        if let home = unsafe getenv("HOME") { return unsafe String(cString: home) + "/.cache/heliograph" }
        return "/tmp/heliograph-\(getuid())"
    }
}
