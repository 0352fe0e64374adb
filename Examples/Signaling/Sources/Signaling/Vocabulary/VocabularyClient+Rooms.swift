import SignalingCore
import SocketIO

// Rooms: those that have its calls.
extension VocabularyClient {
    /// Why a room is not entered, in the vocabulary's words.
    enum Refusal: String {
        case notAvailable = "Session not available"
        case full = "Session full"
        case denied = "Session permission denied"
        case password = "Invalid password"

        init(code: String) {
            switch code {
            case "room_full": self = .full
            case "forbidden": self = .denied
            case "password_required", "wrong_password", "too_many_guesses": self = .password
            default: self = .notAvailable
            }
        }

        var answer: [SocketValue] { [false, .string(rawValue)] }
    }

    /// Whether there is a room, or a user, of that name.
    func checkPresence(_ id: String, _ answer: @escaping Answer) {
        guard id != userID else { return answer([false, .string(id), .json(extra)]) }
        ask(id) { [weak self] entrance in
            guard let self else { return }
            if let entrance, !isOwn(entrance) {
                let first = firstMember(entrance)
                let isFull = first.maxAllowed.map { entrance.value["members"].integer ?? 0 >= $0 } ?? false
                let isLocked = entrance.value["locked"].bool == true
                return answer([true, .string(id), Self.presence(first.extra, isFull: isFull, isLocked: isLocked)])
            }
            if let (room, peer) = find(id), let member = places[room]?.roster.member(peer) {
                return answer([true, .string(id), .json(member.extra)])
            }
            answer([false, .string(id), Self.presence(.emptyObject, isFull: false)])
        }
    }

    /// The room has nobody but another connection of the same user.
    private func isOwn(_ entrance: SocketJSON) -> Bool {
        entrance.value["members"].integer == 1 && userID != nil && firstMember(entrance).userID == userID
    }

    private func firstMember(_ entrance: SocketJSON) -> VocabularyMember {
        VocabularyMember(
            peer: entrance.value["first"].string ?? "", meta: entrance.member("meta") ?? .emptyObject,
            maxSize: host.limits.identifierSize)
    }

    private static func presence(_ extra: SocketJSON, isFull: Bool, isLocked: Bool = false) -> SocketValue {
        let room: SocketValue = ["isFull": .bool(isFull), "isPasswordProtected": .bool(isLocked)]
        return .json(extra.adding("_room", room) ?? extra)
    }

    func openRoom(_ arguments: SocketArguments, _ answer: @escaping Answer) {
        let room = prepare(arguments)
        let password = Self.password(arguments[0])
        join(room, password: password, maxAllowed: query.maxParticipants) { [weak self] error in
            self?.entered(room, error, answer)
        }
    }

    func joinRoom(_ arguments: SocketArguments, _ answer: @escaping Answer) {
        let room = prepare(arguments)
        ask(room) { [weak self] entrance in
            guard let self, let entrance else { return answer(Refusal.notAvailable.answer) }
            if let most = firstMember(entrance).maxAllowed, places[room] == nil,
                entrance.value["members"].integer ?? 0 >= most
            {
                return answer(Refusal.full.answer)
            }
            join(room, password: Self.password(arguments[0])) { [weak self] error in self?.entered(room, error, answer)
            }
        }
    }

    /// Leaves the room that it was in, and takes what is said of the user.
    ///
    /// - Returns: the room to enter.
    private func prepare(_ arguments: SocketArguments) -> String {
        let room = arguments[0]["sessionid"].string ?? ""
        if let current, current != room { leave(current) }
        if case .json(let text) = arguments.relayed(0), let own = text.member("extra"), own.isObject { extra = own }
        return room
    }

    private func entered(_ room: String, _ error: String?, _ answer: @escaping Answer) {
        if let error { return answer(Refusal(code: error).answer) }
        current = room
        answer([true])
    }

    /// None is as good as an empty one.
    static func password(_ data: SocketValue) -> String? {
        data["password"].string.flatMap { $0.isEmpty ? nil : $0 }
    }

    // MARK: Moderating

    func setPassword(_ password: String?, _ answer: @escaping Answer) {
        guard let room = current else { return answer([nil, nil, .string(Self.noRoom)]) }
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("t", "room_password")
            writer.field("room", room)
            writer.field("password", password ?? "")
        }
        host.send(writer.bytes) { error in
            guard let error else { return answer([true, .string(room), nil]) }
            answer([false, .string(room), .string(Refusal(code: error).rawValue)])
        }
    }

    func closeEntireSession(_ answer: @escaping Answer) {
        guard let room = current else { return answer([false, .string(Self.noRoom)]) }
        closing.insert(room)
        host.send(frame("close_room", room)) { [weak self] error in
            guard let error else { return answer([true]) }
            self?.closing.remove(room)
            answer(Refusal(code: error).answer)
        }
    }

    private static let noRoom = "Did not join any Session yet"
}
