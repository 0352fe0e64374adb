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
    // Of tokens, origins and rates.
    case tokenMissing = "token_missing"
    case tokenMalformed = "token_malformed"
    case tokenKey = "token_key"
    case tokenSignature = "token_signature"
    case tokenExpired = "token_expired"
    case tokenNotYetValid = "token_not_yet_valid"
    case tokenIssuer = "token_issuer"
    case tokenAudience = "token_audience"
    case tokenClaims = "token_claims"
    case keysUnavailable = "keys_unavailable"
    case tokenInURL = "token_in_url"
    case originNotAllowed = "origin_not_allowed"
    case rateLimited = "rate_limited"
    case duplicateIdentity = "duplicate_identity"
    case kicked
    case noSuchRegion = "no_such_region"

    // Of WHIP and WHEP.
    case badSDP = "bad_sdp"
    case sdpPolicy = "sdp_policy"
    case badFragment = "bad_fragment"
    case rejected
    case noAnswer = "no_answer"
    case noSuchResource = "no_such_resource"
    case preconditionFailed = "precondition_failed"
    case preconditionRequired = "precondition_required"
    case restartPending = "restart_pending"
    // Of streams and tickets.
    case badHello = "bad_hello"
    case badTicket = "bad_ticket"
    case helloTimeout = "hello_timeout"
    case slowConsumer = "slow_consumer"
    case replaced
    case subprotocolRequired = "subprotocol_required"
    case http2Required = "http2_required"

    package var status: Int {
        switch self {
        case .badJSON, .badRequest, .tokenInURL, .badHello, .subprotocolRequired, .badSDP: 400
        case .forbidden, .originNotAllowed, .kicked: 403
        case .unauthorized, .badTicket, .tokenMissing, .tokenMalformed, .tokenKey, .tokenSignature, .tokenExpired,
            .tokenNotYetValid, .tokenIssuer, .tokenAudience, .tokenClaims:
            401
        case .noSuchSession, .noSuchRoom, .noSuchMember, .noSuchRegion, .notFound, .noSuchResource: 404
        case .methodNotAllowed: 405
        case .notAcceptable, .rejected: 406
        case .helloTimeout, .slowConsumer: 408
        case .replaced, .duplicateIdentity, .restartPending: 409
        case .preconditionFailed: 412
        case .tooLarge: 413
        case .unsupportedMediaType: 415
        case .sdpPolicy, .badFragment: 422
        case .preconditionRequired: 428
        case .rateLimited: 429
        case .tooManySessions, .busy, .draining, .keysUnavailable, .noAnswer: 503
        case .timeout: 504
        case .http2Required: 505
        }
    }

    private var title: String {
        switch self {
        case .badJSON, .badRequest, .tokenInURL, .badHello, .subprotocolRequired, .badSDP: "Bad Request"
        case .forbidden, .originNotAllowed, .kicked: "Forbidden"
        case .unauthorized, .badTicket, .tokenMissing, .tokenMalformed, .tokenKey, .tokenSignature, .tokenExpired,
            .tokenNotYetValid, .tokenIssuer, .tokenAudience, .tokenClaims:
            "Unauthorized"
        case .noSuchSession, .noSuchRoom, .noSuchMember, .noSuchRegion, .notFound, .noSuchResource: "Not Found"
        case .methodNotAllowed: "Method Not Allowed"
        case .notAcceptable, .rejected: "Not Acceptable"
        case .helloTimeout, .slowConsumer: "Request Timeout"
        case .replaced, .duplicateIdentity, .restartPending: "Conflict"
        case .preconditionFailed: "Precondition Failed"
        case .tooLarge: "Content Too Large"
        case .unsupportedMediaType: "Unsupported Media Type"
        case .sdpPolicy, .badFragment: "Unprocessable Content"
        case .preconditionRequired: "Precondition Required"
        case .rateLimited: "Too Many Requests"
        case .tooManySessions, .busy, .draining, .keysUnavailable, .noAnswer: "Service Unavailable"
        case .timeout: "Gateway Timeout"
        case .http2Required: "HTTP Version Not Supported"
        }
    }

    /// - Parameter detail: for people: what is wrong here, and what would be right.
    /// - Parameter rule: of a policy, which of its rules it is: a stable name.
    package func reply(_ detail: String, rule: String? = nil, headers: [Reply.Header] = []) -> Reply {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("type", "about:blank")
            writer.field("title", title)
            writer.field("status", status)
            writer.field("code", rawValue)
            writer.field("detail", detail)
            if let rule { writer.field("rule", rule) }
        }
        let own: [Reply.Header] =
            switch self {
            case .unauthorized, .badTicket, .tokenMissing: [.init("www-authenticate", "Bearer")]
            // RFC 6750 section 3.1.
            case _ where status == 401: [.init("www-authenticate", "Bearer error=\"invalid_token\"")]
            case .tooManySessions, .busy, .draining, .keysUnavailable, .noAnswer: [.init("retry-after", "5")]
            default: []
            }
        return Reply(
            status: status, contentType: "application/problem+json", headers: own + headers, body: writer.bytes,
            problem: self)
    }
}
