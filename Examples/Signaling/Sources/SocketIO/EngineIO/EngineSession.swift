/// What an Engine.IO session needs around it: transports that do as it says, and someone for whom it is.
protocol EngineSessionHost: AnyObject {
    func respond(_ session: LoopID, _ key: TransportKey, _ response: EngineResponse)
    /// Accepts the WebSocket that was asked for.
    func accept(_ key: TransportKey)
    /// Sends on a WebSocket; false when it shall be sent no more until ``EngineSession/drained(_:now:)``.
    func send(_ key: TransportKey, _ packets: [EnginePacket]) -> Bool
    /// Closes a WebSocket, behind what it was sent.
    func close(_ key: TransportKey)
    func received(_ session: EngineSession, _ message: EngineData)
    func ended(_ session: EngineSession, _ reason: EngineEnd)
    /// There is something to flush, by the end of this turn.
    func needsFlush(_ session: EngineSession)
    func tripped(_ limit: SocketLimit)
}

/// Why a session ended.
enum EngineEnd: String, Sendable {
    /// Its client, or the connection under it, has closed the transport.
    case transportClose = "transport close"
    /// A rule of the protocol was broken, a request was cut off, or too much waited.
    case transportError = "transport error"
    case parseError = "parse error"
    case pingTimeout = "ping timeout"
    case forced = "forced close"
}

/// A session of Engine.IO, protocol 4, the server's side, without its input and output:
///
///     polling ──a WebSocket with its sid──▶ probing ──"5"──▶ webSocket
///        ▲──────the WebSocket goes, or upgradeTimeout────┘
///
/// and from each of them, closing (what waits is still sent) and closed. It begins as polling or as webSocket.
final class EngineSession {
    let id: LoopID
    let options: EngineOptions
    private let host: any EngineSessionHost
    private var state = State.open
    /// The GET that waits for packets, and the POST that is being read.
    private var poll: TransportKey?
    private var upload: TransportKey?
    private var webSocket: TransportKey?
    private var probe: Probe?
    /// Packets that no transport has taken.
    private var queue: [EnginePacket] = []
    private var queuedBytes = 0
    private var isCongested = false
    private var isOverflowing = false
    private var isFlushDue = false
    private var pingDue: UInt64?
    private var pongDue: UInt64?
    private var closeDue: UInt64?
    private var lastHeard: UInt64
    /// Who waits until nothing else does.
    private var drainHandlers: [() -> Void] = []

    private enum State {
        case open
        case closing
        case closed
    }

    /// A WebSocket that may become the transport.
    private struct Probe {
        let key: TransportKey
        let due: UInt64
        /// `2probe` was answered: requests of long polling end at once.
        var isAnswered = false
    }

    // MARK: Beginning

    /// - Parameters:
    ///   - key: the request that it began with.
    ///   - isWebSocket: the request is a WebSocket, and was accepted.
    init(
        id: LoopID, by key: TransportKey, isWebSocket: Bool, options: EngineOptions, host: any EngineSessionHost,
        now: UInt64
    ) {
        self.id = id
        self.options = options
        self.host = host
        lastHeard = now
        pingDue = now + options.pingInterval
        if isWebSocket { webSocket = key } else { poll = key }
    }

    /// Says so to its client.
    func open() {
        let upgrades = webSocket == nil && options.allowsUpgrades ? "\"websocket\"" : ""
        let handshake = """
            {"sid":"\(id)","upgrades":[\(upgrades)],"pingInterval":\(options.pingInterval / 1_000_000),\
            "pingTimeout":\(options.pingTimeout / 1_000_000),"maxPayload":\(options.maxPayload)}
            """
        send(EnginePacket(.open, .text(Array(handshake.utf8))))
    }

    // MARK: State

    var isOpen: Bool { state == .open }

    /// Whether what is sent now goes out at once: else a volatile message is not sent.
    var isWritable: Bool { webSocket != nil ? !isCongested && !isOverflowing : poll != nil }

    var isPolling: Bool { webSocket == nil }

    /// Something waits for its client.
    var hasBacklog: Bool { isCongested || !queue.isEmpty }

    /// Bytes that wait; where the WebSocket takes no more, at least one.
    var backlog: Int { max(queuedBytes, isCongested ? 1 : 0) }

