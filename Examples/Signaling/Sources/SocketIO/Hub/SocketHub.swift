/// What a hub needs of the loop that it runs on.
protocol HubOutlet: AnyObject {
    /// Of the loop's clock, in nanoseconds.
    var now: UInt64 { get }
    /// Sends to another loop; false when its mailbox is full, and the message was not taken.
    func post(_ message: HubMessage, to loop: Int) -> Bool
    // The requests and WebSockets of this loop.
    /// - Returns: false when the request has ended meanwhile.
    func respond(_ key: TransportKey, _ response: EngineResponse) -> Bool
    func accept(_ key: TransportKey)
    func send(_ key: TransportKey, _ packets: [EnginePacket]) -> Bool
    func close(_ key: TransportKey)
    /// To call ``SocketHub/tick()`` then.
    func wake(at deadline: UInt64?)
}

/// Socket.IO on one loop: the `io` of its users. All that it calls runs on this loop, and all is to be called there.
///
/// ```swift
/// let server = SocketIOServer(loops: group.loops) { io in
///     io.onConnect { socket in
///         socket.join("lobby")
///         socket.on("chat") { arguments, ack in
///             socket.to("lobby").emit("chat", arguments.relayed(0))
///             ack("sent")
///         }
///     }
/// }
/// ```
///
/// ## Between loops
///
/// An Engine.IO session lives on the loop that its sid names, and requests reach it there by mailbox, whichever loop has their
/// connection. A socket lives where it first connected; its id and its secret for recovery name that loop, so it is found
/// when its client comes back by another one, and its handlers run on one thread all its life.
///
/// Each loop knows the rooms of its own sockets and no others. To emit to a room is one entry in the mailbox of each loop, with a text
/// that is encoded once; the loops choose the receivers. Joining and leaving are then local and take effect at once, as the
/// users of Socket.IO expect, and two messages of one sender cannot overtake each other on their way to one receiver,
/// as they have the same way. A room with a loop of its own would cost a second hop, and would let a direct message overtake one to the
/// room. What it costs is an entry for loops that have nobody in the room; a message to one socket is spared that, as its
/// id names its loop.
public final class SocketHub {
    public let loop: Int
    let loops: Int
    let options: SocketOptions
    let engineOptions: EngineOptions
    let outlet: any HubOutlet
    var random: any RandomNumberGenerator
    var clients: [LoopID: SocketClient] = [:]
    var namespaces: [String: SocketNamespace] = [:]
    var deadlines = DeadlineHeap<Due>()
    public internal(set) var statistics = SocketStatistics()
    private var lastTransport: UInt64 = 0
    private var lastOffset: UInt64 = 0
    private var lastAcknowledgement: UInt64 = 0
    /// Answers to events that this loop has sent to many.
    var gatherings: [UInt64: AnswerGathering] = [:]
    /// What this hub tells itself.
    private var own: [HubMessage] = []
    private var backlog: [Int: [HubMessage]] = [:]
    private var backlogBytes: [Int: Int] = [:]
    private var dirty: [EngineSession] = []
    private var isRunning = false
    private(set) var isClosed = false

    enum Due {
        case session(LoopID)
        case acknowledgement(SocketKey, UInt64)
        case gathering(UInt64)
        case away(namespace: String)
    }

    /// - Parameter random: must be cryptographically secure: ids come from it.
    init(
        loop: Int, of loops: Int, options: SocketOptions, random: any RandomNumberGenerator, outlet: any HubOutlet
    ) {
        self.loop = loop
        self.loops = loops
        self.options = options
        self.random = random
        self.outlet = outlet
        engineOptions = EngineOptions(options)
    }

    var now: UInt64 { outlet.now }

    // MARK: For its users

    /// A namespace, made when it is first asked for. Clients get into those only that were.
    ///
    /// - Parameter name: as `/chat`; the slash may be left out.
    public func of(_ name: String) -> SocketNamespace {
        let name = name.hasPrefix("/") ? name : "/" + name
        if let namespace = namespaces[name] { return namespace }
        let namespace = SocketNamespace(name, hub: self)
        namespaces[name] = namespace
        return namespace
    }

    /// The main namespace.
    public var main: SocketNamespace { of("/") }

    /// Called for each socket of the main namespace.
    public func onConnect(_ body: @escaping (ServerSocket) -> Void) { main.onConnect(body) }

    /// See ``SocketNamespace/use(_:)``.
    public func use(_ middleware: @escaping SocketNamespace.Middleware) { main.use(middleware) }

    /// Sockets of the main namespace that are in one of these rooms.
    public func to(_ rooms: String...) -> SocketTarget { SocketTarget(main, rooms: Set(rooms)) }

    /// Sends to all sockets of the main namespace.
    public func emit(_ event: String, _ arguments: SocketValue...) { main.target.emit(event, arguments) }

    // MARK: Running

