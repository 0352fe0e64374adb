/// What the WebSockets of one loop ask of who runs it: the time, a call back, and zlib.
public protocol WebSocketHost: AnyObject {
    /// The time, in nanoseconds of any monotonic clock.
    var now: UInt64 { get }
    /// Asks for ``WebSocketResources/expire(now:)`` at a time, in place of what was asked before; nil: not at all.
    func wakeWebSockets(at deadline: UInt64?)
    /// What compresses for a WebSocket of these parameters; nil when nothing does. One that keeps no context may be
    /// shared by many.
    func webSocketCompression(_ parameters: WebSocketCompressionParameters) -> (any WebSocketCompression)?
}

/// What all WebSockets of one loop share: memory in which messages are unmasked, timers, and the list of those that are open.
///
/// Belongs to one thread.
@safe public final class WebSocketResources {
    let host: any WebSocketHost
    let timers = WebSocketTimers()
    /// In no order; a WebSocket knows its place.
    @Unguarded private(set) var open: [WebSocket] = []
    @Unguarded private var buffers: [MessageBuffer] = []
    let nobody = NoWebSocketHandler()

    /// Where a message that has come whole is unmasked, for the time in which its handler looks at it.
    private let scratch: UnsafeMutableRawBufferPointer
    private var isScratchLent = false
    /// Where a small frame is put together, on its way to the transport.
    let outgoing: UnsafeMutableRawBufferPointer

    static let scratchSize = 64 * 1024
    /// The largest frame that is put together before it is given to the transport.
    static let smallFrame = 4096
    /// Buffers up to this size are kept for the next message, and so many of them.
    private static let keptSize = 64 * 1024
    private static let keptBuffers = 16

    public init(host: any WebSocketHost) {
        self.host = host
        unsafe scratch = .allocate(byteCount: Self.scratchSize, alignment: 64)
        unsafe outgoing = .allocate(byteCount: Self.smallFrame + WebSocketSerializer.largestHead, alignment: 64)
    }

    deinit {
        unsafe scratch.deallocate()
        unsafe outgoing.deallocate()
        _open.deallocate()
        _buffers.deallocate()
    }

    /// WebSockets that are open now, or whose stream is.
    public var openCount: Int { open.count }

    /// Closes all that are open; with 1001 when the server stops.
    public func closeAll(_ code: WebSocketCloseCode, reason: String = "") {
        let all = open
        for webSocket in all { webSocket.close(code, reason: reason) }
    }

    /// Does what is due: pings, and the ends of those who answer none. Asked for by ``WebSocketHost/wakeWebSockets(at:)``.
    public func expire(now: UInt64) {
        timers.advance(to: now)
        if let next = timers.nextDeadline { host.wakeWebSockets(at: next) }
    }

    // MARK: For WebSockets

    func add(_ webSocket: WebSocket) {
        webSocket.place = open.count
        open.append(webSocket)
    }

    func remove(_ webSocket: WebSocket) {
        timers.disarm(webSocket)
        if timers.isEmpty { host.wakeWebSockets(at: nil) }
        let last = open.removeLast()
        if last !== webSocket {
            open[webSocket.place] = last
            last.place = webSocket.place
        }
    }

    /// Calls ``WebSocket/deadlinePassed(now:)`` so many nanoseconds from now, or a little later.
    func arm(_ webSocket: WebSocket, after delay: UInt64) {
        let now = host.now
        if timers.arm(webSocket, at: now &+ delay, now: now), let next = timers.nextDeadline {
            host.wakeWebSockets(at: next)
        }
    }

    /// The scratch memory, or nil while someone has it: a handler that looks at a message may make another WebSocket go on.
    func lendScratch(_ count: Int) -> UnsafeMutableRawPointer? {
        guard !isScratchLent, count <= Self.scratchSize else { return nil }
        isScratchLent = true
        return unsafe scratch.baseAddress
    }

    func takeScratchBack() { isScratchLent = false }

    func takeBuffer() -> MessageBuffer { buffers.popLast() ?? MessageBuffer() }

    func giveBack(_ buffer: MessageBuffer) {
        guard buffer.capacity <= Self.keptSize, buffers.count < Self.keptBuffers else { return }
        buffer.removeAll()
        buffers.append(buffer)
    }
}
