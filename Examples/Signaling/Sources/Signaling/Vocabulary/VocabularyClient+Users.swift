import SignalingCore
import SocketIO

// What a user says of itself, and its peers.
extension VocabularyClient {
    /// A user that is in no room opens that of its own name: others reach it there.
    func changedUserID(_ name: String, _ answer: @escaping Answer) {
        guard isName(name) else { return }
        let isAlone = places.isEmpty
        rename(name)
        guard isAlone else { return answer([]) }
        current = name
        join(name) { [weak self] error in
            if error != nil { self?.current = nil }
            answer([])
        }
    }

    func extraDataUpdated(_ arguments: SocketArguments) {
        guard case .json(let new) = arguments.relayed(0), new.isObject, new != extra else { return }
        extra = new
        tellPlaces()
    }

    func getExtraData(_ user: String, _ answer: @escaping Answer) {
        guard let (room, peer) = find(user), let member = places[room]?.roster.member(peer) else {
            return answer(["User ID does not exist"])
        }
        answer([.json(member.extra)])
    }

    func disconnectWith(_ user: String, _ answer: @escaping Answer) {
        let place = find(user)
        disconnect(user)
        guard let place else { return answer([]) }
        let hangup = frame("hangup", place.room, to: place.peer) { $0.object { $0.field("reason", "user_hangup") } }
        host.send(hangup) { _ in answer([]) }
    }

    func setModerator(_ isModerator: Bool) {
        guard self.isModerator != isModerator else { return }
        self.isModerator = isModerator
        tellPlaces()
    }

    /// Of those in its rooms.
    func getPublicModerators(_ prefix: String, _ answer: @escaping Answer) {
        let moderators = places.values.flatMap { place in
            place.roster.members.filter { $0.isModerator && $0.moderates && $0.peer != sid }.map {
                (place.roster.name(of: $0.peer) ?? $0.peer, $0.extra)
            }
        }
        let found = moderators.filter { $0.0.hasPrefix(prefix) }
        answer([.array(found.map { ["userid": .string($0.0), "extra": .json($0.1)] })])
    }
}
