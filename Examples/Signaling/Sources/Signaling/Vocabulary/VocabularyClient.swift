import SignalingCore
import SocketIO

/// A session whose client speaks the vocabulary: its events become messages of the session, and what the session hears becomes
/// events of the vocabulary. Users are sessions by the names that they give themselves; channels and rooms are rooms.
///
/// A name is part of what a member says of itself in a room, so that nobody keeps a list of all users, and members of other
/// kinds meet these clients there, each known by its session's name. The files of this type each have a topic: channels, rooms, users,
/// messages, and what is heard.
final class VocabularyClient {
    unowned let host: any VocabularyHost
    let query: VocabularyQuery
    /// The session's name, which is the client's own when it has given itself none.
    private(set) var sid: String
    /// How its peers know it.
    private(set) var userID: String?
    /// Its name was only given to a channel: it has another connection that has messages.
    private(set) var isChannel = false
    var extra: SocketJSON
    var isModerator = false
    /// The rooms that it is in, or is about to be in.
    var places: [String: Place] = [:]
    /// The room that it has opened or joined last, not by a channel.
    var current: String?
    /// Rooms that it is about to close.
    var closing: Set<String> = []
    /// Users that it has been told to be connected with.
    private var told: Set<String> = []
    /// Events that are passed on to all members of its rooms.
    private var customEvents: Set<String>
    private var questions = 0

    /// Acknowledges an event, once; it does nothing when the client wants no acknowledgement.
    typealias Answer = (_ values: [SocketValue]) -> Void

    /// A room as this client knows it.
    struct Place {
        var roster = VocabularyRoster()
        /// What it lets in, when this client has opened it.
        var maxAllowed: Int?
        /// Waits for the roster: a connection that takes nothing gets it later than the outcome.
        var whenJoined: ((_ error: String?) -> Void)?
    }

    /// Questions of one client that have no answer yet. Past it there is no such room.
    static let maxQuestions = 16
    /// Users that one client has been told to be connected with. Past it those that are in no roster are forgotten.
    static let maxTold = 4096
    /// Events that one client has passed on. Past it there are no more.
    static let maxCustomEvents = 16

    init(_ query: VocabularyQuery, sid: String, host: any VocabularyHost) {
        self.query = query
        self.sid = sid
        self.host = host
        userID = query.userID
        extra = query.extra ?? .emptyObject
        customEvents = [query.customEvent]
    }

    var name: String { userID ?? sid }

    // MARK: From the client

    /// - Returns: false when the event is none of the vocabulary.
    func take(_ event: String, _ arguments: SocketArguments, _ answer: @escaping Answer) -> Bool {
        if event == query.messageEvent {
            message(arguments, answer)
        } else if let event = VocabularyEvent(rawValue: event) {
            take(event, arguments, answer)
        } else if customEvents.contains(event) {
            passOn(event, arguments)
        } else {
            return false
        }
        return true
    }

    private func take(_ event: VocabularyEvent, _ arguments: SocketArguments, _ answer: @escaping Answer) {
        switch event {
        case .presence: presence(arguments[0])
        case .openChannel: openChannel(arguments[0])
        case .openScreenChannel: openScreenChannel(arguments[0])
        case .joinChannel: joinChannel(arguments)
        case .updateChannel: updateChannel(arguments[0])
        case .adminEnquire: adminEnquire(arguments[0])
        case .checkPresence: checkPresence(arguments[0].string ?? "", answer)
        case .openRoom: openRoom(arguments, answer)
        case .joinRoom: joinRoom(arguments, answer)
        case .setPassword: setPassword(arguments[0].string, answer)
        case .closeEntireSession: closeEntireSession(answer)
        case .changedUserID: changedUserID(arguments[0].string ?? "", answer)
        case .extraDataUpdated: extraDataUpdated(arguments)
        case .getExtraData: getExtraData(arguments[0].string ?? "", answer)
        case .disconnectWith: disconnectWith(arguments[0].string ?? "", answer)
        case .becomePublicModerator: setModerator(true)
        case .dontMakeMeModerator: setModerator(false)
        case .getPublicModerators: getPublicModerators(arguments[0].string ?? "", answer)
        case .setCustomEvent: setCustomEvent(arguments[0].string ?? "")
        }
    }

    // MARK: Names

    func isName(_ text: String) -> Bool { Identifier(Array(text.utf8), maxSize: host.limits.identifierSize) != nil }

    /// Takes the name that the client gives as a sender, if it has none yet.
    func adopt(_ sender: SocketValue, forChannel: Bool) {
        guard query.userID == nil, let sender = sender.string, isName(sender) else { return }
        if userID == nil {
            userID = sender
            isChannel = forChannel
            tellPlaces()
        } else if isChannel, !forChannel {
            isChannel = false
            tellPlaces()
            // From now on it may moderate.
            for (room, place) in places { host.send(joining(room, place, password: nil)) { _ in } }
        }
    }

    func rename(_ name: String) {
        userID = name
        isChannel = false
        tellPlaces()
    }

    /// Another has the name: its session's name is left.
    private func giveUpName(_ taken: String) {
        userID = sid
        host.emit("userid-already-taken", [.string(taken), .string(sid)])
        tellPlaces()
    }

