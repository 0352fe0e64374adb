internal import CLinux

/// Makes an outbound connection, over TCP or to a Unix socket. With several addresses it races them as RFC 8305 (Happy
/// Eyeballs) has it: IPv6 and IPv4 in turn, the next when the one before has failed or has not connected within the attempt
/// delay; the first that connects wins, and the others are closed.
///
/// ```swift
/// let pending = Connector.connect(host: "example.org", port: 443, on: loop, resolver: resolver) { result in
///     switch consume result {
///     case .success(let socket): session.start(socket)
///     case .failure(let error): log(error)
///     }
/// }
/// ```
///
/// The completion is called once, on the loop, never within the call that starts or cancels. Loop thread.
public final class Connector {
    /// Takes the connected socket, which no loop watches yet.
    public typealias Completion = (consuming Result<Socket, ConnectError>) -> Void

    private let loop: EventLoop
    private let target: String
    fileprivate let options: ConnectOptions
    private var completion: Completion?
    private var waiting: ArraySlice<SocketAddress> = []
    private var running: [ConnectAttempt] = []
    private var failed: [ConnectError.Attempt] = []
    private var deadline: LoopTimer?
    private var nextAttempt: LoopTimer?

    private init(_ target: String, on loop: EventLoop, _ options: ConnectOptions, _ completion: @escaping Completion) {
        self.target = target
        self.loop = loop
        self.options = options
        self.completion = completion
        let deadline = LoopTimer(on: loop) { [self] in fail(.timedOut(options.timeout)) }
        deadline.abandoned = { [self] in fail(.cancelled) }
        deadline.schedule(after: options.timeout)
        self.deadline = deadline
    }

    /// Resolves a host and connects to it. The time to resolve counts against the timeout.
    ///
    /// - Parameter host: a name, or a numeric address.
    @discardableResult
    public static func connect(
        host: String, port: UInt16, on loop: EventLoop, resolver: Resolver, options: ConnectOptions = ConnectOptions(),
        completion: @escaping Completion
    ) -> Connector {
        let target = SocketAddress(host: host, port: port)?.description ?? "\(host):\(port)"
        let connector = Connector(target, on: loop, options, completion)
        resolver.resolve(host: host, port: port, on: loop) { result in
            switch result {
            case .success(let addresses): connector.begin(addresses)
            case .failure(let error): connector.soon { $0.fail(.unresolved(error)) }
            }
        }
        return connector
    }

    /// Connects to the first of the addresses that answers.
    ///
    /// - Parameter target: what they are addresses of, for errors; nil is the addresses themselves.
    @discardableResult
    public static func connect(
        to addresses: [SocketAddress], of target: String? = nil, on loop: EventLoop,
        options: ConnectOptions = ConnectOptions(), completion: @escaping Completion
    ) -> Connector {
        let target = target ?? addresses.map(\.description).joined(separator: ", ")
        let connector = Connector(target, on: loop, options, completion)
        connector.begin(addresses)
        return connector
    }

    /// Gives up. The completion is told ``ConnectError/Reason/cancelled``, unless it has been called already.
    public func cancel() { soon { $0.fail(.cancelled) } }

    // MARK: The race

    private func begin(_ addresses: [SocketAddress]) {
        guard completion != nil else { return }
        waiting = Self.interleaved(addresses)[...]
        soon { $0.startNext() }
    }

    /// RFC 8305 section 4: the families in turn, beginning with IPv6; the order within a family stays.
    static func interleaved(_ addresses: [SocketAddress]) -> [SocketAddress] {
        let first = addresses.filter(\.isIPv6)
        let second = addresses.filter { !$0.isIPv6 }
        var result: [SocketAddress] = []
        for index in 0..<max(first.count, second.count) {
            if index < first.count { result.append(first[index]) }
            if index < second.count { result.append(second[index]) }
        }
        return result
    }

    private func startNext() {
        nextAttempt?.cancel()
        nextAttempt = nil
        while completion != nil, let address = waiting.popFirst() {
            switch ConnectAttempt.start(address, self, loop) {
            case .failure(let error): failed.append(.init(address: address, error: error))
            case .success(let attempt):
                running.append(attempt)
                if attempt.isConnected { return won(attempt) }
                guard !waiting.isEmpty else { return }
                nextAttempt = loop.schedule(after: options.attemptDelay) { [self] in startNext() }
                return
            }
        }
        if running.isEmpty { fail(.failed) }
    }

    fileprivate func won(_ attempt: ConnectAttempt) {
        guard let socket = attempt.takeSocket() else { return }
        guard let completion = end() else { return }
        completion(.success(socket))
    }

