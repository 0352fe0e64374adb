/// Why a request was refused, as `application/problem+json` (RFC 9457).
package enum Problem: String, Sendable, CaseIterable {
    case badJSON = "bad_json"
    case unauthorized
    case noSuchSession = "no_such_session"
    case notFound = "not_found"
    case methodNotAllowed = "method_not_allowed"
    case notAcceptable = "not_acceptable"
    case tooLarge = "too_large"
    case unsupportedMediaType = "unsupported_media_type"
    case tooManySessions = "too_many_sessions"
    case busy
    case draining
    case timeout
    case noSuchRoom = "no_such_room"
    case noSuchMember = "no_such_member"
    case badRequest = "bad_request"
    case forbidden
    // Of streams and tickets.
    case badHello = "bad_hello"
    case badTicket = "bad_ticket"
    case helloTimeout = "hello_timeout"
    case replaced
    case subprotocolRequired = "subprotocol_required"
    case http2Required = "http2_required"

    package var status: Int {
        switch self {
        case .badJSON, .badRequest, .badHello, .subprotocolRequired: 400
        case .forbidden: 403
        case .unauthorized, .badTicket: 401
        case .noSuchSession, .noSuchRoom, .noSuchMember, .notFound: 404
        case .methodNotAllowed: 405
        case .notAcceptable: 406
        case .helloTimeout: 408
        case .replaced: 409
        case .tooLarge: 413
        case .unsupportedMediaType: 415
        case .tooManySessions, .busy, .draining: 503
        case .timeout: 504
        case .http2Required: 505
        }
    }

    private var title: String {
        switch self {
        case .badJSON, .badRequest, .badHello, .subprotocolRequired: "Bad Request"
        case .forbidden: "Forbidden"
        case .unauthorized, .badTicket: "Unauthorized"
        case .noSuchSession, .noSuchRoom, .noSuchMember, .notFound: "Not Found"
        case .methodNotAllowed: "Method Not Allowed"
        case .notAcceptable: "Not Acceptable"
        case .helloTimeout: "Request Timeout"
        case .replaced: "Conflict"
        case .tooLarge: "Content Too Large"
        case .unsupportedMediaType: "Unsupported Media Type"
        case .tooManySessions, .busy, .draining: "Service Unavailable"
        case .timeout: "Gateway Timeout"
        case .http2Required: "HTTP Version Not Supported"
        }
    }

    /// - Parameter detail: for people: what is wrong here, and what would be right.
    package func reply(_ detail: String, headers: [Reply.Header] = []) -> Reply {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("type", "about:blank")
            writer.field("title", title)
            writer.field("status", status)
            writer.field("code", rawValue)
            writer.field("detail", detail)
        }
        let own: [Reply.Header] =
            switch self {
            case .unauthorized, .badTicket: [.init("www-authenticate", "Bearer")]
            case .tooManySessions, .busy, .draining: [.init("retry-after", "5")]
            default: []
            }
        return Reply(
            status: status, contentType: "application/problem+json", headers: own + headers, body: writer.bytes,
            problem: self)
    }
}
