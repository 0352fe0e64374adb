/// An open WebSocket (RFC 6455), over any version of HTTP and at either end.
///
/// It belongs to its loop: it is not `Sendable`, and all of it is used on the loop's thread. It may be kept after its end; then
/// it sends nothing. Messages go to a ``WebSocketHandler``, or are asked for by ``messages``.
///
/// ```swift
/// final class Rooms: Handler {
///     func request(_ exchange: Exchange) { exchange.acceptWebSocket(handler: Guest()) }
/// }
/// final class Guest: WebSocketHandler {
///     func opened(_ webSocket: WebSocket) { webSocket.send("welcome") }
///     func message(_ webSocket: WebSocket, _ message: RawSpan, _ kind: WebSocketKind) { webSocket.close() }
/// }
/// ```
@safe public final class WebSocket {
    let resources: WebSocketResources
    var transport: (any WebSocketTransport)?
    var handler: any WebSocketHandler
    let role: WebSocketRole
    var phase = Phase.open
    var flags: Flags = []

    // What it was accepted with.
    /// The subprotocol that was agreed on.
    public let subprotocol: String?
    let deliversPieces: Bool
    let maxMessageSize: Int
    let pingInterval: UInt64
    let pongTimeout: UInt64
    let closeTimeout: UInt64
    let compression: (any WebSocketCompression)?
    let compressionParameters: WebSocketCompressionParameters?
    let compressionThreshold: Int
    /// Has the messages that ``messages`` gives out; nil when they go to a handler.
    let pulled: WebSocketInbox?

    // Receiving.
    @Unguarded var parser: WebSocketParser
    @Unguarded var text = UTF8Validator()
    /// A message that is not whole yet.
    var buffer: MessageBuffer?
    /// A control frame that is not whole yet.
    var control: MessageBuffer?
    /// Bytes of the stream that came while it was paused.
    @Unguarded var unread: [UInt8] = []

    // Sending.
    @Unguarded var serializer: WebSocketSerializer
    /// The answer to the latest ping, which waits for room.
    var pendingPong: [UInt8]?
    var pingNumber: UInt64 = 0
    var pingSent: UInt64 = 0

    // The end.
    /// The code with which it was closed; nil while it is open.
    public internal(set) var closeCode: WebSocketCloseCode?
    /// What the peer said of it.
    public internal(set) var closeReason = ""

    // The list of those that are open, and the timers'.
    var place = 0
    var timerIndex: Int?
    var deadlineTick: UInt64 = 0

    enum Phase {
        case open
        /// Our close frame is sent, the peer's has not come.
        case closing
        /// The handler has been told. Our side of the stream has ended; the peer's has not.
        case ending
        case over
    }

    struct Flags: OptionSet {
        let rawValue: UInt8
        /// The handler takes no messages now.
        static let paused = Flags(rawValue: 1 << 0)
        /// Bytes are being taken.
        static let receiving = Flags(rawValue: 1 << 1)
        /// A send has answered false, and `drained` is owed.
        static let overHighWater = Flags(rawValue: 1 << 2)
        /// The peer has sent something since this was last looked at.
        static let heard = Flags(rawValue: 1 << 3)
        /// A ping that must be answered is on its way.
        static let probing = Flags(rawValue: 1 << 4)
        /// A ping is on its way, whose round trip is measured.
        static let pinging = Flags(rawValue: 1 << 5)
        /// A message is being sent by pieces.
        static let sendingPieces = Flags(rawValue: 1 << 6)
        /// Both sides have said that they close.
        static let clean = Flags(rawValue: 1 << 7)
    }

    /// A WebSocket over a stream whose handshake is done; ``start()`` follows. Servers use
    /// ``Exchange/acceptWebSocket(_:handler:)``.
    ///
    /// - Parameters:
    ///   - transport: the stream. Held until it has ended.
    ///   - options: bounds and times.
    ///   - subprotocol: what the handshake has agreed on.
    ///   - compression: what the handshake has agreed on; nil for none.
    ///   - resources: what the loop's WebSockets share. They hold the WebSocket while its stream is open.
    ///   - handler: gets the messages, or nil for ``messages``.
    public convenience init(
        role: WebSocketRole, transport: any WebSocketTransport, options: WebSocketOptions, subprotocol: String? = nil,
        compression: WebSocketCompressionParameters? = nil, resources: WebSocketResources,
        handler: (any WebSocketHandler)?
    ) {
        self.init(
            role: role, transport: transport, options: options, subprotocol: subprotocol, compression: compression,
            codec: compression.flatMap { resources.host.webSocketCompression($0) }, resources: resources,
            handler: handler)
    }

