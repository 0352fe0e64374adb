public import HTTPTypes
public import HelioHTTP

extension HTTPRequest {
    /// A copy of the request of an exchange: method, scheme, authority, path with query, and fields.
    ///
    /// What the request does not have is nil: `path` and `scheme` of a CONNECT (RFC 9113 section 8.5), `authority` where
    /// neither `:authority` nor `host` came. Call it on the exchange's loop; the copy may go anywhere. It takes some
    /// microseconds, more than a small request takes otherwise: nothing is converted until it is asked for.
    ///
    /// ```swift
    /// let request = HTTPRequest(exchange)
    /// print(request.method, request.path ?? "", request.headerFields[.userAgent] ?? "")
    /// ```
    public init(_ exchange: Exchange) {
        self.init(
            method: .get,
            scheme: exchange.scheme.presence,
            authority: exchange.authority.presence,
            path: exchange.target.presence,
            headerFields: HTTPFields(exchange.headers))
        // Set as a field: `HTTPRequest.Method` takes the name as optional, but the codec passes on none that is not a token.
        pseudoHeaderFields.method.value = exchange.method.rawValue
    }
}

extension Exchange {
    /// A copy of the request in the types of swift-http-types; see `HTTPRequest.init(_:)`.
    public var httpRequest: HTTPRequest { HTTPRequest(self) }

    /// A copy of the request's trailers; nil when none came, or not yet: they are complete at ``Handler/end(_:)``, or when
    /// the body has been read to its end.
    public var httpTrailers: HTTPFields? { trailers.map { HTTPFields($0) } }
}

extension String {
    fileprivate var presence: String? { isEmpty ? nil : self }
}
