import Heliograph

/// What concerns an HTTP/2 connection as a whole: `/connection` shows it, and its neighbours each do one thing with it. Over
/// HTTP/1.1 they are not found. CONNECT to `echo.example:7` opens a tunnel that gives back what it gets.
func addConnection(to router: Routes) {
    router.get("/connection") { exchange in
        guard let http2 = exchange.http2, let time = await http2.ping(), let state = http2.state else {
            exchange.respond(.notFound)
            return
        }
        exchange.respond(.ok, contentType: "application/json", json(state, time, http2.remoteSettings))
    }
    // Takes no more streams, and says why.
    router.get("/connection/goaway") { exchange in
        let code = HTTP2ErrorCode(rawValue: UInt32(clamping: exchange.queryNumber("code") ?? 0))
        let isSaid = exchange.http2?.goAway(code, data: Array("as you asked".utf8)) == true
        exchange.respond(isSaid ? .noContent : .notFound)
    }
    router.get("/connection/settings") { exchange in
        var changes = HTTP2Settings.Changes()
        changes.maxConcurrentStreams = exchange.queryNumber("streams")
        changes.initialWindowSize = exchange.queryNumber("window").map { min(max($0, 0), 1 << 24) }
        let isSaid = exchange.http2?.updateSettings(changes) == true
        if let window = exchange.queryNumber("connection") {
            exchange.http2?.setReceiveWindow(min(max(window, 65_535), 1 << 24))
        }
        exchange.respond(isSaid ? .noContent : .notFound)
    }
    router.get("/connection/elsewhere") { exchange in
        let isSaid =
            exchange.http2?.sendOrigins(["https://static.example", "https://localhost:8443"]) == true
            && exchange.http2?.sendAlternativeService("h2=\"alt.example:443\"; ma=60", origin: "https://localhost")
                == true
            && exchange.http2?.sendAlternativeService("clear", for: exchange) == true
        exchange.respond(isSaid ? .noContent : .notFound)
    }
    let tunnel = EchoTunnel()
    router.otherwise { exchange in
        if exchange.method == .connect, exchange.authority == "echo.example:7" {
            exchange.hand(to: tunnel)
        } else {
            exchange.respond(.notFound)
        }
    }
}

private final class EchoTunnel: Handler {
    func request(_ exchange: Exchange) { exchange.openTunnel() }
    func body(_ exchange: Exchange, _ chunk: RawSpan) { if !exchange.write(chunk) { exchange.pauseBody() } }
    func drained(_ exchange: Exchange) { exchange.resumeBody() }
    func end(_ exchange: Exchange) { exchange.finish() }
}

private func json(_ state: HTTP2ConnectionState, _ time: Duration, _ remote: HTTP2Settings?) -> String {
    let numbers: [(name: String, value: Int)] = [
        ("pingMicroseconds", Int(time / .microseconds(1))),
        ("streams", state.openStreams),
        ("pushes", state.openPushes),
        ("lastStream", Int(state.lastStream)),
        ("sendWindow", state.sendWindow),
        ("receiveWindow", state.receiveWindow),
        ("receiveWindowSize", state.receiveWindowSize),
        ("queuedFrames", state.queuedFrames),
        ("decoderTable", state.decoderTableSize),
        ("encoderTable", state.encoderTableSize),
        ("peerStreams", remote?.maxConcurrentStreams ?? 0),
        ("peerWindow", remote?.initialWindowSize ?? 0),
        ("peerTakesPush", remote?.allowsPush == true ? 1 : 0),
    ]
    return "{" + numbers.map { "\"\($0.name)\":\($0.value)" }.joined(separator: ",") + "}\n"
}
