import SignalingCore
import SocketIO

// Channels: a page opens or joins one before its calls begin, often by a connection of its own.
extension VocabularyClient {
    static let channelEvent = "channel-event"

    func presence(_ data: SocketValue) {
        ask(data["channel"].string ?? "") { [weak self] entrance in
            self?.host.emit("presence", [.bool(entrance != nil)])
        }
    }

    func openChannel(_ data: SocketValue) {
        let channel = data["channel"].string ?? ""
        adopt(data["sender"], forChannel: true)
        join(channel, maxAllowed: Self.count(data["maxAllowed"])) { [weak self] error in
            guard error == nil else {
                let response: SocketValue = [
                    "status": false, "channel": .string(channel), "msgtype": "error",
                    "msg": "Sorry cant open this channel",
                ]
                self?.host.emit("open-channel-resp", [response])
                return
            }
            self?.host.emit("open-channel-resp", [["status": true, "channel": .string(channel)]])
        }
    }

    /// Nothing is opened: a page shares its screen within its room.
    func openScreenChannel(_ data: SocketValue) {
        host.emit("open-channel-screenshare-resp", [["status": true, "channel": data["channel"]]])
    }

    func joinChannel(_ arguments: SocketArguments) {
        let data = arguments[0]
        let channel = data["channel"].string ?? ""
        adopt(data["sender"], forChannel: true)
        if data["extra"].object != nil, case .json(let text) = arguments.relayed(0) {
            extra = text.member("extra") ?? extra
        }
        ask(channel) { [weak self] entrance in
            guard let self, entrance != nil else {
                self?.refuseJoining()
                return
            }
            join(channel) { [weak self] error in self?.joined(channel, arguments.relayed(0), error) }
        }
    }

    /// It is in, or not: one user more than the channel's opener lets in goes again.
    private func joined(_ channel: String, _ data: SocketValue, _ error: String?) {
        guard error == nil, let roster = places[channel]?.roster else { return refuseJoining() }
        let users = roster.names
        if let most = roster.members.lazy.compactMap(\.maxAllowed).first, users.count > most {
            let text = "Another user is trying to join this channel but max count [ \(most) ] is reached"
            tell(channel, Self.channelEvent, Self.channelEvent(["msgtype": "error", "msg": .string(text)]))
            leave(channel)
            return refuseJoining()
        }
        let response: SocketValue = [
            "status": true, "channel": .string(channel), "users": .array(users.map { .string($0) }),
        ]
        host.emit("join-channel-resp", [response])
        tell(channel, Self.channelEvent, Self.channelEvent(["msgtype": "success", "data": data]))
    }

    private func refuseJoining() {
        host.emit(
            "join-channel-resp", [["status": false, "msgtype": "error", "msg": "Sorry cant join this channel"]])
    }

    private static func channelEvent(_ fields: SocketObject) -> SocketJSON {
        var writer = JSONWriter()
        writer.object { writer in
            writer.key("status")
            writer.bool(true)
            writer.field("type", "new-join")
            for field in fields.members {
                writer.key(field.name)
                switch field.value {
                case .json(let text): writer.raw(text.bytes)
                default: writer.string(field.value.string ?? "")
                }
            }
        }
        return SocketJSON(valid: writer.bytes)
    }

    func updateChannel(_ data: SocketValue) {
        guard data["type"].string == "change-userid", data["extra"]["old"].string == name,
            let new = data["extra"]["new"].string, isName(new)
        else { return }
        rename(new)
    }

    func adminEnquire(_ data: SocketValue) {
        guard let enquiry = VocabularyEnquiry(data) else {
            host.emit("response_to_admin_enquire", ["no case matched "])
            return
        }
        host.enquire(enquiry) { [weak self] answer in
            let refusal: SocketValue = ["response": "error", "code": "forbidden"]
            self?.host.emit("response_to_admin_enquire", [answer ?? refusal])
        }
    }

    /// A number, or a text of one; nil for what sets no bound, as `unlimited`.
    private static func count(_ value: SocketValue) -> Int? {
        (value.integer ?? value.string.flatMap { Int($0) }).flatMap { $0 > 0 ? $0 : nil }
    }
}
