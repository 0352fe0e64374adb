import SocketIO

/// What is asked about all channels and users, by clients that may and by operators.
struct VocabularyEnquiry {
    enum Subject {
        case channels
        case channel(String)
        case users
        case user(String)
        case clients(String?)
    }

    let subject: Subject
    /// How the answer will be shown: it is only repeated.
    var format: String?
    /// Where a page of many begins; nil: at the first.
    var cursor: String?
    var limit: Int

    static let pageSize = 100

    init(_ subject: Subject, format: String? = "json", cursor: String? = nil, limit: Int = Self.pageSize) {
        self.subject = subject
        self.format = format
        self.cursor = cursor
        self.limit = limit
    }

    /// An event's argument; nil when it asks nothing that is known.
    init?(_ data: SocketValue) {
        let format = data["format"].string.flatMap { $0.utf8.count <= 16 ? $0 : nil }
        switch data["ask"].string {
        case "channels": self.init(data["find"].string.map { .channel($0) } ?? .channels, format: format)
        case "users": self.init(.users, format: format)
        case "channel_clients": self.init(.clients(data["channel"].string), format: format)
        default: return nil
        }
    }
}
