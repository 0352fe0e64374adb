import Heliograph
import SocketIO

extension LoopService {
    /// Clients of Socket.IO.
    func socketIORoutes(_ routes: Routes) {
        if let sockets { routes.socketIO("/socket.io/", sockets) }
    }
}

/// Signaling between clients of Socket.IO, with events named as the messages of the service are.
///
/// A message goes to the peer whose id `to.peer` has, byte for byte, with who sent it as `from` at its end. Ids of sockets
/// cannot be guessed: who knows one was told.
enum SocketSignaling {
    private static let relayed = [
        "invite", "offer", "answer", "pranswer", "candidates", "select", "reject", "hangup", "restart_ice", "msg",
    ]

    static var options: SocketOptions {
        var options = SocketOptions()
        options.recovery = SocketRecoveryOptions()
        // As the service's own sessions have it.
        options.maxPayload = 64 * 1024
        options.maxRoomsPerSocket = 17
        return options
    }

    static func setUp(_ io: SocketHub) { io.onConnect(greet) }

    private static func greet(_ socket: ServerSocket) {
        if !socket.isRecovered { socket.emit("welcome", ["sid": .string(socket.id)]) }
        socket.on("ping") { message, ack in ack(["t": "pong", "id": message[0]["id"]]) }
        socket.on("join") { message, ack in join(socket, message, ack) }
        socket.on("leave") { message, ack in
            guard let room = room(message) else { return fail(ack, "bad_message") }
            tell(socket, "peer_left", room, ["reason": "left"])
            socket.leave(room)
            ack(["ok": true])
        }
        for event in relayed { socket.on(event) { message, ack in relay(event, socket, message, ack) } }
        socket.onDisconnecting { reason in
            let word: SocketValue = reason == .clientDisconnect ? "left" : "timeout"
            for room in socket.rooms where room.hasPrefix(prefix) { tell(socket, "peer_left", room, ["reason": word]) }
        }
    }

    private static func join(_ socket: ServerSocket, _ message: SocketArguments, _ ack: SocketAck) {
        guard let room = room(message) else { return fail(ack, "bad_message") }
        guard socket.join(room) else { return fail(ack, "too_many_rooms") }
        tell(socket, "peer_joined", room, ["meta": message[0]["body"]])
        ack(["ok": true])
    }

    private static func relay(
        _ event: String, _ socket: ServerSocket, _ message: SocketArguments, _ ack: SocketAck
    ) {
        guard case .json(let text) = message.relayed(0), let room = room(message) else {
            return fail(ack, "bad_message")
        }
        guard socket.rooms.contains(room) else { return fail(ack, "not_in_room") }
        guard let signed = text.adding("from", .string(socket.id)) else { return fail(ack, "bad_message") }
        if let peer = message[0]["to"]["peer"].string {
            socket.to(peer).emit(event, .json(signed))
        } else if event == "msg" {
            socket.to(room).emit(event, .json(signed))
        } else {
            return fail(ack, "bad_message")
        }
        ack(["ok": true])
    }

    /// Rooms of the service have a mark, as each socket's own room has its id for a name.
    private static let prefix = "room:"

    private static func room(_ message: SocketArguments) -> String? {
        guard let name = message[0]["room"].string, !name.isEmpty, name.utf8.count <= 128 else { return nil }
        return prefix + name
    }

    private static func tell(_ socket: ServerSocket, _ event: String, _ room: String, _ more: SocketObject) {
        var object = more
        object["room"] = .string(String(room.dropFirst(prefix.count)))
        object["peer"] = .string(socket.id)
        socket.to(room).emit(event, .object(object))
    }

    private static func fail(_ ack: SocketAck, _ code: String) { ack(["error": ["code": .string(code)]]) }
}
