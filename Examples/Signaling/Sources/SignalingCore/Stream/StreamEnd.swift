/// Why the service ends a stream. WebSockets are closed with its code; a stream of `POST /v1/stream` has code and name in its
/// trailers.
package enum StreamEnd: Sendable, Hashable {
    /// The session is over: its client said so, or was away for too long.
    case ended
    /// A newer stream of the same session has taken over.
    case replaced
    /// The client has missed something that found no place: when it comes back it hears that, and gets what is kept.
    case slow
    /// The client shall come back, perhaps to another node.
    case goaway
    /// What was asked for is refused.
    case refused(Problem)

    /// In the range that RFC 6455 section 7.4.2 leaves to applications: 4000 and up; a refusal's is 4000 and its HTTP status.
    package var code: UInt16 {
        switch self {
        case .ended: 4000
        case .replaced: 4001
        case .slow: 4002
        case .goaway: 4003
        case .refused(let problem): UInt16(4000 + problem.status)
        }
    }

    /// What the client is told before, when the stream carries messages both ways.
    var reply: Reply? {
        guard case .refused(let problem) = self else { return nil }
        let detail =
            switch problem {
            case .tokenExpired: "the session's token has expired: say hello with another"
            case .replaced: "another session of the token's subject has taken its place"
            case .slowConsumer: "more has come than is kept for a client that takes nothing: the session is over"
            default: "the session is over"
            }
        return problem.reply(detail)
    }

    package var name: String {
        switch self {
        case .ended: "ended"
        case .replaced: "replaced"
        case .slow: "slow"
        case .goaway: "goaway"
        case .refused(let problem): problem.rawValue
        }
    }
}

extension LeaveReason {
    /// How the stream of a session ends that ends for this reason.
    var streamEnd: StreamEnd {
        switch self {
        case .left, .bye, .timeout, .kicked: .ended
        case .expired: .refused(.tokenExpired)
        case .slow: .refused(.slowConsumer)
        case .replaced: .refused(.replaced)
        }
    }
}
