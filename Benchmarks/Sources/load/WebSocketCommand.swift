import ArgumentParser
import Heliograph

/// Messages that come back.
struct WebSocketCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "websocket", abstract: "Messages to a WebSocket that sends them back.")
    @Argument(help: "Where to: https or http.") var url: String
    @Option(name: .shortAndLong, help: "Bytes of a message.") var size = 128
    @Option(help: "Messages on their way at once on each WebSocket.") var depth = 1
    @OptionGroup var options: LoadOptions

    func validate() throws {
        guard (1...1 << 20).contains(size) else { throw ValidationError("--size is from 1 to 1048576") }
        guard (1...1_000).contains(depth) else { throw ValidationError("--depth is from 1 to 1000") }
    }

    func run() async throws {
        let request = try ClientRequest(.get, url)
        try options.check(request)
        let message = [UInt8](repeating: UInt8(ascii: "x"), count: size)
        let depth = depth
        try await LoadRun(options).run(perConnection: 1) { bench in
            for _ in 0..<bench.connections { open(request, EchoSlot(bench, message, depth: depth), bench) }
            bench.schedule.start()
        }
    }
}

/// Opens a WebSocket that is not pinged by itself.
func open(
    _ request: ClientRequest, _ handler: any WebSocketHandler, _ bench: LoadRun.Bench, subprotocols: [String] = []
) {
    var options = WebSocketOptions()
    options.subprotocols = subprotocols
    options.pingInterval = nil
    do {
        try bench.pool.openWebSocket(request, options: options, handler: handler) { bench.recorder.giveUp("\($0)") }
    } catch {
        bench.recorder.giveUp("\(error)")
    }
}

/// One WebSocket that sends messages, and the next one whenever one has come back.
final class EchoSlot: WebSocketHandler {
    private let bench: LoadRun.Bench
    private let message: [UInt8]
    private let depth: Int
    /// When those on their way were due. They come back in their order.
    private var due: [UInt64] = []

    init(_ bench: LoadRun.Bench, _ message: [UInt8], depth: Int) {
        self.bench = bench
        self.message = message
        self.depth = depth
    }

    func opened(_ webSocket: WebSocket) { for _ in 0..<depth { send(on: webSocket) } }

    func message(_ webSocket: WebSocket, _ message: RawSpan, _ kind: WebSocketKind) {
        guard message.byteCount == self.message.count, !due.isEmpty else {
            return bench.recorder.failed("a message came back changed")
        }
        bench.recorder.succeeded(since: due.removeFirst(), bytes: message.byteCount, version: "WebSocket")
        send(on: webSocket)
    }

    func closed(_ webSocket: WebSocket, _ code: WebSocketCloseCode, _ reason: String, wasClean: Bool) {
        bench.recorder.failed("closed with \(code)")
    }

    private func send(on webSocket: WebSocket) {
        guard !bench.recorder.isOver else { return }
        bench.schedule.next { [self] due in
            self.due.append(due)
            webSocket.send(message)
        }
    }
}
