/// A packet of Socket.IO, protocol 5, as it came.
struct SocketPacket: Sendable, Equatable {
    let content: Content
    let namespace: String

    enum Content: Sendable, Equatable {
        /// With what the client says of itself, an object, if anything.
        case connect(SocketJSON?)
        case disconnect
        /// `id` when an acknowledgement is wanted.
        case event(name: String, SocketArguments, id: UInt64?)
        case acknowledgement(SocketArguments, id: UInt64)
        /// Only a server says it.
        case connectError
    }

    /// The types, and their digits on the wire.
    enum Kind: UInt8 {
        case connect = 0
        case disconnect = 1
        case event = 2
        case acknowledgement = 3
        case connectError = 4
        case binaryEvent = 5
        case binaryAcknowledgement = 6
    }

    /// About how much it takes, in bytes.
    var size: Int {
        switch content {
        case .connect(let auth): 64 + (auth?.bytes.count ?? 0)
        case .disconnect, .connectError: 64
        case .event(_, let arguments, _), .acknowledgement(let arguments, _): 64 + arguments.size
        }
    }
}
