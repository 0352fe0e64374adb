/// A request to send: to whom, for what, and with which fields. A body that is not there whole is written to the exchange.
///
/// ```swift
/// var request = try ClientRequest(.post, "https://example.org/upload")
/// request.headers.append(("content-type", "text/plain"))
/// request.body = Array("Hello".utf8)
/// ```
public struct ClientRequest: Sendable {
    public var method: Method
    /// `https` or `http`.
    public var scheme: String
    /// Host and port, as the server is to see it: `example.org`, `example.org:8443`, `[::1]:80`.
    public var authority: String
    /// Path and query, not empty: `/search?q=1`; `*` for OPTIONS.
    public var target: String
    /// Fields, with names in lower case. `host`, `content-length` of a body that is there whole, and what belongs to a
    /// connection (RFC 9110 section 7.6.1) are the client's own.
    public var headers: [(name: String, value: String)]
    /// The body, where it is there whole.
    public var body: [UInt8]?
    /// For the whole exchange, from the moment it is handed over; nil for as long as it takes.
    public var timeout: Duration?
    /// Another protocol to speak inside of the exchange, such as `websocket`: by `upgrade` over HTTP/1.1, by `:protocol` over
    /// HTTP/2 (RFC 8441), where the method is CONNECT whatever ``method`` says.
    public var requestedProtocol: String?

    /// A request by its parts, which are checked when it is sent.
    public init(
        _ method: Method = .get, scheme: String = "https", authority: String, target: String = "/",
        headers: [(name: String, value: String)] = [], body: [UInt8]? = nil
    ) {
        self.method = method
        self.scheme = scheme
        self.authority = authority
        self.target = target
        self.headers = headers
        self.body = body
    }

    /// A request for a URL (RFC 3986): `https://host[:port][/path][?query]`. What follows `#` is not sent. Names of a host that
    /// are not ASCII have to be given as the DNS has them (`xn--…`), and what is not ASCII in the path percent-encoded.
    ///
    /// - Throws: ``ClientError/invalidRequest(_:)``.
    public init(
        _ method: Method = .get, _ url: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil
    ) throws(ClientError) {
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw .invalidRequest("\(url.debugDescription) has characters that no URL has; percent-encode them")
        }
        guard let (scheme, rest) = Self.split(url, at: "://"), !scheme.isEmpty else {
            throw .invalidRequest("\(url.debugDescription) is no URL; give one such as https://example.org/")
        }
        let whole = rest.prefix { $0 != "#" }
        let authority = whole.prefix { $0 != "/" && $0 != "?" }
        let target = whole.dropFirst(authority.count)
        self.init(
            method, scheme: scheme.lowercased(), authority: String(authority),
            target: target.first == "/" ? String(target) : "/" + target, headers: headers, body: body)
        try check()
        _ = try origin()
    }

    private static func split(_ text: String, at separator: String) -> (Substring, Substring)? {
        var index = text.startIndex
        while index < text.endIndex {
            if text[index...].hasPrefix(separator) {
                return (text[..<index], text[text.index(index, offsetBy: separator.count)...])
            }
            index = text.index(after: index)
        }
        return nil
    }

    /// Whether a field may have that name here: a token (RFC 9110 section 5.6.2) in lower case.
    public static func isFieldName(_ name: String) -> Bool { HeaderBlock.isFieldName(name) }
}

/// Where a request goes: what decides which connections may carry it (RFC 6454, RFC 9110 section 4.3).
public struct Origin: Hashable, Sendable, CustomStringConvertible {
    /// Whether TLS protects it.
    public let isSecure: Bool
    /// A name in lower case, or a numeric address, without brackets.
    public let host: String
    public let port: UInt16

    public init(isSecure: Bool, host: String, port: UInt16) {
        self.isSecure = isSecure
        self.host = host
        self.port = port
    }

    /// Such as `https://example.org:443`.
    public var description: String {
        "\(isSecure ? "https" : "http")://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }
}

extension ClientRequest {
    /// - Throws: ``ClientError/invalidRequest(_:)`` where target or fields cannot be sent.
    package func check() throws(ClientError) {
        guard target.utf8.first == UInt8(ascii: "/") || target == "*" || method == .connect,
            target.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f })
        else {
            throw .invalidRequest("the target \(target.debugDescription) is no path; it begins with / and has no blank")
        }
        if let bad = headers.first(where: { !Self.isFieldName($0.name) }) {
            throw .invalidRequest("\(bad.name.debugDescription) is no name of a field in lower case")
        }
    }

    /// Where it goes.
    ///
    /// - Throws: ``ClientError/invalidRequest(_:)`` where scheme or authority are none.
    package func origin() throws(ClientError) -> Origin {
        guard scheme == "https" || scheme == "http" else {
            throw .invalidRequest("the scheme \(scheme.debugDescription) is neither https nor http")
        }
        guard let origin = parsedAuthority() else {
            throw .invalidRequest("the authority \(authority.debugDescription) is no host[:port]")
        }
        return origin
    }

    private func parsedAuthority() -> Origin? {
        var host = authority[...]
        var port: Substring?
        if host.first == "[" {
            guard let end = host.firstIndex(of: "]") else { return nil }
            let rest = host[host.index(after: end)...]
            if !rest.isEmpty {
                guard rest.first == ":" else { return nil }
                port = rest.dropFirst()
            }
            host = host[host.index(after: host.startIndex)..<end]
            guard !host.isEmpty, host.utf8.allSatisfy(Self.isAddressCharacter) else { return nil }
        } else {
            if let colon = host.firstIndex(of: ":") {
                port = host[host.index(after: colon)...]
                host = host[..<colon]
            }
            guard !host.isEmpty, host.utf8.count <= 255, host.utf8.allSatisfy(Self.isHostCharacter) else { return nil }
        }
        let isSecure = scheme == "https"
        var number = UInt16(isSecure ? 443 : 80)
        if let port, !port.isEmpty {
            guard port.utf8.allSatisfy({ (48...57).contains($0) }), let given = UInt16(port), given > 0 else {
                return nil
            }
            number = given
        }
        return Origin(isSecure: isSecure, host: host.lowercased(), port: number)
    }

    private static func isAddressCharacter(_ byte: UInt8) -> Bool {
        isHostCharacter(byte) || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "%")
    }

    /// What names and addresses are made of. No `@`: credentials in a URL are an old way to fool who reads it.
    private static func isHostCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
