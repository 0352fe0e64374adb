import SignalingCore
import SocketIO

/// What a client of the vocabulary says of itself in the query of its connection.
struct VocabularyQuery {
    static let messageEvent = "RTCMultiConnection-Message"
    static let customEvent = "custom-message"

    /// How its peers know it; nil: it has yet to say so.
    let userID: String?
    /// The event that carries its messages, both ways.
    let messageEvent: String
    /// An event that is passed on to all.
    let customEvent: String
    /// What it tells its peers of itself: an object.
    let extra: SocketJSON?
    /// Members of the rooms that it opens.
    let maxParticipants: Int?

    /// - Parameter maxSize: of a name, in bytes. One that is longer is none.
    init(_ query: [String: String], maxSize: Int) {
        func name(_ key: String) -> String? {
            query[key].flatMap { $0 == "undefined" ? nil : $0 }
                .flatMap { Identifier(Array($0.utf8), maxSize: maxSize) == nil ? nil : $0 }
        }
        userID = name("userid")
        messageEvent = name("msgEvent") ?? Self.messageEvent
        customEvent = name("socketCustomEvent") ?? Self.customEvent
        extra = query["extra"].flatMap { try? SocketJSON(Array($0.utf8)) }.flatMap { $0.isObject ? $0 : nil }
        maxParticipants = query["maxParticipantsAllowed"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
    }

    /// Whether a connection is of such a client: others have none of these in their query.
    static func speaks(_ query: [String: String]) -> Bool { query["msgEvent"] != nil || query["userid"] != nil }
}

extension SocketJSON {
    static let emptyObject = SocketJSON(valid: Array("{}".utf8))

    var isObject: Bool { bytes.first == UInt8(ascii: "{") }
}
