import Glibc
import Heliograph
import SocketIO

// A server of Socket.IO that answers what it is told, on https://localhost and a free port, which it prints. Arguments:
// --recovery, --port=N, --threads=N, and in milliseconds the ping interval and the ping timeout.
var options = SocketOptions()
if CommandLine.arguments.contains("--recovery") { options.recovery = SocketRecoveryOptions() }
let times = CommandLine.arguments.compactMap { Int($0) }
if times.count == 2 { (options.pingInterval, options.pingTimeout) = (.milliseconds(times[0]), .milliseconds(times[1])) }

func number(_ name: String) -> Int? {
    CommandLine.arguments.lazy.filter { $0.hasPrefix(name + "=") }.compactMap { Int($0.dropFirst(name.count + 1)) }
        .first
}

let group = try EventLoopGroup(threads: number("--threads") ?? 2)
let sockets = SocketIOServer(loops: group.loops, options: options) { io in
    for namespace in [io.main, io.of("/custom")] {
        namespace.use { socket, next in
            next(socket.auth["refuse"].string.map { SocketRefusal($0, data: ["code": 7]) })
        }
        namespace.onConnect { socket in echo(socket) }
    }
}

/// The events of one client.
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

let page = "<!doctype html><meta charset=utf-8><title>Socket.IO</title><link rel=icon href=\"data:,\">"
let server = Server(ServerConfiguration(host: "localhost", port: UInt16(clamping: number("--port") ?? 0))) { loop in
    Router(on: loop) { routes in
        routes.socketIO("/socket.io/", sockets.hub(on: loop))
        routes.get("/") { exchange in exchange.respond(.ok, contentType: "text/html", page) }
    }
}
try server.start(on: group)
print("https://localhost:\(server.port ?? 0)")
// Whoever reads it through a pipe waits for it.
fflush(nil)
await server.stopped()
