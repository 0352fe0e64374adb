/// The types of messages, both ways, as measures and flight recorders name them.
package enum MessageType: String, Sendable, CaseIterable {
    // From a client.
    case hello, resume, ack, ping, join, leave, invite, offer, answer, pranswer, candidates, select, reject, hangup
    case restartICE = "restart_ice"
    case msg
    case presenceSet = "presence_set"
    case kick
    case closeRoom = "close_room"
    case roomPassword = "room_password"
    case tokenRefresh = "token_refresh"
    case bye

    // From the service.
    case welcome, resumed, pong, joined
    case peerJoined = "peer_joined"
    case peerLeft = "peer_left"
    case peerUpdated = "peer_updated"
    case occupancy
    case delivered, expired, superseded, glare, error
    case tokenExpiring = "token_expiring"
    case degraded, discontinuity, goaway
    case roomClosed = "room_closed"

    /// Whatever else a client wrote: it names no series of its own.
    case other
}

extension MessageType {
    private static let typeKey = Array("\"t\":\"".utf8)
    private static let fromKey = Array("\"from\":{".utf8)

    /// The type of an event by its tail, which begins with it, or with its sender.
    init(ofTail tail: [UInt8]) {
        var rest = tail[...]
        if rest.starts(with: Self.fromKey) {
            rest = rest.drop { $0 != UInt8(ascii: "}") }.dropFirst(2)
        }
        guard rest.starts(with: Self.typeKey) else {
            self = .other
            return
        }
        let name = rest.dropFirst(Self.typeKey.count).prefix { $0 != UInt8(ascii: "\"") }
        self = MessageType(rawValue: String(decoding: name, as: UTF8.self)) ?? .other
    }
}
