internal import HelioHTTP
internal import HelioReactor
internal import HelioTLS

/// The connections of a loop to one origin, and the exchanges that wait for one. Loop thread.
final class OriginPool: EventSource {
    let key: Origin
    let pool: ClientPool
    private let isHTTP1Only: Bool
    private var connections = ConnectionList()
    /// Connections that may have room; the last is asked first, so that those of a quiet time can become idle.
    private var ready: ContiguousArray<ClientConnection> = []
    private var waiting = RequestQueue()
    /// Connections under way, without a session yet.
    private var connecting = 0
    /// Those that have no session yet, or take no more exchanges.
    private var others = ConnectionList()
    private var connectors: [ObjectIdentifier: Connector] = [:]
    private var version: HTTPVersion?
    private var ticket: TLSSession?
    private var timer: LoopTimer?
    private var timerDeadline = UInt64.max
    private var isPumping = false
    private var isPumpDue = false

    /// - Parameter isHTTP1Only: HTTP/2 is not even offered.
    init(_ key: Origin, _ pool: ClientPool, isHTTP1Only: Bool = false) {
        self.key = key
        self.pool = pool
        self.isHTTP1Only = isHTTP1Only
    }

    /// What is spoken on plaintext.
    var plaintextVersion: HTTPVersion { isHTTP1Only ? .http11 : pool.configuration.plaintextVersion }
    /// The context of TLS; nil for plaintext.
    var tls: TLSContext? { key.isSecure ? (isHTTP1Only ? pool.tlsHTTP1 : pool.tls) : nil }

    private var limits: ClientLimits { pool.http.limits }

    /// Whether there is nothing that would be missed.
    var isIdle: Bool { connections.isEmpty && others.isEmpty && connecting == 0 && waiting.isEmpty }

    // MARK: Exchanges

    /// Whether another request may wait here.
    func hasRoomToWait() -> Bool {
        if waiting.count >= limits.maxQueuedRequests { _ = waiting.remove { $0.isClosed } }
        return waiting.count < limits.maxQueuedRequests
    }

    /// Sends the exchange, or has it wait for a connection.
    func submit(_ exchange: ClientExchange) {
        if waiting.isEmpty, !exchange.asksForProtocol, let connection = connectionWithRoom(),
            connection.send(exchange)
        {
            return
        }
        enqueue(exchange)
        waiting.append(exchange)
        pump()
    }

    /// An exchange comes back from a connection.
    ///
    /// - Returns: false when it is not sent again, as the client stops.
    func takeBack(_ exchange: ClientExchange) -> Bool {
        guard !pool.isStopping else { return false }
        enqueue(exchange)
        waiting.putBack(exchange)
        pumpSoon()
        return true
    }

    private func enqueue(_ exchange: ClientExchange) {
        let deadline = exchange.queueDeadline(now: pool.loop.now, timeout: pool.queueTimeout)
        if deadline < timerDeadline { arm(at: deadline) }
    }

    /// Gives those that wait to connections with room, and makes connections for the rest.
    private func pump() {
        // What a session refuses may come back within the call.
        guard !isPumping else { return }
        isPumping = true
        defer { isPumping = false }
        var undecided: [ClientExchange] = []
        var elsewhere: [ClientExchange] = []
        while !waiting.isEmpty, let connection = connectionWithRoom() {
            guard let exchange = waiting.popFirst() else { break }
            if exchange.asksForProtocol, !isHTTP1Only {
                switch connection.opensTunnels {
                case true: break
                case false:
                    // A connection that speaks HTTP/1.1 alone carries it by Upgrade.
                    elsewhere.append(exchange)
                    continue
                case nil:
                    undecided.append(exchange)
                    continue
                }
            }
            if !connection.send(exchange) { waiting.putBack(exchange) }
        }
        for exchange in undecided.reversed() { waiting.putBack(exchange) }
        for exchange in elsewhere { pool.originOfHTTP1(key).submit(exchange) }
        while waiting.count > connecting * streamsExpected, connections.count + connecting < maxConnections {
            connect()
        }
    }

    private var maxConnections: Int { max(1, limits.maxConnectionsPerOrigin) }

    /// How many exchanges a connection that is under way will most likely take.
    private var streamsExpected: Int {
        let version = version ?? (key.isSecure && !isHTTP1Only ? nil : plaintextVersion)
        return version == .http11 || isHTTP1Only ? 1 : max(1, limits.maxConcurrentStreams)
    }

    private func connectionWithRoom() -> ClientConnection? {
        while let connection = ready.last {
            if connection.freeStreams > 0 { return connection }
            connection.isListed = false
            ready.removeLast()
        }
        return nil
    }

    // MARK: Connecting

    private func connect() {
        connecting += 1
        let token = ConnectToken()
        let finish: Connector.Completion = { [self] result in
            connectors[ObjectIdentifier(token)] = nil
            switch consume result {
            case .success(let socket): open(socket)
            case .failure(let error): connectingFailed(.unreachable(error))
            }
        }
        let connector: Connector
        let options = pool.connectOptions()
        if let path = pool.configuration.unixSocket {
            let addresses = SocketAddress(unixPath: path).map { [$0] } ?? []
            connector = Connector.connect(
                to: addresses, of: "unix:\(path)", on: pool.loop, options: options, completion: finish)
        } else {
            connector = Connector.connect(
                host: key.host, port: key.port, on: pool.loop, resolver: pool.resolver, options: options,
                completion: finish)
        }
        connectors[ObjectIdentifier(token)] = connector
    }

