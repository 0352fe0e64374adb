public import HelioHTTP

/// Lets pages of other origins read what the wrapped handler answers (the Fetch standard, "CORS protocol").
///
/// A preflight (OPTIONS with `origin` and `access-control-request-method`) is answered here: 204, or 403 for an origin that is
/// not allowed. Other requests of an origin that is not allowed reach the handler, and the browser keeps the answer from the
/// page. `vary: origin` is sent wherever the answer depends on it.
///
/// ```swift
/// let server = Server { loop in
///     CORS(.list(["https://app.example"]), allowsCredentials: true, wrapping: MyHandler())
/// }
/// ```
public final class CORS: Handler {
    /// Which origins are allowed.
    public enum Origins {
        /// All; not together with credentials.
        case any
        /// These, each as a browser writes it: scheme, host, and the port where it is not the scheme's own.
        case list([String])
        /// Those that the closure answers true for. It runs on the loop, for each request that has an origin.
        case matching((String) -> Bool)
    }

    private let origins: Origins
    private let allowsCredentials: Bool
    private let methods: String
    private let headers: String?
    private let exposed: String?
    private let maxAge: String?
    private let next: any Handler

    /// - Parameters:
    ///   - origins: who is allowed.
    ///   - allowsCredentials: whether browsers send cookies and certificates.
    ///   - methods: what a preflight may ask for, besides what needs none.
    ///   - headers: the request's fields that a preflight may ask for; nil allows what it asks.
    ///   - exposed: the response's fields that a page may read, besides the simple ones.
    ///   - maxAge: how long a preflight's answer may be kept; nil leaves it to the browser.
    ///   - next: who answers.
    /// - Precondition: not all origins with credentials, which would open each user's session to any page.
    public init(
        _ origins: Origins, allowsCredentials: Bool = false,
        methods: [Method] = [.get, .head, .post, .put, .patch, .delete], headers: [String]? = nil,
        exposed: [String] = [], maxAge: Duration? = nil, wrapping next: any Handler
    ) {
        if case .any = origins { precondition(!allowsCredentials, "credentials are for origins that are named") }
        self.origins = origins
        self.allowsCredentials = allowsCredentials
        self.methods = methods.map(\.rawValue).joined(separator: ", ")
        self.headers = headers?.joined(separator: ", ")
        self.exposed = exposed.isEmpty ? nil : exposed.joined(separator: ", ")
        self.maxAge = maxAge.map { String($0.components.seconds) }
        self.next = next
    }

    public func request(_ exchange: Exchange) {
        let isAllowed = answerOrigin(exchange)
        guard exchange.method == .options, exchange.headers.has("origin"),
            exchange.headers.has("access-control-request-method")
        else {
            if isAllowed, let exposed { exchange.addHeader("access-control-expose-headers", exposed) }
            exchange.hand(to: next)
            return
        }
        if isAllowed { answerPreflight(exchange) }
        exchange.respond(isAllowed ? .noContent : .forbidden)
    }

    /// Adds what says that the request's origin is allowed, if it is.
    private func answerOrigin(_ exchange: Exchange) -> Bool {
        if case .any = origins {
            guard exchange.headers.has("origin") else { return false }
            exchange.addHeader("access-control-allow-origin", "*")
            return true
        }
        exchange.addHeader("vary", "origin")
        guard allows(exchange) else { return false }
        _ = exchange.headers.withValue(of: "origin") { exchange.addHeader("access-control-allow-origin", $0) }
        if allowsCredentials { exchange.addHeader("access-control-allow-credentials", "true") }
        return true
    }

    private func allows(_ exchange: Exchange) -> Bool {
        switch origins {
        case .any: true
        case .list(let list): list.contains { exchange.headers.equals("origin", $0) }
        case .matching(let isAllowed): exchange.headers["origin"].map(isAllowed) ?? false
        }
    }

    private func answerPreflight(_ exchange: Exchange) {
        exchange.addHeader("access-control-allow-methods", methods)
        if let headers {
            exchange.addHeader("access-control-allow-headers", headers)
        } else {
            _ = exchange.headers.withValue(of: "access-control-request-headers") {
                exchange.addHeader("access-control-allow-headers", $0)
            }
            exchange.addHeader("vary", "access-control-request-headers")
        }
        if let maxAge { exchange.addHeader("access-control-max-age", maxAge) }
    }
}
