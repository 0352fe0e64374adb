internal import HelioHTTP
internal import HelioReactor
internal import HelioTLS

/// One connection of a client to an origin: what stands between the origin's queue and the session. Loop thread.
final class ClientConnection: ConnectionKeeper, ClientSide, ClientSessionObserver {
    private let origin: OriginPool
    private var connection: Connection?
    private var core: ConnectionCore?
    private(set) var session: (any ClientSession)?
    private var isLeft = false
    /// Its place in the list of its origin's that it stands on; -1: none.
    var slot = -1
    /// Whether it stands on the list of those with room.
    var isListed = false

    init(_ origin: OriginPool) { self.origin = origin }

    var loop: EventLoop { origin.pool.loop }
    var resources: LoopResources { origin.pool.resources }
    var snapshot: LoopSnapshot { origin.pool.snapshot }

    /// Takes a connected socket.
    func open(_ socket: consuming Socket) throws(Errno) {
        let connection = Connection(socket, keeper: self)
        self.connection = connection
        try connection.open { connection in
            let core = ConnectionCore(
                resources: resources, tls: origin.tls, client: self,
                owner: connection, now: loop.now)
            self.core = core
            return core
        }
        resources.counters.open += 1
    }

    // MARK: The session

    var plaintextVersion: HTTPVersion { origin.plaintextVersion }
    var serverName: String { origin.key.host }
    var resumedSession: TLSSession? { origin.resumedSession() }

    func openSession(_ version: HTTPVersion, owner: any HTTPSessionOwner, now: UInt64) -> (any HTTPSession)? {
        guard let made = origin.makeSession(version, owner: owner, observer: self, now: now) else { return nil }
        session = made
        origin.connected(self, version)
        return made
    }

    /// Whether it can carry another protocol; nil while the server has not said so.
    var opensTunnels: Bool? {
        guard let session else { return false }
        return session.opensTunnels
    }

    var freeStreams: Int { session?.freeStreams ?? 0 }

    /// - Returns: false when the session takes none any more.
    func send(_ exchange: ClientExchange) -> Bool { session?.open(exchange) ?? false }

    func sessionChanged() {
        guard let session, !isLeft else { return }
        if session.isExhausted { return leave() }
        if session.freeStreams > 0 { origin.hasRoom(self) }
    }

    func sessionReturns(_ exchange: ClientExchange) -> Bool { origin.takeBack(exchange) }

    /// The session of TLS to resume the next connection by.
    var ticket: TLSSession? { core?.engine?.session }

    // MARK: The end

    /// It takes no more exchanges: others take its place.
    private func leave() {
        guard !isLeft else { return }
        isLeft = true
        origin.left(self)
    }

    func beginShutdown() { connection?.beginShutdown() }
    func beginClose() { connection?.beginClose(.shutdown) }
    func abandon() { connection?.abandon() }

    func admitsHandshake(inTurn: Bool) -> Bool { origin.pool.admitsHandshake(inTurn: inTurn) }
    func admitsClose() -> Bool { origin.pool.admitsClose() }

    func coreClosed() {
        if session != nil {
            leave()
        } else if !isLeft {
            isLeft = true
            origin.failed(self, reason)
        }
        session = nil
    }

    func closed(_ connection: Connection) {
        resources.counters.open -= 1
        core = nil
        self.connection = nil
        origin.gone(self)
    }

    /// Why it has come to no session.
    private var reason: ClientError {
        if case .limit(let name)? = core?.closeReason { return .limit(name) }
        if case .shutdown? = core?.closeReason { return .stopped }
        guard origin.key.isSecure else { return .connectionLost }
        return .unreachable(HandshakeError(origin: origin.key, error: core?.fault))
    }
}

extension ClientExchange {
    /// The connection that carries the exchange; nil while it waits for one, and after its end.
    public var connection: Connection? { (owner as? ConnectionCore)?.owner as? Connection }
}