    /// Calls it, once, when nothing waits for its client any more.
    func whenDrained(_ body: @escaping () -> Void) {
        drainHandlers.append(body)
        requestFlush()
    }

    /// When ``tick(now:)`` has something to do.
    var deadline: UInt64? {
        guard state != .closed else { return nil }
        return [pingDue, pongDue, closeDue, probe?.due].compactMap { $0 }.min()
    }

    // MARK: Long polling

    /// A GET has come.
    func polled(_ key: TransportKey) {
        guard state != .closed, webSocket == nil else { return host.respond(id, key, .refused(.badRequest)) }
        guard poll == nil else {
            host.respond(id, key, .refused(.badRequest))
            return end(.transportError, answering: .close)
        }
        poll = key
        if probe?.isAnswered == true, queue.isEmpty { endPoll(with: .noop) } else { requestFlush() }
    }

    /// The head of a POST has come; its body follows by ``uploaded(_:_:now:)``, or it ends.
    func uploadBegan(_ key: TransportKey) {
        guard state == .open, webSocket == nil else { return host.respond(id, key, .refused(.badRequest)) }
        guard upload == nil else {
            host.respond(id, key, .refused(.badRequest))
            return end(.transportError, answering: .close)
        }
        upload = key
    }

    func uploaded(_ key: TransportKey, _ body: [UInt8], now: UInt64) {
        guard upload == key else { return }
        upload = nil
        let packets: [EnginePacket]
        do throws(EnginePacketCoder.Fault) {
            packets = try EnginePacketCoder.decode(payload: body, maxPackets: options.maxPacketsPerPayload)
        } catch {
            if error == .tooManyPackets { host.tripped(.packetsPerPayload) }
            host.respond(id, key, .refused(.badRequest))
            return end(.parseError, answering: .close)
        }
        host.respond(id, key, .ok)
        for packet in packets { take(packet, now: now) }
    }

    // MARK: WebSocket

    /// A WebSocket wants to take the place of long polling.
    func webSocketAsked(_ key: TransportKey, now: UInt64) {
        guard state == .open, webSocket == nil, probe == nil, options.allowsUpgrades else {
            return host.respond(id, key, .refused(.badRequest))
        }
        probe = Probe(key: key, due: now + options.upgradeTimeout)
        host.accept(key)
    }

    /// A message of a WebSocket.
    func framed(_ key: TransportKey, _ data: EngineData, now: UInt64) {
        let packet: EnginePacket?
        switch data {
        case .text(let bytes): packet = try? EnginePacketCoder.decode(text: bytes)
        case .binary, .shared: packet = EnginePacket(.message, data)
        }
        if key == webSocket {
            guard let packet else { return end(.parseError, answering: .close) }
            take(packet, now: now)
        } else if key == probe?.key {
            probed(packet)
        }
    }

    private func probed(_ packet: EnginePacket?) {
        guard let probe else { return }
        if packet == EnginePacket(.ping, .text(Self.probeText)) {
            _ = host.send(probe.key, [EnginePacket(.pong, .text(Self.probeText))])
            self.probe?.isAnswered = true
            if queue.isEmpty, poll != nil { endPoll(with: .noop) }
        } else if packet?.type == .upgrade {
            self.probe = nil
            if poll != nil { endPoll(with: .noop) }
            webSocket = probe.key
            if state == .closing { return finishClosing() }
            requestFlush()
        } else {
            self.probe = nil
            host.close(probe.key)
        }
    }

    private static let probeText = Array("probe".utf8)

    /// The WebSocket takes no more for now.
    func congested(_ key: TransportKey) { if key == webSocket { isCongested = true } }

    func drained(_ key: TransportKey) {
        guard key == webSocket else { return }
        isCongested = false
        requestFlush()
    }

    // MARK: Ends of transports

    /// A request or a WebSocket has ended before it was answered, or as it was: an answer that did not arrive is lost with what
    /// it held.
    func transportEnded(_ key: TransportKey, isLost: Bool) {
        switch key {
        case webSocket:
            webSocket = nil
            end(.transportClose, answering: .close)
        case probe?.key: probe = nil
        case poll:
            poll = nil
            end(.transportClose, answering: .close)
        case upload:
            upload = nil
            end(.transportError, answering: .close)
        default: if isLost { end(.transportError, answering: .close) }
        }
    }

