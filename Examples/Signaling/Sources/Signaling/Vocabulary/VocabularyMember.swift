import SignalingCore
import SocketIO

/// A member of a room as clients of the vocabulary see it: read from what the member says of itself, whoever it is.
struct VocabularyMember {
    let peer: String
    /// What it calls itself; nil: it is known by its session's name, as other clients of the service are.
    var userID: String?
    /// What it tells its peers of itself.
    var extra: SocketJSON
    /// It is the connection of a user for a channel alone: the user's messages go to another of its connections, if it has one.
    var isChannel = false
    /// Members that it lets into the channel that it opened; nil: as many as may be.
    var maxAllowed: Int?
    /// It offers to be found by others as a moderator.
    var isModerator = false
    /// The service says that it moderates.
    var moderates = false

    init(peer: String, userID: String?, extra: SocketJSON) {
        self.peer = peer
        self.userID = userID
        self.extra = extra
    }

    /// - Parameters:
    ///   - meta: an object that another member has written.
    ///   - maxSize: of a name, in bytes.
    init(peer: String, meta: SocketJSON, maxSize: Int) {
        self.peer = peer
        let value = meta.value
        userID = value["userid"].string.flatMap { Identifier(Array($0.utf8), maxSize: maxSize) == nil ? nil : $0 }
        let own = meta.member("extra")
        extra = userID == nil ? meta : own?.isObject == true ? own ?? .emptyObject : .emptyObject
        isChannel = userID != nil && value["channel"].bool == true
        maxAllowed = value["maxAllowed"].integer.flatMap { $0 > 0 ? $0 : nil }
        isModerator = value["moderator"].bool == true
    }

    /// What it says of itself to all members; without its extra, if that is more than may be.
    func meta(maxSize: Int) -> (text: [UInt8], isWhole: Bool) {
        let whole = text(withExtra: true)
        return whole.count <= maxSize ? (whole, true) : (text(withExtra: false), false)
    }

    private func text(withExtra: Bool) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            if let userID { writer.field("userid", userID) }
            if isChannel {
                writer.key("channel")
                writer.bool(true)
            }
            if let maxAllowed { writer.field("maxAllowed", maxAllowed) }
            if isModerator {
                writer.key("moderator")
                writer.bool(true)
            }
            if withExtra {
                writer.key("extra")
                writer.raw(extra.bytes)
            }
        }
        return writer.bytes
    }
}
