// The smallest server, for tools that stop a process now and then (callgrind, strace): its main thread waits in
// pause(2), and no task of Swift's is ever begun.
//
//   server PORT CERTIFICATE KEY
import Glibc
import Heliograph

guard CommandLine.arguments.count == 4, let port = UInt16(CommandLine.arguments[1]) else {
    fatalError("usage: server PORT CERTIFICATE KEY")
}

final class Hello: Handler, WebSocketHandler {
    func request(_ exchange: Exchange) {
        guard !exchange.requestsProtocol("websocket") else { return _ = exchange.acceptWebSocket(handler: self) }
        exchange.respond(.ok, contentType: "text/plain", "Hello, World!")
    }

    func message(_ webSocket: WebSocket, _ message: RawSpan, _ kind: WebSocketKind) { webSocket.send(message, kind) }
}

var configuration = ServerConfiguration(host: "127.0.0.1", port: port)
configuration.threads = 1
configuration.security = .certificate(chain: CommandLine.arguments[2], key: CommandLine.arguments[3])
let server = Server(configuration) { _ in Hello() }
try server.start()
while true { pause() }
