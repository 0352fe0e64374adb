public import HelioHTTP

/// An HTTP/2 session of the server with a peer in memory, on a manual clock: no socket, no TLS, no thread.
///
/// ```swift
/// let server = MemorySession(handler: MyHandler())
/// let client = TestClient()
/// let stream = client.request("GET", "/")
/// server.exchange(with: client)
/// #expect(client[stream].status == 200)
/// ```
@safe public final class MemorySession: HTTPSessionOwner {
    public let clock: ManualClock
    public let resources: HTTP2Resources
    public let webSockets: WebSocketResources?
    private var made: HTTP2Session?
    private let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)

    public init(
        handler: any Handler, limits: Limits = Limits(), resources: HTTP2Resources? = nil,
        options: SessionOptions = SessionOptions(), clock: ManualClock = ManualClock()
    ) {
        self.clock = clock
        webSockets = MemoryWebSockets.resources(on: clock)
        self.resources = resources ?? HTTP2Resources(limits: limits)
        made = HTTP2Session(resources: self.resources, handler: handler, owner: self, options: options, now: clock.now)
    }

    deinit { unsafe scratch.deallocate() }

    public var session: HTTP2Session {
        guard let made else { preconditionFailure("the session is closed") }
        return made
    }

    public func sessionNeedsDrain() {}

    /// Gives bytes to the session, in pieces of `cut` bytes.
    public func receive(_ bytes: [UInt8], cut: Int = Int.max) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(cut))
            rest = rest.dropFirst(piece.count)
            unsafe piece.withUnsafeBytes { unsafe session.receive($0, now: clock.now) }
        }
    }

    /// All that the session has to send.
    public func output() -> [UInt8] {
        var bytes: [UInt8] = []
        while session.wantsDrain { bytes += drain() }
        return bytes
    }

    /// What one drain gives: whole frames, at most 64 KiB of them.
    public func drain() -> [UInt8] {
        let count = unsafe session.drain(into: scratch, now: clock.now)
        return unsafe Array(scratch[..<count])
    }

    /// Passes bytes between the two until neither has more to say.
    ///
    /// - Parameter cut: the server gets the client's bytes in pieces of this many.
    public func exchange(with client: TestClient, cut: Int = Int.max) {
        while true {
            let sent = client.output()
            receive(sent, cut: cut)
            let answered = output()
            client.receive(answered)
            if sent.isEmpty, answered.isEmpty { return }
        }
    }

    /// Lets time pass, and what is due happen.
    public func advance(by duration: Duration) {
        clock.advance(by: duration)
        session.expire(now: clock.now)
        webSockets?.expire(now: clock.now)
    }

    /// Ends the session. Always the last call.
    public func close(_ reason: CloseReason = .connectionLost) {
        made?.close(reason)
        made = nil
    }
}