    /// RFC 8305 section 5: an attempt that fails does not let the next one wait.
    fileprivate func lost(_ attempt: ConnectAttempt, _ error: Errno) {
        running.removeAll { $0 === attempt }
        failed.append(.init(address: attempt.address, error: error))
        if waiting.isEmpty, running.isEmpty { fail(.failed) } else if !waiting.isEmpty { startNext() }
    }

    private func fail(_ reason: ConnectError.Reason) {
        let attempts = failed
        guard let completion = end() else { return }
        completion(.failure(ConnectError(target: target, reason: reason, attempts: attempts)))
    }

    /// Ends timers and attempts; the completion when it has not been called.
    private func end() -> Completion? {
        deadline?.cancel()
        deadline = nil
        nextAttempt?.cancel()
        nextAttempt = nil
        waiting = []
        failed = []
        for attempt in running { attempt.stop() }
        running = []
        defer { completion = nil }
        return completion
    }

    private func soon(_ body: @escaping (Connector) -> Void) { loop.again(Later(self, body)) }

    private final class Later: EventSource {
        private let connector: Connector
        private let body: (Connector) -> Void
        init(_ connector: Connector, _ body: @escaping (Connector) -> Void) {
            self.connector = connector
            self.body = body
        }
        func resume() { body(connector) }
    }
}

/// How an outbound connection is made.
public struct ConnectOptions: Sendable, Hashable {
    /// Until a connection stands, with the time to resolve its host.
    public var timeout: Duration
    /// How long an address has before the next one is tried too (RFC 8305 section 8: 250 ms, at least 10 ms).
    public var attemptDelay: Duration
    /// For TCP, what the kernel accepts ahead of the network, in bytes (TCP_NOTSENT_LOWAT).
    public var unsent: Int32
    /// Where TCP connections come from; port 0 leaves the port to the kernel. Addresses of another family than this one's fail.
    /// Nil lets the kernel choose.
    public var localAddress: SocketAddress?

    public init(
        timeout: Duration = .seconds(10), attemptDelay: Duration = .milliseconds(250), unsent: Int32 = 128 * 1024,
        localAddress: SocketAddress? = nil
    ) {
        self.timeout = timeout
        self.attemptDelay = max(attemptDelay, .milliseconds(10))
        self.unsent = unsent
        self.localAddress = localAddress
    }
}

/// One address of a race: a socket that is connecting.
private final class ConnectAttempt: EventSource {
    let address: SocketAddress
    private(set) var isConnected = false
    private let race: Connector
    private let loop: EventLoop
    private var socket: Socket?
    private var token: Token?

    private init(_ socket: consuming Socket, _ address: SocketAddress, _ race: Connector, _ loop: EventLoop) {
        self.socket = consume socket
        self.address = address
        self.race = race
        self.loop = loop
    }

    static func start(_ address: SocketAddress, _ race: Connector, _ loop: EventLoop) -> Result<ConnectAttempt, Errno> {
        do throws(Errno) {
            let socket = try Socket(family: address.family)
            if address.port != nil {
                try socket.setTCPOptions(unsent: race.options.unsent)
                if let local = race.options.localAddress { try socket.bind(from: local) }
            }
            let descriptor = socket.descriptor
            let attempt = ConnectAttempt(socket, address, race, loop)
            if unsafe address.withSockaddr({ unsafe helio_connect(descriptor, $0, $1) }) == 0 {
                attempt.isConnected = true
                return .success(attempt)
            }
            // Interrupted, it goes on by itself (connect(2)).
            let error = Errno.last("connect")
            guard error.code == EINPROGRESS || error.code == EINTR else { return .failure(error) }
            attempt.token = try loop.watch(descriptor, .connection, attempt)
            return .success(attempt)
        } catch {
            return .failure(error)
        }
    }

    func ready(_ readiness: Readiness) {
        guard readiness.contains(.output) || !readiness.isDisjoint(with: .lastWords) else { return }
        if let error = outcome() {
            stop()
            race.lost(self, error)
        } else {
            race.won(self)
        }
    }

    private func outcome() -> Errno? {
        guard socket != nil else { return Errno(EBADF, in: "connect") }
        if let error = socket?.pendingError("connect") { return error }
        // A port of the ephemeral range without a listener can be chosen as our own too: then TCP connects to itself.
        if address.isLoopback, address.port != nil, (try? socket?.localAddress()) == (try? socket?.peerAddress()) {
            return Errno(ECONNREFUSED, in: "connect")
        }
        return nil
    }

    /// The socket, no longer watched.
    func takeSocket() -> Socket? {
        forget()
        return socket.take()
    }

    /// Closes it.
    func stop() {
        forget()
        socket = nil
    }

    private func forget() {
        guard let token else { return }
        self.token = nil
        loop.forget(token, descriptor: socket?.descriptor)
    }
}
