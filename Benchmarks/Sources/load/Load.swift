import ArgumentParser

/// A load generator on the runtime's own client.
@main
struct Load: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Loads a server with requests, messages or sessions, and says how long they took.",
        discussion: """
            EXAMPLES
              load http https://localhost:8443/hello --connections 32 --streams 32 --operations 100000
              load http https://localhost:8443/hello --rate 20000 --duration 10 --warm-up 2
              load http https://localhost:8443/upload --upload 1048576 --operations 1000
              load websocket https://localhost:8443/ws --connections 64 --size 128 --http1
              load feed https://localhost:8443/feed --connections 1000 --rate 20 --duration 5
              load signaling https://localhost:8443 calls --connections 2000 --rate 2000
              load idle https://localhost:8443/hello --connections 38000 --processes 2
            """,
        subcommands: [
            HTTPCommand.self, WebSocketCommand.self, FeedCommand.self, IdleCommand.self, SignalingCommand.self,
            SocketIOCommand.self,
        ])
}
