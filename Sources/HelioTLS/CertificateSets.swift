/// Which certificates answer for which server name.
///
/// A set holds the certificates of one name, one per type of key, and becomes one `SSL_CTX`: OpenSSL chooses within it by what
/// the client can verify.
struct CertificateSets {
    /// Places in the list of certificates. The first set is the default.
    private(set) var sets: [[Int]] = []
    private var setOfName: [String: Int] = [:]

    /// - Parameter certificates: at least one, each with its names in lower case and its type of key.
    init(_ certificates: [(names: [String], keyType: Int32)]) {
        var placesOfName: [String: [Int]] = [:]
        for (place, certificate) in certificates.enumerated() {
            for name in certificate.names {
                let places = placesOfName[name, default: []]
                if places.allSatisfy({ certificates[$0].keyType != certificate.keyType }) {
                    placesOfName[name] = places + [place]
                }
            }
        }
        if let name = certificates.first?.names.first, let places = placesOfName[name] {
            sets = [places]
        } else {
            sets = [[0]]
        }
        for (name, places) in placesOfName {
            if let known = sets.firstIndex(of: places) {
                setOfName[name] = known
            } else {
                setOfName[name] = sets.count
                sets.append(places)
            }
        }
    }

    /// The set for a server name as a client sends it: exact, then by wildcard of the first label (RFC 6125, 6.4.3).
    subscript(serverName: String) -> Int? {
        var name = serverName.lowercased()
        if name.hasSuffix(".") { name.removeLast() }
        if let exact = setOfName[name] { return exact }
        guard let dot = name.firstIndex(of: "."), dot != name.startIndex else { return nil }
        return setOfName["*" + name[dot...]]
    }
}
