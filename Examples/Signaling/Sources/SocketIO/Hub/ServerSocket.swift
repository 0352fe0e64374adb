/// A client in a namespace. It belongs to the loop of its hub.
///
/// ```swift
/// io.onConnect { socket in
///     socket.on("question") { arguments, ack in ack("answer") }
///     socket.emit("hello", "world", timeout: .seconds(5)) { result in }
///     socket.onDisconnect { reason in }
/// }
/// ```
public final class ServerSocket {
    public let namespace: SocketNamespace
    let key: SocketKey
    let pid: LoopID
    /// The session of Engine.IO that carries it.
    let session: LoopID
    private let authText: SocketJSON?
    public let handshake: SocketHandshake
    /// It is one that a client had before, with its rooms and data, and its client gets what it has missed.
    public let isRecovered: Bool
    public private(set) var isConnected = false
    /// What the application keeps with it. It comes back when the socket is recovered.
    public var data: SocketValue
    public private(set) var rooms: Set<String> = []
    private(set) var birth = 0

    private var handlers: [String: [(SocketArguments, SocketAck) -> Void]] = [:]
    private var anyHandlers: [(String, SocketArguments, SocketAck) -> Void] = []
    private var leavingHandlers: [(SocketEnd) -> Void] = []
    private var endHandlers: [(SocketEnd) -> Void] = []
    private var pending: [UInt64: (Result<SocketArguments, SocketAckError>) -> Void] = [:]

    init(
        id: LoopID, pid: LoopID, in namespace: SocketNamespace, session: LoopID, auth: SocketJSON?,
        handshake: SocketHandshake, state: AwaySockets.State? = nil
    ) {
        key = SocketKey(namespace: namespace.name, id: id)
        self.pid = pid
        self.namespace = namespace
        self.session = session
        self.handshake = handshake
        authText = auth
        isRecovered = state != nil
        data = state?.data ?? .null
        birth = state?.birth ?? 0
        rooms = state?.rooms ?? [id.description]
    }

    private var hub: SocketHub { namespace.hub }

    /// Names it to others. Its messages can be sent to it as to a room.
    public var id: String { key.id.description }

    /// What its client has said of itself; null when it said nothing.
    public var auth: SocketValue { authText?.value ?? .null }

    // MARK: Events

    /// Adds a handler of an event.
    public func on(_ event: String, _ handler: @escaping (SocketArguments, SocketAck) -> Void) {
        handlers[event, default: []].append(handler)
    }

    /// Adds a handler of all events; it comes before the others.
    public func onAny(_ handler: @escaping (_ event: String, SocketArguments, SocketAck) -> Void) {
        anyHandlers.append(handler)
    }

    /// Takes away all handlers of an event.
    public func off(_ event: String) { handlers[event] = nil }

    /// Called when it is disconnected, and still in its rooms.
    public func onDisconnecting(_ handler: @escaping (SocketEnd) -> Void) { leavingHandlers.append(handler) }

    /// Called when it is disconnected: the last call.
    public func onDisconnect(_ handler: @escaping (SocketEnd) -> Void) { endHandlers.append(handler) }

    // MARK: Sending

    public func emit(_ event: String, _ arguments: SocketValue...) { emit(event, arguments) }

    /// - Precondition: `event` is no name that Socket.IO keeps for itself, as `connect`.
    public func emit(_ event: String, _ arguments: [SocketValue]) {
        if hub.options.recovery != nil { return own.emit(event, arguments) }
        SocketTarget.check(event)
        hub.run { deliver(EncodedPacket.event(namespace.name, event, arguments).messages) }
    }

    /// Sends an event and waits for its acknowledgement.
    ///
    /// - Parameter acknowledged: called once: with what the client answers, or with why it does not.
    public func emit(
        _ event: String, _ arguments: SocketValue..., timeout: Duration,
        acknowledged: @escaping (Result<SocketArguments, SocketAckError>) -> Void
    ) {
        SocketTarget.check(event)
        hub.run {
            let number = hub.nextAcknowledgement()
            let packet = EncodedPacket.event(namespace.name, event, arguments, id: number)
            ask(number, packet.messages, timeout: timeout, acknowledged)
        }
    }

    /// - Parameter number: the packet's id, which no other packet to it has.
    func ask(
        _ number: UInt64, _ packets: [EnginePacket], timeout: Duration,
        _ acknowledged: @escaping (Result<SocketArguments, SocketAckError>) -> Void
    ) {
        guard isConnected else { return acknowledged(.failure(.disconnected)) }
        guard pending.count < hub.options.maxPendingAcknowledgements else {
            hub.tripped(.acknowledgements)
            return acknowledged(.failure(.tooMany))
        }
        pending[number] = acknowledged
        hub.deadlines.insert(.acknowledgement(key, number), at: hub.now + timeout.wholeNanoseconds)
        deliver(packets)
    }

    /// Itself, by way of its room.
    private var own: SocketTarget { SocketTarget(namespace, rooms: [id]) }

