/// How a request of Engine.IO is answered.
enum EngineResponse: Sendable, Equatable {
    /// A POST was taken.
    case ok
    /// A GET gets these.
    case packets([EnginePacket])
    case refused(EngineRefusal)
}

/// Why a request is refused, by the codes of the reference implementation: `{"code":1,"message":"Session ID unknown"}`.
enum EngineRefusal: Int, Sendable {
    case unknownTransport = 0
    case unknownSession = 1
    case badMethod = 2
    case badRequest = 3
    case forbidden = 4
    case unsupportedVersion = 5
    /// Not of the reference implementation: a body over `maxPayload`.
    case tooLarge = 6
    /// Not of the reference implementation: this loop has all the sessions that it takes, or too much waits for one.
    case busy = 7

    var status: Int {
        switch self {
        case .forbidden: 403
        case .tooLarge: 413
        case .busy: 503
        default: 400
        }
    }

    var message: String {
        switch self {
        case .unknownTransport: "Transport unknown"
        case .unknownSession: "Session ID unknown"
        case .badMethod: "Bad handshake method"
        case .badRequest: "Bad request"
        case .forbidden: "Forbidden"
        case .unsupportedVersion: "Unsupported protocol version"
        case .tooLarge: "Payload too large"
        case .busy: "Server busy"
        }
    }

    var json: [UInt8] { Array("{\"code\":\(rawValue),\"message\":\"\(message)\"}".utf8) }
}
