// How clients get into namespaces, and back.
extension SocketHub {
    func connect(_ client: SocketClient, _ name: String, _ auth: SocketJSON?) {
        let session = client.session
        guard namespaces[name] != nil else {
            return refuse(session.id, name, SocketRefusal("Invalid namespace"))
        }
        guard client.places.count < options.maxSocketsPerSession else {
            tripped(.sockets)
            return refuse(session.id, name, SocketRefusal("Too many namespaces"))
        }
        client.places[name] = .connecting
        let object = options.recovery == nil ? .null : auth?.value ?? .null
        guard let pid = object["pid"].string.flatMap({ LoopID($0) }), pid.loop < loops else {
            return connectAnew(session.id, name, auth, client.handshake)
        }
        let request = RestoreRequest(
            namespace: name, session: session.id, pid: pid, offset: object["offset"].string, auth: auth,
            handshake: client.handshake)
        post(.restore(request), to: pid.loop)
    }

    private func connectAnew(
        _ session: LoopID, _ name: String, _ auth: SocketJSON?, _ handshake: SocketHandshake
    ) {
        guard let namespace = namespaces[name] else { return }
        let socket = ServerSocket(
            id: makeID(), pid: makeID(), in: namespace, session: session, auth: auth, handshake: handshake)
        namespace.pass(socket) { [self] refusal in
            guard let client = clients[session], case .connecting? = client.places[name] else { return }
            if let refusal {
                client.places[name] = nil
                return refuse(session, name, refusal)
            }
            client.places[name] = .connected(socket.key)
            client.hasConnected = true
            namespace.enter(socket, missed: [])
        }
    }

    private func refuse(_ session: LoopID, _ name: String, _ refusal: SocketRefusal) {
        deliver(EncodedPacket.connectError(name, message: refusal.message, data: refusal.data).messages, to: session)
    }

    // MARK: Recovery

    /// On the loop of the socket.
    func restore(_ request: RestoreRequest) {
        guard let namespace = namespaces[request.namespace], let recovery = options.recovery else {
            return post(.restored(request, nil), to: request.session.loop)
        }
        // Its client is back before we knew that it was away.
        if let old = namespace.sockets.values.first(where: { $0.pid == request.pid }) {
            let session = old.session
            old.end(.transportClose)
            post(.left(session, namespace: request.namespace, closes: true), to: session.loop)
        }
        guard let (socket, missed) = namespace.recover(request) else {
            return post(.restored(request, nil), to: request.session.loop)
        }
        let enter = { [self] in
            statistics.recoveries += 1
            post(.restored(request, socket.key), to: request.session.loop)
            namespace.enter(socket, missed: missed)
        }
        if recovery.skipsMiddleware { return enter() }
        namespace.pass(socket) { [self] refusal in
            if refusal == nil { enter() } else { post(.restored(request, nil), to: request.session.loop) }
        }
    }

    /// On the loop of the session.
    func restored(_ request: RestoreRequest, _ key: SocketKey?) {
        guard let client = clients[request.session], case .connecting? = client.places[request.namespace] else {
            // The client is gone again.
            if let key { tell(key, ended: request.session, .transportClose) }
            return
        }
        guard let key else {
            return connectAnew(request.session, request.namespace, request.auth, request.handshake)
        }
        client.places[request.namespace] = .connected(key)
        client.hasConnected = true
    }

    /// The server has ended a socket.
    func left(_ session: LoopID, _ namespace: String, closes: Bool) {
        guard let client = clients[session] else { return }
        client.places[namespace] = nil
        if closes { client.session.close(now: now) }
    }
}

/// Why a client does not get into a namespace: the error that its `connect_error` gets.
public struct SocketRefusal: Error, Sendable, Hashable {
    public var message: String
    /// More about it, for the client.
    public var data: SocketValue?

    public init(_ message: String, data: SocketValue? = nil) {
        self.message = message
        self.data = data
    }
}