    /// What is sent through it is not kept when it cannot go out at once.
    public var volatile: SocketTarget { own.volatile }

    /// Sockets in one of these rooms, but this one.
    public func to(_ rooms: String...) -> SocketTarget {
        SocketTarget(namespace, rooms: Set(rooms), excepted: [id])
    }

    /// All sockets of the namespace but this one and those in one of these rooms.
    public func except(_ rooms: String...) -> SocketTarget {
        SocketTarget(namespace, excepted: Set(rooms).union([id]))
    }

    /// All sockets of the namespace but this one.
    public var broadcast: SocketTarget { SocketTarget(namespace, excepted: [id]) }

    // MARK: Rooms

    /// Lets it into a room, at once.
    ///
    /// - Returns: false when it is in too many, or the room is another socket's own.
    @discardableResult
    public func join(_ room: String) -> Bool {
        guard isConnected, !rooms.contains(room) else { return isConnected }
        guard rooms.count < hub.options.maxRoomsPerSocket else {
            hub.tripped(.rooms)
            return false
        }
        // What is sent there goes to that socket's loop alone.
        guard LoopID(room) == nil else { return false }
        rooms.insert(room)
        namespace.join(self, room)
        return true
    }

    public func leave(_ room: String) {
        guard room != id, rooms.remove(room) != nil else { return }
        namespace.leave(self, room)
    }

    // MARK: Its end

    /// Takes it out of the namespace.
    ///
    /// - Parameter closing: closes the connection under it as well, with the client's other namespaces.
    public func disconnect(closing: Bool = false) {
        guard isConnected else { return }
        hub.run {
            deliver(EncodedPacket.disconnect(namespace.name).messages)
            end(.serverDisconnect)
            let left = HubMessage.left(session, namespace: namespace.name, closes: closing)
            if session.loop == hub.loop {
                hub.left(session, namespace.name, closes: closing)
            } else {
                hub.post(left, to: session.loop)
            }
        }
    }

    func end(_ reason: SocketEnd) {
        guard isConnected else { return }
        for handler in leavingHandlers { handler(reason) }
        isConnected = false
        namespace.remove(self, keeping: reason.isRecoverable)
        let waiting = pending
        pending = [:]
        for acknowledged in waiting.values { acknowledged(.failure(.disconnected)) }
        let last = endHandlers
        // They may hold the socket itself.
        (handlers, anyHandlers, leavingHandlers, endHandlers) = ([:], [], [], [])
        for handler in last { handler(reason) }
    }

    /// Closes the connection under it, behind what waits, without a word of the end: its client comes back by itself.
    public func closeConnection() {
        guard isConnected else { return }
        hub.run {
            end(.forcedClose)
            let left = HubMessage.left(session, namespace: namespace.name, closes: true)
            if session.loop == hub.loop {
                hub.left(session, namespace.name, closes: true)
            } else {
                hub.post(left, to: session.loop)
            }
        }
    }

    // MARK: Its pace

    /// Bytes that wait for its client, when that is known: a socket that was recovered may have its session on another loop.
    public var waitingBytes: Int { hub.clients[session]?.session.backlog ?? 0 }

    /// Calls it, once, when nothing waits for its client any more; never, when the connection goes before.
    public func whenDrained(_ body: @escaping () -> Void) {
        hub.run { hub.clients[session]?.session.whenDrained(body) }
    }

    // MARK: Inside

    func enter(birth: Int) {
        isConnected = true
        if !isRecovered { self.birth = birth }
        for room in rooms { namespace.join(self, room) }
    }

    func deliver(_ packets: [EnginePacket], isVolatile: Bool = false) {
        guard session.loop == hub.loop else { return hub.post(.deliver(session, packets), to: session.loop) }
        guard let session = hub.clients[session]?.session, !isVolatile || session.isWritable else { return }
        for packet in packets { session.send(packet) }
    }

    func receive(_ content: SocketPacket.Content) {
        guard isConnected else { return }
        switch content {
        case .event(let name, let arguments, let id):
            let ack = SocketAck(self, id)
            for handler in anyHandlers { handler(name, arguments, ack) }
            for handler in handlers[name] ?? [] { handler(arguments, ack) }
        case .acknowledgement(let arguments, let id):
            pending.removeValue(forKey: id)?(.success(arguments))
        case .connect, .disconnect, .connectError: break
        }
    }

    func acknowledge(_ id: UInt64, _ arguments: [SocketValue]) {
        guard isConnected else { return }
        hub.run { deliver(EncodedPacket.acknowledgement(namespace.name, arguments, id: id).messages) }
    }

    func acknowledgementIsDue(_ number: UInt64) { pending.removeValue(forKey: number)?(.failure(.timeout)) }
}

/// Why an event was not acknowledged.
public enum SocketAckError: Error, Sendable, Hashable {
    case timeout
    case disconnected
    /// The socket owes too many already.
    case tooMany
}
