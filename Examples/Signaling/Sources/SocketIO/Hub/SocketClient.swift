/// What a hub keeps for a session: the namespaces that its client is in.
final class SocketClient {
    let session: EngineSession
    let handshake: SocketHandshake
    var decoder: SocketPacketDecoder
    var places: [String: Place] = [:]
    /// It has been in a namespace: what still comes for one that it has just lost is no fault.
    var hasConnected = false
    /// When it must be in a namespace.
    var connectDue: UInt64
    /// For when the hub will look at it next.
    var scheduled: UInt64?

    enum Place {
        /// Middleware, or another loop, is asked.
        case connecting
        case connected(SocketKey)
    }

    init(_ session: EngineSession, _ handshake: SocketHandshake, _ options: SocketOptions, now: UInt64) {
        self.session = session
        self.handshake = handshake
        decoder = SocketPacketDecoder(SocketPacketDecoder.Limits(options))
        connectDue = now + options.connectTimeout.wholeNanoseconds
    }

    var deadline: UInt64? {
        guard let due = session.deadline else { return nil }
        return hasConnected ? due : min(due, connectDue)
    }
}
