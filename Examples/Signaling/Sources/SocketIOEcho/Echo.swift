import SocketIO

/// What the program does with the events of one client.
func echo(_ socket: ServerSocket) {
    socket.emit("auth", socket.isRecovered ? ["recovered": true] : socket.auth)
    socket.on("message") { arguments, _ in socket.emit("message-back", arguments.allRelayed) }
    socket.on("message-with-ack") { arguments, ack in ack.send(arguments.allRelayed) }
    socket.on("ask-me") { arguments, ack in
        socket.emit("question", arguments.relayed(0), timeout: .seconds(5)) { result in
            switch result {
            case .success(let answer): ack("answered", answer.relayed(0))
            case .failure(let error): ack(.string("\(error)"))
            }
        }
    }
    socket.on("ask-room") { arguments, ack in
        let room = socket.namespace.to(arguments[0].string ?? "")
        room.emit("question", arguments.relayed(1), timeout: .seconds(5)) { result in
            switch result {
            case .success(let answers):
                ack(.array(answers.responses.map { $0.relayed(0) }), .integer(answers.missing))
            case .failure(let error): ack(.string("\(error)"))
            }
        }
    }
    socket.on("join") { arguments, ack in ack(.bool(socket.join(arguments[0].string ?? ""))) }
    socket.on("leave") { arguments, ack in
        socket.leave(arguments[0].string ?? "")
        ack()
    }
    socket.on("say") { arguments, ack in
        socket.to(arguments[0].string ?? "").emit("said", arguments.relayed(1))
        ack()
    }
    socket.on("relay") { arguments, _ in
        socket.to(arguments[0]["to"].string ?? "").emit("relay", arguments.relayed(0))
    }
    socket.on("shout") { arguments, _ in socket.broadcast.emit("shouted", arguments.relayed(0)) }
    socket.on("go") { _, _ in socket.disconnect() }
    socket.on("go-away") { _, _ in socket.disconnect(closing: true) }
}
