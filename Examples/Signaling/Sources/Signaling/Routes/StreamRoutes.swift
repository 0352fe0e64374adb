import Heliograph
import SignalingCore

extension LoopService {
    /// Streams that carry messages both ways.
    func streamRoutes(_ routes: Routes) {
        routes.get("/v1/ws") { [self] exchange in openWebSocket(exchange) }
        routes.post("/v1/stream") { [self] exchange in openLines(exchange) }
    }

    private func openWebSocket(_ exchange: Exchange) {
        let field = exchange.headers.subprotocolToken ?? exchange.headers.bearerToken
        let credential: [UInt8]?
        switch self.credential(of: exchange, beside: field) {
        case .failure(let refusal): return exchange.respond(refusal.reply)
        case .success(let found): credential = found
        }
        if exchange.requestsProtocol("websocket"),
            !exchange.headers.subprotocols.contains(WebSocketStream.subprotocol)
        {
            exchange.respond(Problem.subprotocolRequired.reply("offer the subprotocol \(WebSocketStream.subprotocol)"))
            return
        }
        exchange.acceptWebSocket(WebSocketStream.options(limits), handler: WebSocketStream(self, exchange, credential))
    }

    private func openLines(_ exchange: Exchange) {
        if let refusal = refusalOfURL(exchange) { return exchange.respond(refusal) }
        // Many a client and proxy of HTTP/1.1 sends the whole request before it reads any response.
        guard exchange.version == .http2 else {
            exchange.respond(Problem.http2Required.reply("a stream both ways needs HTTP/2"))
            return
        }
        guard exchange.headers.mediaType == "application/x-ndjson" else {
            exchange.respond(Problem.unsupportedMediaType.reply("messages are application/x-ndjson"))
            return
        }
        exchange.hand(to: LineStream(self, exchange))
    }
}
