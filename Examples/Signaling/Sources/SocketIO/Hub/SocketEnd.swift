/// Why a socket is disconnected, in the words of Socket.IO.
public enum SocketEnd: String, Sendable, Hashable {
    case transportClose = "transport close"
    case transportError = "transport error"
    case parseError = "parse error"
    case pingTimeout = "ping timeout"
    case forcedClose = "forced close"
    /// The client has left the namespace.
    case clientDisconnect = "client namespace disconnect"
    /// ``ServerSocket/disconnect(closing:)`` was called.
    case serverDisconnect = "server namespace disconnect"
    case shuttingDown = "server shutting down"

    /// Whether its client may come back to where it was.
    var isRecoverable: Bool {
        switch self {
        case .clientDisconnect, .serverDisconnect, .parseError: false
        default: true
        }
    }

    init(_ end: EngineEnd) {
        self =
            switch end {
            case .transportClose: .transportClose
            case .transportError: .transportError
            case .parseError: .parseError
            case .pingTimeout: .pingTimeout
            case .forced: .forcedClose
            }
    }
}
