import ArgumentParser
import Heliograph

/// Events of Socket.IO from one client to another.
struct SocketIOCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "socketio",
        abstract: "Socket.IO clients over WebSockets, in pairs: one emits `relay` with the other's id, which gets it.",
        discussion: """
            The server passes the first argument of an event `relay` on to the socket that its field `to` names.

            EXAMPLES
              load socketio https://localhost:8443 --connections 1000 --rate 5000 --duration 5
            """)
    @Argument(help: "Where the server is: https or http.") var url: String
    @Option(help: "The path that it is mounted at.") var path = "/socket.io/"
    @Option(name: .shortAndLong, help: "Bytes of an event's text.") var size = 128
    @OptionGroup var options: LoadOptions

    func validate() throws {
        guard (1...65_536).contains(size) else { throw ValidationError("--size is from 1 to 65536") }
        guard options.part(of: options.connections) % 2 == 0 else { throw ValidationError("--connections are pairs") }
    }

    func run() async throws {
        let place = try Place(url)
        let request = place.request(.get, "\(path)?EIO=4&transport=websocket")
        try options.check(request)
        let text = String(repeating: "x", count: size)
        try await LoadRun(options).run(perConnection: 1) { bench in
            SocketIOField(bench, request, text).open()
        }
    }
}

/// All clients of a load. Belongs to the loop.
private final class SocketIOField {
    let bench: LoadRun.Bench
    let text: String
    private let request: ClientRequest
    private var clients: [SocketIOClient] = []
    private var opening: Opening?

    init(_ bench: LoadRun.Bench, _ request: ClientRequest, _ text: String) {
        self.bench = bench
        self.request = request
        self.text = text
    }

    func open() {
        clients = (0..<bench.connections).map { _ in SocketIOClient(self) }
        for place in stride(from: 0, to: clients.count, by: 2) {
            clients[place].other = clients[place + 1]
            clients[place + 1].other = clients[place]
        }
        let opening = Opening(clients.count, open: { [self] in load.open(request, clients[$0], bench) }) { [self] in
            bench.recorder.begin()
            for place in stride(from: 0, to: clients.count, by: 2) { clients[place].emit() }
            bench.schedule.start()
        }
        self.opening = opening
        opening.start()
    }

    func isReady() { opening?.isReady() }
}

private final class SocketIOClient: WebSocketHandler {
    private let field: SocketIOField
    weak var other: SocketIOClient?
    private var socket: WebSocket?
    private(set) var sid = ""
    /// When the event that is on its way to the other was due.
    private var due: UInt64 = 0

    init(_ field: SocketIOField) { self.field = field }

    func opened(_ webSocket: WebSocket) { socket = webSocket }

    func message(_ webSocket: WebSocket, _ message: RawSpan, _ kind: WebSocketKind) {
        let text = message.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        if text.hasPrefix("42") {
            other?.arrived(text.utf8.count)
        } else if text.hasPrefix("40") {
            sid = text.field("sid") ?? ""
            field.isReady()
        } else if text.hasPrefix("0") {
            webSocket.send("40")
        } else if text == "2" {
            webSocket.send("3")
        } else {
            field.bench.recorder.failed("an unexpected packet: \(text.prefix(100))")
        }
    }

    func emit() {
        guard !field.bench.recorder.isOver, let other else { return }
        field.bench.schedule.next { [self] due in
            self.due = due
            socket?.send("42[\"relay\",{\"to\":\"\(other.sid)\",\"text\":\"\(field.text)\"}]")
        }
    }

    func closed(_ webSocket: WebSocket, _ code: WebSocketCloseCode, _ reason: String, wasClean: Bool) {
        field.bench.recorder.failed("closed with \(code)")
    }

    private func arrived(_ bytes: Int) {
        field.bench.recorder.succeeded(since: due, bytes: bytes, version: "Socket.IO")
        emit()
    }
}