    /// Does `work` and all that it causes on this loop.
    func run(_ work: () -> Void) {
        guard !isRunning else { return work() }
        isRunning = true
        work()
        while !own.isEmpty || !dirty.isEmpty {
            let batch = own
            own = []
            for message in batch { handle(message) }
            let sessions = dirty
            dirty = []
            for session in sessions {
                session.flush()
                schedule(session.id)
            }
        }
        flushBacklog()
        isRunning = false
        outlet.wake(at: deadlines.first)
    }

    /// Another loop has sent this.
    func receive(_ message: HubMessage) { run { handle(message) } }

    func nextTransport() -> TransportKey {
        lastTransport += 1
        return TransportKey(loop: loop, number: lastTransport)
    }

    func nextOffset() -> String {
        lastOffset += 1
        return "\(String(loop, radix: 36)).\(String(lastOffset, radix: 36))"
    }

    /// A number that no other loop gives.
    func nextAcknowledgement() -> UInt64 {
        lastAcknowledgement += 1
        return lastAcknowledgement * UInt64(loops) + UInt64(loop)
    }

    func makeID() -> LoopID { LoopID(loop: loop, random: &random) }

    /// Sends what is to arrive: it waits while the mailbox is full.
    func post(_ message: HubMessage, to loop: Int) {
        guard loop != self.loop else { return own.append(message) }
        if backlog[loop] == nil, outlet.post(message, to: loop) { return }
        guard backlogBytes[loop, default: 0] + message.size <= options.maxBacklogBytes else {
            return tripped(.backlog)
        }
        backlog[loop, default: []].append(message)
        backlogBytes[loop, default: 0] += message.size
    }

    /// Sends what may be refused.
    ///
    /// - Returns: whether it was sent.
    func offer(_ message: HubMessage, to loop: Int) -> Bool {
        if loop == self.loop {
            own.append(message)
            return true
        }
        if backlog[loop] == nil, outlet.post(message, to: loop) { return true }
        tripped(.mailbox)
        return false
    }

    private func flushBacklog() {
        for (loop, messages) in backlog {
            let left = Array(messages.drop { outlet.post($0, to: loop) })
            backlog[loop] = left.isEmpty ? nil : left
            backlogBytes[loop] = left.reduce(0) { $0 + $1.size }
        }
    }

    private func handle(_ message: HubMessage) {
        switch message {
        case .transport(let session, let key, let event): take(session, key, event)
        case .respond(let session, let key, let response): respondHere(session, key, response)
        case .accept(let key): outlet.accept(key)
        case .frames(let key, let packets): sendHere(key, packets)
        case .close(let key): outlet.close(key)
        case .restore(let request): restore(request)
        case .restored(let request, let key): restored(request, key)
        case .packet(let key, let packet): namespaces[key.namespace]?.sockets[key.id]?.receive(packet.content)
        case .sessionEnded(let key, let session, let reason):
            let socket = namespaces[key.namespace]?.sockets[key.id]
            if socket?.session == session { socket?.end(reason) }
        case .deliver(let session, let packets): deliver(packets, to: session)
        case .left(let session, let namespace, let closes): left(session, namespace, closes: closes)
        case .broadcast(let broadcast): namespaces[broadcast.namespace]?.apply(broadcast)
        case .asked(let number, let count, let loop): asked(number, count, on: loop)
        case .answered(let number, let response): answered(number, response)
        }
    }

    // MARK: Time

    /// To be called when `wake` said.
    func tick() {
        run {
            let now = now
            while let due = deadlines.popDue(now: now) {
                switch due {
                case .session(let id): lookAt(id)
                case .acknowledgement(let key, let number):
                    namespaces[key.namespace]?.sockets[key.id]?.acknowledgementIsDue(number)
                case .gathering(let number): finishGathering(number)
                case .away(let namespace): namespaces[namespace]?.forgetAway()
                }
            }
        }
    }

    private func lookAt(_ id: LoopID) {
        guard let client = clients[id] else { return }
        client.scheduled = nil
        if !client.hasConnected, client.connectDue <= now {
            tripped(.connectTimeout)
            client.session.end(.forced, answering: .close)
        }
        client.session.tick(now: now)
        schedule(id)
    }

    func schedule(_ id: LoopID) {
        guard let client = clients[id], let deadline = client.deadline else { return }
        if let scheduled = client.scheduled, scheduled <= deadline { return }
        client.scheduled = deadline
        deadlines.insert(.session(id), at: deadline)
    }

    func tripped(_ limit: SocketLimit) { statistics.limits[limit, default: 0] += 1 }

    func isDirty(_ session: EngineSession) { dirty.append(session) }

    /// Ends all sessions of this loop and takes no more.
    public func close() {
        run {
            isClosed = true
            for namespace in namespaces.values {
                for socket in namespace.sockets.values { socket.end(.shuttingDown) }
            }
            for client in clients.values { client.session.end(.forced, answering: .close) }
        }
    }
}