    private final class ConnectToken {}

    private func open(_ socket: consuming Socket) {
        guard !pool.isStopping else { return connectingFailed(.stopped) }
        let connection = ClientConnection(self)
        do {
            others.add(connection)
            try connection.open(socket)
        } catch {
            others.remove(connection)
            connectingFailed(.unreachable(error))
        }
    }

    private func connectingFailed(_ error: ClientError) {
        connecting -= 1
        if connections.isEmpty, connecting == 0 { failWaiting(error) }
        pool.connectingEnded()
    }

    /// Lets go of what holds it. The last call, when it is idle.
    func end() {
        timer?.cancel()
        timer = nil
        ready.removeAll()
        connectors.removeAll()
        ticket = nil
    }

    private func failWaiting(_ error: ClientError) {
        for exchange in waiting.remove(where: { _ in true }) { exchange.fail(error) }
    }

    // MARK: From connections

    /// The latest session of TLS, to resume the next one by.
    func resumedSession() -> TLSSession? {
        ticket = connections.last?.ticket ?? ticket
        return ticket
    }

    func makeSession(
        _ version: HTTPVersion, owner: any HTTPSessionOwner, observer: any ClientSessionObserver, now: UInt64
    ) -> (any ClientSession)? {
        guard version == .http2 else {
            guard !key.isSecure || pool.configuration.versions.contains(.http1) else { return nil }
            return HTTP1ClientSession(resources: pool.http, owner: owner, observer: observer, now: now)
        }
        guard !isHTTP1Only else { return nil }
        var options = ClientSessionOptions()
        options.acceptsPush = pool.configuration.acceptsPush
        return HTTP2ClientSession(
            resources: pool.http2, owner: owner, observer: observer, options: options, now: now)
    }

    /// The connection has its session.
    func connected(_ connection: ClientConnection, _ version: HTTPVersion) {
        connecting -= 1
        self.version = version
        others.remove(connection)
        connections.add(connection)
        list(connection)
        pumpSoon()
    }

    func hasRoom(_ connection: ClientConnection) {
        list(connection)
        if !waiting.isEmpty { pump() }
    }

    private func list(_ connection: ClientConnection) {
        guard !connection.isListed else { return }
        connection.isListed = true
        ready.append(connection)
    }

    /// The connection takes no more exchanges. It may have open ones.
    func left(_ connection: ClientConnection) {
        ticket = connection.ticket ?? ticket
        connections.remove(connection)
        others.add(connection)
        pumpSoon()
    }

    /// The connection ended before it had a session.
    func failed(_ connection: ClientConnection, _ error: ClientError) { connectingFailed(error) }

    /// The connection is closed.
    func gone(_ connection: ClientConnection) {
        others.remove(connection)
        pool.connectionEnded(self)
    }

    /// At the end of this iteration: a session that has just opened is not in its place yet.
    private func pumpSoon() {
        guard !isPumpDue else { return }
        isPumpDue = true
        pool.loop.atEndOfIteration(self)
    }

    func iterationEnds() {
        isPumpDue = false
        pump()
    }

    // MARK: Time

    private func arm(at deadline: UInt64) {
        timerDeadline = deadline
        let timer = timer ?? LoopTimer(on: pool.loop) { [self] in timerFired() }
        self.timer = timer
        timer.schedule(at: deadline)
    }

    private func timerFired() {
        timerDeadline = UInt64.max
        let now = pool.loop.now
        let expired = waiting.remove { $0.isClosed || $0.expiredInQueue(now: now) != nil }
        let next = waiting.nextDeadline
        if next < UInt64.max { arm(at: max(next, now &+ 1_000_000)) }
        for exchange in expired {
            guard let limit = exchange.expiredInQueue(now: now), !exchange.isClosed else { continue }
            pool.http.trip(limit)
            exchange.fail(.limit(limit))
        }
    }

    // MARK: The end

    /// Takes nothing more, and lets open exchanges finish.
    func beginShutdown() {
        for connector in connectors.values { connector.cancel() }
        failWaiting(.stopped)
        for connection in connections.all + others.all { connection.beginShutdown() }
    }

    func beginClose() {
        for connection in connections.all + others.all { connection.beginClose() }
    }

    func abandon() {
        failWaiting(.stopped)
        for connection in connections.all + others.all { connection.abandon() }
        timer?.cancel()
        timer = nil
    }
}

/// Connections, each of which knows its place.
struct ConnectionList {
    private(set) var all: ContiguousArray<ClientConnection> = []

    var isEmpty: Bool { all.isEmpty }
    var count: Int { all.count }
    var last: ClientConnection? { all.last }

    mutating func add(_ connection: ClientConnection) {
        connection.slot = all.count
        all.append(connection)
    }

    /// - Precondition: it stands on this list.
    mutating func remove(_ connection: ClientConnection) {
        let slot = connection.slot
        precondition(all[slot] === connection)
        connection.slot = -1
        let last = all.removeLast()
        guard slot < all.count else { return }
        all[slot] = last
        last.slot = slot
    }
}
