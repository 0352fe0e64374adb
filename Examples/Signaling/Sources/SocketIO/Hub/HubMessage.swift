/// What the loops tell each other. Between two of them, first in, first out.
enum HubMessage: Sendable {
    // From the loop of a connection to that of its session, and back.
    case transport(LoopID, TransportKey, TransportEvent)
    case respond(LoopID, TransportKey, EngineResponse)
    case accept(TransportKey)
    case frames(TransportKey, [EnginePacket])
    case close(TransportKey)

    // From the loop of a session to that of a socket, which differ after a recovery.
    case restore(RestoreRequest)
    case packet(SocketKey, SocketPacket)
    case sessionEnded(SocketKey, session: LoopID, SocketEnd)

    // Back.
    /// The socket that is the client's again; nil: there is none.
    case restored(RestoreRequest, SocketKey?)
    case deliver(LoopID, [EnginePacket])
    case left(LoopID, namespace: String, closes: Bool)

    // To all, and back to the loop that has asked.
    case broadcast(Broadcast)
    case asked(UInt64, count: Int, on: Int)
    /// - Parameter response: nil when there will be none.
    case answered(UInt64, _ response: SocketArguments?)

    /// About how much it takes, in bytes.
    var size: Int {
        let base = 128
        return switch self {
        case .transport(_, _, let event): base + event.size
        case .respond(_, _, .packets(let packets)), .frames(_, let packets), .deliver(_, let packets):
            packets.reduce(base) { $0 + $1.size }
        case .packet(_, let packet): base + packet.size
        case .restore(let request), .restored(let request, _): base + (request.auth?.bytes.count ?? 0)
        case .broadcast(let broadcast): base + broadcast.size
        case .answered(_, let response): base + (response?.size ?? 0)
        case .respond, .accept, .close, .sessionEnded, .left, .asked: base
        }
    }
}

/// What happens to a request or a WebSocket of a session.
enum TransportEvent: Sendable {
    case polled
    case uploadBegan
    case uploaded([UInt8])
    case webSocketAsked
    case framed(EngineData)
    /// - Parameter isLost: it was answered, and the answer did not arrive.
    case ended(isLost: Bool)
    case congested
    case drained

    var size: Int {
        switch self {
        case .uploaded(let body): body.count
        case .framed(let data): data.count
        default: 0
        }
    }
}

/// A socket in its namespace.
struct SocketKey: Hashable, Sendable {
    let namespace: String
    let id: LoopID
}

/// A client that comes back asks for its state.
struct RestoreRequest: Sendable {
    let namespace: String
    let session: LoopID
    let pid: LoopID
    /// The last event that the client has; nil when it has none.
    let offset: String?
    let auth: SocketJSON?
    let handshake: SocketHandshake
}

/// Something for the sockets of rooms.
struct Broadcast: Sendable {
    let namespace: String
    /// Empty: all sockets of the namespace.
    var rooms: Set<String> = []
    var excepted: Set<String> = []
    let action: Action

    enum Action: Sendable {
        /// - Parameter offset: names it to clients that come back; nil when it is not kept for them.
        case emit([EnginePacket], isVolatile: Bool, offset: String?)
        /// Acknowledgements are wanted of all.
        case ask([EnginePacket], Request)
        case join([String])
        case leave([String])
        case disconnect(closing: Bool)
    }

    /// Who wants to hear the acknowledgements.
    struct Request: Sendable {
        let number: UInt64
        let loop: Int
        let timeout: Duration
    }

    var size: Int {
        let names = (rooms.count + excepted.count) * 64
        switch action {
        case .emit(let packets, _, _), .ask(let packets, _): return packets.reduce(names) { $0 + $1.size }
        case .join, .leave, .disconnect: return names + 64
        }
    }
}
