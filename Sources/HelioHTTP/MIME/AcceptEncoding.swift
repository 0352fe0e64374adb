/// What content codings a client takes, and how gladly (RFC 9110 section 12.5.3).
///
/// ```swift
/// let accept = try AcceptEncoding(parsing: "br;q=1.0, gzip;q=0.8, *;q=0.1")
/// let coding = accept.best(of: ["gzip", "deflate"]) ?? "identity"
/// ```
public struct AcceptEncoding: Hashable, Sendable {
    /// In the order in which they came, in lower case.
    public let codings: [Weighted<String>]

    /// - Throws: for anything that is not a list of weighted codings, and for more than 64 of them.
    public init(parsing text: String) throws(FieldSyntaxError) {
        codings = try FieldScanner.scan(text) { (scanner: inout FieldScanner) throws(FieldSyntaxError) in
            var codings: [Weighted<String>] = []
            try scanner.list { scanner throws(FieldSyntaxError) in
                let name = scanner.lowercased(try scanner.token("a coding"))
                codings.append(Weighted(name, weight: try scanner.weight()))
            }
            return codings
        }
    }

    /// What a request's fields say; nil when they say nothing, or nothing that can be read.
    public init?(_ headers: HeaderBlock) {
        guard let text = headers.list("accept-encoding"), let accept = try? AcceptEncoding(parsing: text) else {
            return nil
        }
        self = accept
    }

    /// How gladly a coding is taken, in thousandths; 0: not at all. `identity` is always acceptable unless it is ruled out,
    /// by its name or by `*`. `coding` is in lower case.
    public func weight(of coding: String) -> Int {
        let named = codings.first { $0.value == coding } ?? codings.first { $0.value == "x-" + coding }
        if let named { return named.weight }
        if let any = codings.first(where: { $0.value == "*" }) { return any.weight }
        return coding == "identity" ? 1 : 0
    }

    /// The offer that is taken most gladly, of several the first; nil when none is acceptable, or the content as it is
    /// (`identity`) is preferred.
    public func best(of offers: [String]) -> String? {
        guard let found = offers.best({ weight(of: $0) }) else { return nil }
        return weight(of: "identity") > weight(of: found) ? nil : found
    }
}
