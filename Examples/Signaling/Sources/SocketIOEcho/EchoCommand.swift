import ArgumentParser
import Glibc
import Heliograph
import SocketIO

@main
struct EchoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "socketio-echo", abstract: "A server of Socket.IO that answers what it is told.",
        discussion: """
            It serves on https://localhost and prints where.

            EXAMPLES
              socketio-echo                             on a port that is free
              socketio-echo --port 8444 --recovery      clients that come back hear what they missed
            """)

    @Option(help: "The port; 0 takes one that is free.") var port: UInt16 = 0
    @Option(help: "How many event loops serve.") var threads = 2
    @Flag(help: "Keep the state of clients that are lost.") var recovery = false

    func validate() throws {
        guard (1...256).contains(threads) else { throw ValidationError("--threads takes 1 to 256, not \(threads)") }
    }

    func run() async throws {
        var options = SocketOptions()
        if recovery { options.recovery = SocketRecoveryOptions() }
        let group = try EventLoopGroup(threads: threads)
        let sockets = SocketIOServer(loops: group.loops, options: options) { io in
            for namespace in [io.main, io.of("/custom")] {
                namespace.use { socket, next in
                    next(socket.auth["refuse"].string.map { SocketRefusal($0, data: ["code": 7]) })
                }
                namespace.onConnect { socket in echo(socket) }
            }
        }
        let page = "<!doctype html><meta charset=utf-8><title>Socket.IO</title><link rel=icon href=\"data:,\">"
        let server = Server(ServerConfiguration(host: "localhost", port: port)) { loop in
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
    }
}
