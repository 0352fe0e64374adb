/// What Engine.IO carries: a type and data.
struct EnginePacket: Sendable, Equatable {
    let type: Kind
    let data: EngineData

    /// The types, and their digits on the wire.
    enum Kind: UInt8, Sendable {
        case open = 0
        case close = 1
        case ping = 2
        case pong = 3
        case message = 4
        case upgrade = 5
        case noop = 6

        var digit: UInt8 { UInt8(ascii: "0") + rawValue }
    }

    init(_ type: Kind, _ data: EngineData = .text([])) {
        self.type = type
        self.data = data
    }

    /// About how much it takes, in bytes.
    var size: Int { data.count + 16 }
}

enum EngineData: Sendable, Equatable {
    /// UTF-8. What a peer has sent is not checked here: whoever reads it does.
    case text([UInt8])
    /// Of a message only.
    case binary([UInt8])
    /// The text of a message that goes to many, with its packet type before it.
    case shared(SharedText)

    var count: Int {
        switch self {
        case .text(let bytes), .binary(let bytes): bytes.count
        case .shared(let text): text.bytes.count
        }
    }
}
