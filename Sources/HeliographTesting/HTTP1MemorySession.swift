public import HelioHTTP

/// An HTTP/1.1 session of the server with a peer in memory, on a manual clock: no socket, no TLS, no thread.
///
/// ```swift
/// let server = HTTP1MemorySession(handler: MyHandler())
/// server.receive(Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
/// #expect(String(decoding: server.output(), as: UTF8.self).hasPrefix("HTTP/1.1 200 OK\r\n"))
/// server.close()
/// ```
@safe public final class HTTP1MemorySession: HTTPSessionOwner {
    public let clock: ManualClock
    public let resources: HTTPResources
    public let webSockets: WebSocketResources?
    private var made: HTTP1Session?
    /// How often the session has asked for a drain, and to be given input again.
    public private(set) var drainRequests = 0
    public private(set) var inputRequests = 0
    private let scratch: UnsafeMutableRawBufferPointer

    /// - Parameter room: what one drain has room for, at least 32 KiB.
    public init(
        handler: any Handler, limits: Limits = Limits(), resources: HTTPResources? = nil,
        options: SessionOptions = SessionOptions(), clock: ManualClock = ManualClock(), room: Int = 64 * 1024
    ) {
        self.clock = clock
        webSockets = MemoryWebSockets.resources(on: clock)
        self.resources = resources ?? HTTPResources(limits: limits)
        unsafe scratch = .allocate(byteCount: room, alignment: 16)
        made = HTTP1Session(resources: self.resources, handler: handler, owner: self, options: options, now: clock.now)
    }

    deinit { unsafe scratch.deallocate() }

    public var session: HTTP1Session {
        guard let made else { preconditionFailure("the session is closed") }
        return made
    }

    public func sessionNeedsDrain() { drainRequests += 1 }
    public func sessionWantsInput() { inputRequests += 1 }

    /// Gives bytes to the session, in pieces of `cut` bytes; none lets it go on with what it has kept.
    public func receive(_ bytes: [UInt8] = [], cut: Int = Int.max) {
        var rest = bytes[...]
        repeat {
            let piece = Array(rest.prefix(cut))
            rest = rest.dropFirst(piece.count)
            unsafe piece.withUnsafeBytes { unsafe session.receive($0, now: clock.now) }
        } while !rest.isEmpty
    }

    /// One drain.
    public func drainOnce() -> [UInt8] {
        let count = unsafe session.drain(into: scratch, now: clock.now)
        return unsafe Array(scratch[..<count])
    }

    /// All that the session has to send, as long as its handlers go on.
    public func output() -> [UInt8] {
        var bytes: [UInt8] = []
        while session.wantsDrain { bytes += drainOnce() }
        return bytes
    }

    /// Lets time pass, and what is due happen.
    public func advance(by duration: Duration) {
        clock.advance(by: duration)
        session.expire(now: clock.now)
    }

    /// Ends the session. Always the last call.
    public func close(_ reason: CloseReason = .connectionLost) {
        made?.close(reason)
        made = nil
    }
}