    /// What it says of itself in a room.
    func myself(in place: Place) -> VocabularyMember {
        var member = VocabularyMember(peer: sid, userID: userID, extra: extra)
        member.isChannel = isChannel
        member.maxAllowed = place.maxAllowed
        member.isModerator = isModerator
        return member
    }

    func meta(in place: Place) -> [UInt8] {
        let (text, isWhole) = myself(in: place).meta(maxSize: host.limits.metaSize)
        if !isWhole { host.trip(.vocabularyExtra) }
        return text
    }

    /// Tells all rooms what it says of itself now.
    func tellPlaces() {
        for (room, place) in places where place.roster.contains(sid) {
            let meta = meta(in: place)
            host.send(frame("presence_set", room) { $0.raw(meta) }) { _ in }
            places[room]?.roster.set(myself(in: place))
        }
        seeToName()
    }

    /// Gives up a name that a member of one of its rooms had before.
    func seeToName() {
        guard let userID, places.values.contains(where: { ($0.roster.name(of: sid) ?? userID) != userID }) else {
            return
        }
        giveUpName(userID)
    }

    // MARK: Users

    /// It has to do with a user.
    func connect(_ user: String) {
        guard user != name, told.insert(user).inserted else { return }
        // Members of rooms without a roster come and go untold.
        if told.count > Self.maxTold { told = told.filter { find($0) != nil || $0 == user } }
        host.emit("user-connected", [.string(user)])
    }

    func disconnect(_ user: String) {
        guard told.remove(user) != nil else { return }
        host.emit("user-disconnected", [.string(user)])
    }

    /// Where a user is, the room of its own first.
    func find(_ user: String) -> (room: String, peer: String)? {
        for room in [current].compactMap({ $0 }) + places.keys {
            if let peer = places[room]?.roster.peer(named: user), peer != sid { return (room, peer) }
        }
        return nil
    }

    // MARK: Custom events

    private func setCustomEvent(_ event: String) {
        guard isName(event), !customEvents.contains(event) else { return }
        guard customEvents.count < Self.maxCustomEvents else { return host.trip(.vocabularyEvents) }
        customEvents.insert(event)
    }

    func hears(_ event: String) -> Bool { event == Self.channelEvent || customEvents.contains(event) }

    private func passOn(_ event: String, _ arguments: SocketArguments) {
        guard case .json(let body) = arguments.relayed(0) else { return }
        for room in places.keys { tell(room, event, body) }
    }

    /// Tells all members of a room that are clients of the vocabulary an event of it; others get a message.
    func tell(_ room: String, _ event: String, _ body: SocketJSON) {
        host.send(frame("msg", room, event: event) { $0.raw(body.bytes) }) { _ in }
    }

    // MARK: The service

    /// A message of the session.
    func frame(
        _ type: String, _ room: String, to peer: String? = nil, event: String? = nil,
        body: ((inout JSONWriter) -> Void)? = nil
    ) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("t", type)
            writer.field("room", room)
            if let peer {
                writer.key("to")
                writer.object { $0.field("peer", peer) }
            }
            if let event { writer.field("event", event) }
            if let body {
                writer.key("body")
                body(&writer)
            }
        }
        return writer.bytes
    }

    /// Asks for what may be known of a room.
    func ask(_ room: String, _ done: @escaping (SocketJSON?) -> Void) {
        guard let name = RoomName(Array(room.utf8), maxSize: host.limits.identifierSize) else { return done(nil) }
        guard questions < Self.maxQuestions else {
            host.trip(.vocabularyWaiting)
            return done(nil)
        }
        questions += 1
        host.ask(name) { [weak self] entrance in
            guard let self else { return }
            questions -= 1
            done(entrance)
        }
    }

    /// - Parameter done: gets the code of an error; nil when it is in the room, and knows who else is.
    func join(
        _ room: String, password: String? = nil, maxAllowed: Int? = nil, _ done: @escaping (_ error: String?) -> Void
    ) {
        guard isName(room) else { return done("bad_message") }
        let isNew = places[room] == nil
        if isNew { places[room] = Place() }
        if let maxAllowed { places[room]?.maxAllowed = maxAllowed }
        host.send(joining(room, places[room] ?? Place(), password: password)) { [weak self] error in
            guard let self else { return }
            if error != nil, isNew { places[room] = nil }
            guard error == nil, let place = places[room], !place.roster.contains(sid) else { return done(error) }
            places[room]?.whenJoined = done
        }
    }

    /// The connection of a channel does not moderate: its client has another one for that.
    private func joining(_ room: String, _ place: Place, password: String?) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("t", "join")
            writer.field("room", room)
            if let password { writer.field("password", password) }
            if isChannel {
                writer.key("moderates")
                writer.bool(false)
            }
            writer.key("body")
            writer.raw(meta(in: place))
        }
        return writer.bytes
    }

    func leave(_ room: String) {
        guard let place = places.removeValue(forKey: room) else { return }
        if current == room { current = nil }
        host.send(frame("leave", room)) { _ in }
        forget(place)
    }

    /// It is in the room no more: those whom it knew from there alone are gone for it.
    func forget(_ place: Place) {
        for user in place.roster.names where find(user) == nil { disconnect(user) }
    }
}
