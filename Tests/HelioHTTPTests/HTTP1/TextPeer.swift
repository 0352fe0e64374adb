import HelioHTTP
import HeliographTesting
import Testing

/// A client that sends text, where a line feed is CRLF, and reads text, where a CRLF is a line feed.
final class TextPeer {
    let server: HTTP1MemorySession
    private(set) var received = ""
    private var inputRequests = 0

    init(
        handler: any Handler = hello(), limits: Limits = Limits(), options: SessionOptions = SessionOptions(),
        room: Int = 64 * 1024
    ) {
        server = HTTP1MemorySession(handler: handler, limits: limits, options: options, room: room)
    }

    /// Sends, and gives what comes back. Input that the server has held is taken up as a connection would.
    @discardableResult
    func send(_ text: String, cut: Int = Int.max) -> String { send(bytes: wire(text), cut: cut) }

    @discardableResult
    func send(bytes: [UInt8], cut: Int = Int.max) -> String {
        server.receive(bytes, cut: cut)
        return read()
    }

    @discardableResult
    func read() -> String {
        var bytes = server.output()
        while server.inputRequests > inputRequests {
            inputRequests = server.inputRequests
            server.receive()
            bytes += server.output()
        }
        let text = String(decoding: bytes, as: UTF8.self).replacing("\r\n", with: "\n")
        received += text
        return text
    }

    @discardableResult
    func advance(by duration: Duration) -> String {
        server.advance(by: duration)
        return read()
    }

    var isFinished: Bool { server.session.isFinished }
    var deadline: UInt64 { server.session.nextDeadline(now: server.clock.now) }

    /// Nanoseconds since the peer came.
    var elapsed: UInt64 { server.clock.now - 1_000_000_000 }

    func tripped(_ limit: LimitName) -> Int { server.resources.counterSnapshot().limitsTripped[limit] ?? 0 }
    func refused(_ status: Status) -> Int { server.resources.counterSnapshot().refusals[status] ?? 0 }

    /// Ends the connection; nothing may be left.
    func leave(sourceLocation: SourceLocation = #_sourceLocation) {
        server.close()
        #expect(server.resources.counterSnapshot().openStreams == 0, sourceLocation: sourceLocation)
    }
}
