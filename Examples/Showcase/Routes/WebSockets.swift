import Heliograph

/// WebSockets over HTTP/1.1 and HTTP/2: `/ws` echoes, `/ws/about` tells how it was opened and closes.
func addWebSockets(to router: Routes) {
    var options = WebSocketOptions()
    options.subprotocols = ["echo"]
    options.compression = WebSocketCompressionOptions()
    let accepted = options
    let echo = EchoMessages()
    router.get("/ws") { exchange in exchange.acceptWebSocket(accepted, handler: echo) }
    router.get("/ws/about") { exchange in
        guard let webSocket = exchange.acceptWebSocket(accepted, handler: echo) else { return }
        webSocket.send(
            """
            {"version":"\(exchange.version)","status":\(exchange.responseStatus?.rawValue ?? 0),\
            "subprotocol":"\(webSocket.subprotocol ?? "")","compressed":\(webSocket.isCompressed)}
            """)
        webSocket.close(reason: "that is all")
    }
}

/// Sends each message back; a reader that is slow slows the writer.
private final class EchoMessages: WebSocketHandler {
    func message(_ webSocket: WebSocket, _ message: RawSpan, _ kind: WebSocketKind) {
        if !webSocket.send(message, kind) { webSocket.pause() }
    }

    func drained(_ webSocket: WebSocket) { webSocket.resume() }
}
