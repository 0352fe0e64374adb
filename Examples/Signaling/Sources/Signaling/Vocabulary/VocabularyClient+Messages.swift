import SignalingCore
import SocketIO

// What users tell each other: descriptions, candidates and all else, in one event of a name that the client chose.
extension VocabularyClient {
    /// `{"remoteUserId":…,"message":…,"sender":…}`. Who sends it, and what that user says of itself, is not taken from there.
    func message(_ arguments: SocketArguments, _ answer: @escaping Answer) {
        guard case .json(let text) = arguments.relayed(0), let message = text.member("message") else { return }
        adopt(text.member("sender")?.value ?? .null, forChannel: false)
        guard let user = text.member("remoteUserId")?.value.string, user != name else { return }
        if user == "system" { return detectPresence(message.value, answer) }
        if message.value["newParticipationRequest"].bool == true {
            return participate(user, message, Self.password(text.value))
        }
        send(message, to: user)
    }

    /// Asks whether a user is there, as it was done before there was an event for it.
    private func detectPresence(_ message: SocketValue, _ answer: @escaping Answer) {
        guard message["detectPresence"].bool == true, let user = message["userid"].string else { return }
        guard user != name else { return answer([false, .string(user)]) }
        ask(user) { [weak self] entrance in
            answer([.bool(entrance != nil || self?.find(user) != nil), .string(user)])
        }
    }

    /// Asks a user, or all of a room, to begin a call with it.
    private func participate(_ target: String, _ message: SocketJSON, _ password: String?) {
        if places[target]?.roster.contains(sid) == true { return request(target, message) }
        if find(target) != nil { return send(message, to: target) }
        ask(target) { [weak self] entrance in
            guard let self else { return }
            guard entrance != nil else { return host.emit("user-not-found", [.string(target)]) }
            join(target, password: password) { [weak self] error in
                guard let self else { return }
                if let error { return refuse(target, password, error) }
                current = target
                request(target, message)
            }
        }
    }

    private func refuse(_ room: String, _ password: String?, _ error: String) {
        switch error {
        case "password_required": host.emit("join-with-password", [.string(room)])
        case "wrong_password": host.emit("invalid-password", [.string(room), .string(password ?? "")])
        case "too_many_guesses": host.emit("password-max-tries-over", [.string(room)])
        case "room_full": host.emit("room-full", [.string(room)])
        default: host.emit("user-not-found", [.string(room)])
        }
    }

    private func request(_ room: String, _ message: SocketJSON) {
        if places[room]?.roster.peer(named: room) != nil, find(room) != nil { return send(message, to: room) }
        host.send(frame("msg", room) { $0.raw(message.bytes) }) { _ in }
    }

    /// Sends a message by the type that the service has for it, so that its policies see what it is.
    private func send(_ message: SocketJSON, to user: String) {
        guard let (room, peer) = find(user) ?? stranger(user) else { return notFound(user, message) }
        if message.value["userLeft"].bool != true { connect(user) }
        let value = message.value
        let type = value["type"].string ?? ""
        let frame: [UInt8]
        if value["sdp"].string != nil, ["offer", "answer", "pranswer"].contains(type) {
            frame = self.frame(type, room, to: peer) { $0.raw(message.bytes) }
        } else if value["candidate"].string != nil {
            frame = self.frame("candidates", room, to: peer) { writer in
                writer.object { writer in
                    writer.key("candidates")
                    writer.array { $0.raw(message.bytes) }
                }
            }
        } else {
            frame = self.frame("msg", room, to: peer) { $0.raw(message.bytes) }
        }
        host.send(frame) { [weak self] error in
            if error == "no_such_peer" || error == "not_in_room" { self?.notFound(user, message) }
        }
    }

    /// A session in a room that is too large for a roster.
    private func stranger(_ user: String) -> (room: String, peer: String)? {
        guard let room = current ?? places.keys.first, SessionID(user) != nil else { return nil }
        return (room, user)
    }

    private func notFound(_ user: String, _ message: SocketJSON) {
        guard message.value["userLeft"].bool != true else { return }
        host.emit("user-not-found", [.string(user)])
    }
}
