/// A namespace on one loop: the sockets that live there, and their rooms.
///
/// ```swift
/// let admins = io.of("/admin")
/// admins.use { socket, next in next(socket.auth["key"] == "…" ? nil : SocketRefusal("not authorized")) }
/// admins.onConnect { socket in socket.emit("welcome") }
/// ```
public final class SocketNamespace {
    public let name: String
    let hub: SocketHub
    var sockets: [LoopID: ServerSocket] = [:]
    private var rooms: [String: [LoopID: ServerSocket]] = [:]
    private var middleware: [Middleware] = []
    private var connectHandlers: [(ServerSocket) -> Void] = []
    private var log: RecoveryLog?
    private var away: AwaySockets?

    /// Decides whether a socket gets in, at once or later: by `next`, with nil or the reason why not.
    public typealias Middleware = (_ socket: ServerSocket, _ next: @escaping (SocketRefusal?) -> Void) -> Void

    init(_ name: String, hub: SocketHub) {
        self.name = name
        self.hub = hub
        if let recovery = hub.options.recovery {
            log = RecoveryLog(recovery)
            away = AwaySockets(recovery)
        }
    }

    // MARK: For its users

    /// Called for each socket that gets in.
    public func onConnect(_ body: @escaping (ServerSocket) -> Void) { connectHandlers.append(body) }

    /// Adds a middleware behind those before.
    public func use(_ middleware: @escaping Middleware) { self.middleware.append(middleware) }

    /// Sockets of all loops that are in one of these rooms.
    public func to(_ rooms: String...) -> SocketTarget { SocketTarget(self, rooms: Set(rooms)) }

    /// All sockets of all loops but those in one of these rooms.
    public func except(_ rooms: String...) -> SocketTarget { SocketTarget(self, excepted: Set(rooms)) }

    /// Sends to all sockets of all loops.
    public func emit(_ event: String, _ arguments: SocketValue...) { target.emit(event, arguments) }

    /// All sockets of all loops.
    public var target: SocketTarget { SocketTarget(self) }

    /// The sockets that live on this loop.
    public var localSockets: [ServerSocket] { Array(sockets.values) }

    /// Those of them that are in a room.
    public func localSockets(in room: String) -> [ServerSocket] { rooms[room].map { Array($0.values) } ?? [] }

    // MARK: Getting in

    /// Asks the middleware, one after the other.
    func pass(_ socket: ServerSocket, _ done: @escaping (SocketRefusal?) -> Void) {
        pass(socket, from: 0, done)
    }

    private func pass(_ socket: ServerSocket, from index: Int, _ done: @escaping (SocketRefusal?) -> Void) {
        guard index < middleware.count else { return done(nil) }
        var isAnswered = false
        middleware[index](socket) { [self] refusal in
            guard !isAnswered else { return }
            isAnswered = true
            hub.run { if let refusal { done(refusal) } else { pass(socket, from: index + 1, done) } }
        }
    }

    func enter(_ socket: ServerSocket, missed: [[EnginePacket]]) {
        sockets[socket.key.id] = socket
        hub.statistics.sockets += 1
        socket.enter(birth: log?.end ?? 0)
        let pid = hub.options.recovery == nil ? nil : socket.pid.description
        socket.deliver(EncodedPacket.connect(name, sid: socket.id, pid: pid).messages)
        for packets in missed { socket.deliver(packets) }
        for handler in connectHandlers { handler(socket) }
    }

    // MARK: Rooms

    func join(_ socket: ServerSocket, _ room: String) { rooms[room, default: [:]][socket.key.id] = socket }

    func leave(_ socket: ServerSocket, _ room: String) {
        rooms[room]?[socket.key.id] = nil
        if rooms[room]?.isEmpty == true { rooms[room] = nil }
    }

    func remove(_ socket: ServerSocket, keeping isKept: Bool) {
        guard sockets.removeValue(forKey: socket.key.id) != nil else { return }
        hub.statistics.sockets -= 1
        for room in socket.rooms { leave(socket, room) }
        guard isKept, away != nil else { return }
        let evicted = away?.insert(socket, now: hub.now) ?? 0
        for _ in 0..<evicted { hub.tripped(.recoverySessions) }
        hub.deadlines.insert(.away(namespace: name), at: (away?.firstDue ?? hub.now))
    }

    // MARK: To many

    /// Tells the loops that may have receivers.
    func broadcast(_ broadcast: Broadcast) {
        hub.run { for loop in loops(of: broadcast.rooms).sorted() { send(broadcast, to: loop) } }
    }

    /// The loops that may have sockets in one of these rooms.
    func loops(of rooms: Set<String>) -> Set<Int> {
        let homes = rooms.map { LoopID($0)?.loop }
        guard !homes.isEmpty, homes.allSatisfy({ ($0 ?? .max) < hub.loops }) else { return Set(0..<hub.loops) }
        // Ids of sockets: they name their loops.
        return Set(homes.compactMap { $0 })
    }

    private func send(_ broadcast: Broadcast, to loop: Int) {
        if loop == hub.loop { apply(broadcast) } else { hub.post(.broadcast(broadcast), to: loop) }
    }

    /// Does it for the sockets of this loop.
    func apply(_ broadcast: Broadcast) {
        let receivers = receivers(of: broadcast)
        switch broadcast.action {
        case .emit(let packets, let isVolatile, let offset):
            if let offset, log != nil {
                let dropped = log?.append(packets, offset, broadcast, now: hub.now) ?? 0
                for _ in 0..<dropped { hub.tripped(.recoveryLog) }
            }
            for socket in receivers { socket.deliver(packets, isVolatile: isVolatile) }
        case .ask(let packets, let request): hub.ask(receivers, packets, request)
        case .join(let names): for socket in receivers { for name in names { socket.join(name) } }
        case .leave(let names): for socket in receivers { for name in names { socket.leave(name) } }
        case .disconnect(let closing): for socket in receivers { socket.disconnect(closing: closing) }
        }
    }

    private func receivers(of broadcast: Broadcast) -> [ServerSocket] {
        var chosen: [ServerSocket]
        switch broadcast.rooms.count {
        case 0: chosen = Array(sockets.values)
        case 1: chosen = broadcast.rooms.first.flatMap { rooms[$0] }.map { Array($0.values) } ?? []
        default:
            var all: [LoopID: ServerSocket] = [:]
            for room in broadcast.rooms { all.merge(rooms[room] ?? [:]) { one, _ in one } }
            chosen = Array(all.values)
        }
        if !broadcast.excepted.isEmpty { chosen.removeAll { !$0.rooms.isDisjoint(with: broadcast.excepted) } }
        return chosen
    }

    // MARK: Recovery

    /// The socket that a client had, and what it missed.
    func recover(_ request: RestoreRequest) -> (ServerSocket, [[EnginePacket]])? {
        log?.expire(now: hub.now)
        guard let state = away?.take(request.pid, now: hub.now),
            let missed = log?.missed(after: request.offset, since: state.birth, rooms: state.rooms)
        else { return nil }
        let socket = ServerSocket(
            id: state.id, pid: request.pid, in: self, session: request.session, auth: request.auth,
            handshake: request.handshake, state: state)
        return (socket, missed)
    }

    func forgetAway() {
        away?.expire(now: hub.now)
        log?.expire(now: hub.now)
    }
}