    // MARK: What its client says

    private func take(_ packet: EnginePacket, now: UInt64) {
        guard state == .open else { return }
        lastHeard = now
        switch packet.type {
        case .message: host.received(self, packet.data)
        case .pong:
            pongDue = nil
            pingDue = now + options.pingInterval
        // In protocol 4 the server asks, and the client answers.
        case .ping: end(.transportError, answering: .close)
        case .close: end(.transportClose, answering: .noop)
        case .open, .upgrade, .noop: break
        }
    }

    // MARK: Sending

    func send(_ packet: EnginePacket) {
        guard state == .open else { return }
        queue.append(packet)
        queuedBytes += packet.size
        // It ends with the turn: whoever sends is not to be told of the end while he does.
        if queuedBytes > options.maxBufferedBytes { isOverflowing = true }
        requestFlush()
    }

    private func requestFlush() {
        guard !isFlushDue else { return }
        isFlushDue = true
        host.needsFlush(self)
    }

    func flush() {
        isFlushDue = false
        guard state != .closed else { return }
        if let webSocket {
            if !isCongested, !queue.isEmpty { isCongested = !host.send(webSocket, takeQueue()) }
        } else if let poll, !queue.isEmpty {
            self.poll = nil
            host.respond(id, poll, .packets(takeQueue(options.maxPacketsPerResponse)))
        }
        if isOverflowing, queuedBytes > options.maxBufferedBytes {
            host.tripped(.bufferedBytes)
            queue = []
            return end(.transportError, answering: .close)
        }
        isOverflowing = false
        if state == .closing { return finishClosing() }
        guard !hasBacklog else { return }
        let waiting = drainHandlers
        drainHandlers = []
        for handler in waiting { handler() }
    }

    private func takeQueue(_ count: Int = .max) -> [EnginePacket] {
        guard queue.count > count else {
            defer { (queue, queuedBytes) = ([], 0) }
            return queue
        }
        let packets = Array(queue.prefix(count))
        queue.removeFirst(count)
        queuedBytes -= packets.reduce(0) { $0 + $1.size }
        return packets
    }

    private func endPoll(with type: EnginePacket.Kind) {
        guard let poll else { return }
        self.poll = nil
        host.respond(id, poll, .packets([EnginePacket(type)]))
    }

    // MARK: Ending

    /// Ends it when what waits is sent.
    func close(now: UInt64) {
        guard state == .open else { return }
        state = .closing
        closeDue = now + options.closeTimeout
        pingDue = nil
        requestFlush()
    }

    private func finishClosing() {
        if let webSocket {
            // Its transport keeps what it cannot send now, and closes behind it.
            if !queue.isEmpty { _ = host.send(webSocket, takeQueue()) }
            end(.forced, answering: .close)
        } else if poll != nil {
            end(.forced, answering: .close)
        }
    }

    /// Ends it now.
    func end(_ reason: EngineEnd, answering type: EnginePacket.Kind) {
        guard state != .closed else { return }
        state = .closed
        if let poll {
            self.poll = nil
            host.respond(id, poll, .packets(takeQueue(options.maxPacketsPerResponse - 1) + [EnginePacket(type)]))
        }
        if let webSocket { host.close(webSocket) }
        if let probe { host.close(probe.key) }
        queue = []
        drainHandlers = []
        host.ended(self, reason)
    }

    // MARK: Time

    func tick(now: UInt64) {
        guard state != .closed else { return }
        if let due = closeDue, due <= now { return end(.forced, answering: .close) }
        if let due = probe?.due, due <= now, let key = probe?.key {
            probe = nil
            host.close(key)
        }
        if let due = pongDue, due <= now {
            // Whatever comes from a client shows that it lives; its pong may stand behind much else.
            guard lastHeard + options.pingTimeout > now else { return end(.pingTimeout, answering: .close) }
            pongDue = lastHeard + options.pingTimeout
        }
        if let due = pingDue, due <= now {
            pingDue = nil
            pongDue = now + options.pingTimeout
            send(EnginePacket(.ping))
        }
    }
}
