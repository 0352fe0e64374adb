/// What a message is (RFC 6455 section 5.6).
public enum WebSocketKind: Hashable, Sendable {
    /// UTF-8: what has come is checked to be.
    case text
    /// Any bytes.
    case binary
}

/// Which end of a WebSocket one is. Clients mask what they send, servers do not (RFC 6455 section 5.1).
public enum WebSocketRole: Hashable, Sendable {
    case server
    case client
}

/// The opcodes of frames (RFC 6455 section 11.8). The rest is reserved.
public enum WebSocketOpcode: UInt8, Sendable {
    case continuation = 0
    case text = 1
    case binary = 2
    case close = 8
    case ping = 9
    case pong = 10

    var isControl: Bool { rawValue & 8 != 0 }
}
