/// How each transport carries what a session sends.
extension Transport {
    /// Whether messages come up by the same stream.
    package var isDuplex: Bool { self == .websocket || self == .stream || self == .socketIO }

    /// Whether it carries messages one by one, which need no mark at their ends.
    var hasFrames: Bool { self == .websocket || self == .socketIO }

    /// A problem document as a message without a number: the last before a stream ends.
    func encode(error reply: Reply) -> [UInt8] {
        let message = Array("{\"t\":\"error\",".utf8) + reply.body.dropFirst()
        return switch self {
        case .sse: Array("data: ".utf8) + message + Array("\n\n".utf8)
        case .ndjson, .stream: message + [UInt8(ascii: "\n")]
        case .websocket, .socketIO, .poll: message
        }
    }

    /// The event as it stands in a stream.
    package func encode(_ event: ServerEvent) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(event.size)
        if self == .sse { bytes.append(contentsOf: "id: \(event.epoch).\(event.seq)\ndata: ".utf8) }
        event.append(to: &bytes)
        switch self {
        case .sse: bytes.append(contentsOf: "\n\n".utf8)
        case .ndjson, .stream: bytes.append(UInt8(ascii: "\n"))
        case .websocket, .socketIO, .poll: break
        }
        return bytes
    }

    /// What a stream begins with, so that its client sees it open.
    var opening: [UInt8]? { self == .sse ? Array(": hello\n\n".utf8) : nil }

    /// What goes over an idle stream, so that whatever stands between does not take it for dead. WebSockets and
    /// Socket.IO have pings of their own.
    var ping: [UInt8]? {
        switch self {
        case .sse: Array(": ping\n\n".utf8)
        case .ndjson, .stream: [UInt8(ascii: "\n")]
        case .websocket, .socketIO, .poll: nil
        }
    }
}
