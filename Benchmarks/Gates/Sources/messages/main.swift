import Heliograph

// Messages of 128 bytes that a WebSocket in memory sends back: what a tool that counts instructions or allocations looks at.
//
//     messages N http1       N messages over HTTP/1.1, one at a time; the difference of two runs is the cost of the messages alone
//     messages N http2       the same over HTTP/2 (RFC 8441)
//     messages N deflate     the same over HTTP/1.1, compressed both ways

final class Echo: Handler, WebSocketHandler {
    private let options: WebSocketOptions
    private(set) var messages = 0

    init(_ options: WebSocketOptions) { self.options = options }

    func request(_ exchange: Exchange) { exchange.acceptWebSocket(options, handler: self) }

    func message(_ webSocket: WebSocket, _ message: RawSpan, _ kind: WebSocketKind) {
        messages += 1
        webSocket.send(message, kind)
    }
}

/// A clock that stands still.
final class Owner: HTTPSessionOwner, WebSocketHost {
    var webSockets: WebSocketResources?
    private let compression = ZlibWebSocketCompression(WebSocketCompressionParameters())

    var now: UInt64 { 1 }
    func sessionNeedsDrain() {}
    func wakeWebSockets(at deadline: UInt64?) {}
    func webSocketCompression(_ parameters: WebSocketCompressionParameters) -> (any WebSocketCompression)? {
        compression
    }
}

/// A client's bytes against a session, one read at a time.
struct Run {
    let session: any HTTPSession
    let output = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1024, alignment: 4096)
    var now: UInt64 = 1
    var sent = 0

    mutating func exchange(_ bytes: [UInt8]) {
        now += 1_000_000
        bytes.withUnsafeBytes { session.receive($0, now: now) }
        while session.wantsDrain { sent += session.drain(into: output, now: now) }
    }
}

func literal(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + Array(text.utf8) }

/// A frame of HTTP/2.
func frame(_ type: UInt8, _ flags: UInt8, _ stream: UInt8, _ payload: [UInt8]) -> [UInt8] {
    [0, UInt8(payload.count >> 8), UInt8(payload.count & 255), type, flags, 0, 0, 0, stream] + payload
}

let arguments = CommandLine.arguments
guard arguments.count == 3, let count = Int(arguments[1]), ["http1", "http2", "deflate"].contains(arguments[2]) else {
    fatalError("usage: messages N http1|http2|deflate")
}
let isHTTP2 = arguments[2] == "http2"
let isCompressed = arguments[2] == "deflate"
let owner = Owner()
let resources = WebSocketResources(host: owner)
owner.webSockets = resources
var options = WebSocketOptions()
if isCompressed {
    options.compression = WebSocketCompressionOptions()
    options.compression?.threshold = 1
}
let echo = Echo(options)

let payload = (0..<128).map { UInt8(65 + $0 % 8) }
var client = WebSocketSerializer(role: .client)
var message = client.frame(.text, isFinal: true, isCompressed: false, payload)
if isCompressed {
    var deflated: [UInt8] = []
    owner.webSocketCompression(WebSocketCompressionParameters())?.compress(payload.span.bytes) { piece in
        piece.withUnsafeBytes { deflated.append(contentsOf: $0) }
    }
    message = client.frame(.text, isFinal: true, isCompressed: true, deflated)
}

var run: Run
if isHTTP2 {
    let http2 = HTTP2Resources(limits: Limits())
    run = Run(session: HTTP2Session(resources: http2, handler: echo, owner: owner, now: 1))
    // CONNECT, https, /, the authority and what no table has: literals without indexing.
    let head: [UInt8] =
        [0x02] + literal("CONNECT") + [0x00] + literal(":protocol") + literal("websocket") + [0x87, 0x84, 0x01]
        + literal("localhost") + [0x00] + literal("sec-websocket-version") + literal("13")
    // Windows that no number of these messages fills.
    let settings: [UInt8] = [0, 4, 0x7f, 0xff, 0xff, 0xff]
    let window: [UInt8] = [0x7f, 0xfe, 0, 0]
    run.exchange(
        Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + frame(4, 0, 0, settings) + frame(8, 0, 0, window)
            + frame(1, 4, 1, head))
    message = frame(0, 0, 1, message)
} else {
    run = Run(
        session: HTTP1Session(resources: HTTPResources(limits: Limits()), handler: echo, owner: owner, now: 1))
    let offer = isCompressed ? "sec-websocket-extensions: permessage-deflate\r\n" : ""
    run.exchange(
        Array(
            """
            GET / HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
            sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\(offer)\r\n
            """.utf8))
}
let handshake = run.sent
for _ in 0..<count { run.exchange(message) }
run.session.close(.connectionLost)
run.output.deallocate()
guard echo.messages == count, run.sent - handshake >= count * (isCompressed ? 10 : 130) else {
    fatalError("not every message came back: \(echo.messages) of \(count), \(run.sent - handshake) bytes")
}
print("\(count) messages")
