import ArgumentParser
import Heliograph

/// A load generator on the runtime's own client.
@main
struct Load: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Loads a server with requests or WebSocket messages, and says how long they took.",
        discussion: """
            EXAMPLES
              load http https://localhost:8443/hello --connections 32 --streams 32 --operations 100000
              load http https://localhost:8443/hello --rate 20000 --duration 10 --warm-up 2
              load websocket https://localhost:8443/ws --connections 64 --size 128 --http1
            """,
        subcommands: [Requests.self, Messages.self])

    struct Requests: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "http", abstract: "Requests, over HTTP/2 or HTTP/1.1.")
        @Argument(help: "Where to.") var url: String
        @Option(name: .shortAndLong, help: "Requests at once on each connection.") var streams = 1
        @OptionGroup var options: LoadOptions

        func validate() throws {
            guard (1...1_000).contains(streams) else { throw ValidationError("--streams is from 1 to 1000") }
            guard !options.http1 || streams == 1 else { throw ValidationError("HTTP/1.1 has one request at a time") }
        }

        func run() async throws {
            let request = try ClientRequest(.get, url)
            try options.check(request)
            let count = options.connections * streams
            try await options.run(perConnection: streams) { pool, schedule, recorder in
                for _ in 0..<count { RequestSlot(pool, request, schedule, recorder).begin() }
            }
        }
    }

    struct Messages: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "websocket", abstract: "Messages to a WebSocket that sends them back.")
        @Argument(help: "Where to: https or http.") var url: String
        @Option(name: .shortAndLong, help: "Bytes of a message.") var size = 128
        @OptionGroup var options: LoadOptions

        func validate() throws {
            guard (1...1 << 20).contains(size) else { throw ValidationError("--size is from 1 to 1048576") }
        }

        func run() async throws {
            let request = try ClientRequest(.get, url)
            try options.check(request)
            let message = [UInt8](repeating: UInt8(ascii: "x"), count: size)
            let count = options.connections
            var socketOptions = WebSocketOptions()
            socketOptions.pingInterval = nil
            let settled = socketOptions
            try await options.run(perConnection: 1) { pool, schedule, recorder in
                for _ in 0..<count {
                    let slot = MessageSlot(message, schedule, recorder)
                    do {
                        try pool.openWebSocket(request, options: settled, handler: slot) { recorder.failed("\($0)") }
                    } catch {
                        recorder.failed("\(error)")
                    }
                }
            }
        }
    }
}