    init(
        role: WebSocketRole, transport: any WebSocketTransport, options: WebSocketOptions, subprotocol: String?,
        compression: WebSocketCompressionParameters?, codec: (any WebSocketCompression)?,
        resources: WebSocketResources, handler: (any WebSocketHandler)?
    ) {
        self.role = role
        self.transport = transport
        self.resources = resources
        self.subprotocol = subprotocol
        deliversPieces = handler != nil && options.deliversPieces
        maxMessageSize = options.maxMessageSize
        pingInterval = options.pingInterval.map(LimitNanoseconds.nanoseconds) ?? 0
        pongTimeout = LimitNanoseconds.nanoseconds(options.pongTimeout)
        closeTimeout = LimitNanoseconds.nanoseconds(options.closeTimeout)
        self.compression = codec
        compressionParameters = compression
        let compresses = codec != nil && compression?.isOutgoingCompressed == true
        compressionThreshold = compresses ? options.compression?.threshold ?? Int.max : Int.max
        parser = WebSocketParser(
            role: role, allowsCompression: codec != nil, maxMessageSize: options.maxMessageSize,
            maxFragments: options.maxFragments)
        serializer = WebSocketSerializer(role: role)
        let inbox = handler == nil ? WebSocketInbox() : nil
        pulled = inbox
        self.handler = handler ?? inbox ?? resources.nobody
        resources.add(self)
    }

    /// Tells the handler that it is open. Once, when the transport's events are passed on.
    public func start() {
        if pingInterval > 0 { resources.arm(self, after: pingInterval) }
        handler.opened(self)
    }

    deinit {
        _parser.deallocate()
        _text.deallocate()
        _unread.deallocate()
        _serializer.deallocate()
    }

    /// Whether messages can be sent.
    public var isOpen: Bool { if case .open = phase { true } else { false } }
    /// Whether both sides have said that they close.
    public var isClean: Bool { flags.contains(.clean) }
    /// Whether messages may be compressed.
    public var isCompressed: Bool { compression != nil }
    /// The time from the last ``ping()`` that was answered to its answer.
    public internal(set) var roundTripTime: Duration?

    // MARK: Backpressure

    /// Takes no more messages, until ``resume()``. The rest of what the loop has just read is kept, and the peer is let send
    /// no more than the stream's window.
    public func pause() {
        // Past that, only the peer's close is waited for.
        guard isOpen, !flags.contains(.paused) else { return }
        flags.insert(.paused)
        transport?.pauseBody()
    }

    /// Takes messages again: first what was kept, in calls from here.
    public func resume() {
        guard flags.contains(.paused) else { return }
        flags.remove(.paused)
        // From within a message: who gave it goes on by itself.
        guard !flags.contains(.receiving) else {
            transport?.resumeBody()
            return
        }
        takeUnread()
        if !flags.contains(.paused) { transport?.resumeBody() }
    }

    // MARK: From the transport

    /// The peer has sent these bytes, in any cut; read within the call.
    public func receive(_ bytes: RawSpan) { unsafe bytes.withUnsafeBytes { unsafe received($0) } }

    /// There is room again after a `write` had answered false.
    public func transportDrained() {
        flags.remove(.overHighWater)
        sendPendingPong()
        if case .open = phase { handler.drained(self) }
    }

    /// The peer has ended its side.
    public func transportEnded() {
        switch phase {
        case .open, .closing: end(.abnormal, "", wasClean: false)
        case .ending, .over: break
        }
        _ = transport?.finish()
        release()
    }

    /// Both sides have ended. The last call.
    public func transportClosed() {
        switch phase {
        case .open, .closing: end(.abnormal, "", wasClean: false)
        case .ending, .over: break
        }
        release()
    }
}
