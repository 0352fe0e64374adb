/// Sockets of a namespace, on all loops, to which something is done.
///
/// ```swift
/// io.to("news", "sports").except("muted").emit("headline", "…")
/// ```
public struct SocketTarget {
    private let namespace: SocketNamespace
    private var rooms: Set<String>
    private var excepted: Set<String>
    private var isVolatile = false

    init(_ namespace: SocketNamespace, rooms: Set<String> = [], excepted: Set<String> = []) {
        self.namespace = namespace
        self.rooms = rooms
        self.excepted = excepted
    }

    /// And those in these rooms.
    public func to(_ rooms: String...) -> SocketTarget {
        var target = self
        target.rooms.formUnion(rooms)
        return target
    }

    /// But none in these rooms.
    public func except(_ rooms: String...) -> SocketTarget {
        var target = self
        target.excepted.formUnion(rooms)
        return target
    }

    /// What is sent is not kept for those to whom it cannot go out at once. For a socket whose session lives on another
    /// loop than it, which is so after some recoveries, that cannot be told, and it is sent.
    public var volatile: SocketTarget {
        var target = self
        target.isVolatile = true
        return target
    }

    public func emit(_ event: String, _ arguments: SocketValue...) { emit(event, arguments) }

    /// - Precondition: `event` is no name that Socket.IO keeps for itself, as `connect`.
    public func emit(_ event: String, _ arguments: [SocketValue]) {
        Self.check(event)
        let hub = namespace.hub
        let offset = hub.options.recovery == nil || isVolatile ? nil : hub.nextOffset()
        let packet = EncodedPacket.event(namespace.name, event, arguments, offset: offset)
        perform(.emit(packet.sharedMessages, isVolatile: isVolatile, offset: offset))
    }

    public func emit(
        _ event: String, _ arguments: SocketValue..., timeout: Duration,
        gathered: @escaping (Result<SocketAnswers, SocketAckError>) -> Void
    ) {
        emit(event, arguments, timeout: timeout, gathered: gathered)
    }

    /// Sends an event and gathers the acknowledgements of all that it reaches.
    ///
    /// ```swift
    /// io.to("players").emit("ready?", timeout: .seconds(5)) { result in
    ///     if case .success(let answers) = result, answers.isComplete { start() }
    /// }
    /// ```
    ///
    /// - Parameter gathered: called once, on this loop: when all have answered, or are gone, or when the time is over; fails when the loop
    ///   waits for too many such events already.
    /// - Precondition: `event` is no name that Socket.IO keeps for itself, as `connect`.
    public func emit(
        _ event: String, _ arguments: [SocketValue], timeout: Duration,
        gathered: @escaping (Result<SocketAnswers, SocketAckError>) -> Void
    ) {
        Self.check(event)
        let hub = namespace.hub
        hub.run {
            guard hub.gatherings.count < hub.options.maxGatherings else {
                hub.tripped(.gatherings)
                return gathered(.failure(.tooMany))
            }
            let number = hub.nextAcknowledgement()
            let packet = EncodedPacket.event(namespace.name, event, arguments, id: number)
            hub.gather(number, from: namespace.loops(of: rooms), timeout: timeout, gathered)
            perform(
                .ask(packet.sharedMessages, Broadcast.Request(number: number, loop: hub.loop, timeout: timeout)))
        }
    }

    /// Lets them into rooms.
    public func join(_ names: String...) { perform(.join(names)) }

    public func leave(_ names: String...) { perform(.leave(names)) }

    /// See ``ServerSocket/disconnect(closing:)``.
    public func disconnect(closing: Bool = false) { perform(.disconnect(closing: closing)) }

    private func perform(_ action: Broadcast.Action) {
        namespace.broadcast(
            Broadcast(namespace: namespace.name, rooms: rooms, excepted: excepted, action: action))
    }

    static func check(_ event: String) {
        precondition(
            !SocketPacketDecoder.reservedNames.contains(event), "Socket.IO keeps the event '\(event)' for itself")
    }
}
