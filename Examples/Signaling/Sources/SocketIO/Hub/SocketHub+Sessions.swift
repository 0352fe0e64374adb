// The sessions of Engine.IO that live on this loop, and the requests of its connections.
extension SocketHub: EngineSessionHost {
    /// Begins a session, by a request that waits for an answer or a WebSocket that was accepted.
    ///
    /// - Returns: its name; nil when there is no place for it, and a request was answered so.
    func open(_ key: TransportKey, isWebSocket: Bool, _ handshake: SocketHandshake) -> LoopID? {
        var id: LoopID?
        run {
            guard !isClosed, clients.count < options.maxSessionsPerLoop else {
                tripped(.sessions)
                if !isWebSocket { _ = outlet.respond(key, .refused(.busy)) }
                return
            }
            let name = makeID()
            let session = EngineSession(
                id: name, by: key, isWebSocket: isWebSocket, options: engineOptions, host: self, now: now)
            clients[name] = SocketClient(session, handshake, options, now: now)
            statistics.sessions += 1
            session.open()
            schedule(name)
            id = name
        }
        return id
    }

    /// Something has happened to a request or a WebSocket of this loop.
    ///
    /// - Returns: false when it could not be told to its session.
    func forward(_ session: LoopID, _ key: TransportKey, _ event: TransportEvent) -> Bool {
        var isSent = true
        run {
            if session.loop == loop { return take(session, key, event) }
            let message = HubMessage.transport(session, key, event)
            switch event {
            // What only frees something must arrive.
            case .ended, .congested, .drained: post(message, to: session.loop)
            default: isSent = offer(message, to: session.loop)
            }
        }
        return isSent
    }

    func take(_ id: LoopID, _ key: TransportKey, _ event: TransportEvent) {
        guard let session = clients[id]?.session else {
            switch event {
            case .polled, .uploadBegan, .webSocketAsked, .uploaded: respond(id, key, .refused(.unknownSession))
            default: break
            }
            return
        }
        switch event {
        case .polled: session.polled(key)
        case .uploadBegan: session.uploadBegan(key)
        case .uploaded(let body): session.uploaded(key, body, now: now)
        case .webSocketAsked: session.webSocketAsked(key, now: now)
        case .framed(let data): session.framed(key, data, now: now)
        case .ended(let isLost): session.transportEnded(key, isLost: isLost)
        case .congested: session.congested(key)
        case .drained: session.drained(key)
        }
        schedule(id)
    }

    // MARK: What sessions want

    func respond(_ session: LoopID, _ key: TransportKey, _ response: EngineResponse) {
        guard key.loop == loop else { return post(.respond(session, key, response), to: key.loop) }
        respondHere(session, key, response)
    }

    func respondHere(_ session: LoopID, _ key: TransportKey, _ response: EngineResponse) {
        guard !outlet.respond(key, response), case .packets = response else { return }
        post(.transport(session, key, .ended(isLost: true)), to: session.loop)
    }

    func accept(_ key: TransportKey) {
        if key.loop == loop { outlet.accept(key) } else { post(.accept(key), to: key.loop) }
    }

    func send(_ key: TransportKey, _ packets: [EnginePacket]) -> Bool {
        statistics.packetsOut += packets.count
        if key.loop == loop { return outlet.send(key, packets) }
        post(.frames(key, packets), to: key.loop)
        return true
    }

    /// Another loop's session sends on a WebSocket of this one.
    func sendHere(_ key: TransportKey, _ packets: [EnginePacket]) { _ = outlet.send(key, packets) }

    func close(_ key: TransportKey) {
        if key.loop == loop { outlet.close(key) } else { post(.close(key), to: key.loop) }
    }

    func needsFlush(_ session: EngineSession) { isDirty(session) }

    func ended(_ session: EngineSession, _ reason: EngineEnd) {
        guard let client = clients.removeValue(forKey: session.id) else { return }
        statistics.sessions -= 1
        for place in client.places.values {
            guard case .connected(let key) = place else { continue }
            tell(key, ended: session.id, SocketEnd(reason))
        }
    }

    func tell(_ key: SocketKey, ended session: LoopID, _ reason: SocketEnd) {
        if key.id.loop == loop {
            namespaces[key.namespace]?.sockets[key.id]?.end(reason)
        } else {
            post(.sessionEnded(key, session: session, reason), to: key.id.loop)
        }
    }

    // MARK: What clients say

    func received(_ session: EngineSession, _ message: EngineData) {
        guard let client = clients[session.id] else { return }
        let packet: SocketPacket?
        do throws(SocketPacketDecoder.Fault) {
            switch message {
            case .text(let text): packet = try client.decoder.decode(text)
            case .binary(let data): packet = try client.decoder.decode(attachment: data)
            case .shared: return
            }
        } catch {
            if let limit = error.limit { tripped(limit) }
            return session.end(.parseError, answering: .close)
        }
        guard let packet else { return }
        statistics.packetsIn += 1
        take(packet, of: client)
    }

    private func take(_ packet: SocketPacket, of client: SocketClient) {
        let place = client.places[packet.namespace]
        switch packet.content {
        case .connect(let auth):
            guard place == nil else { return client.session.end(.parseError, answering: .close) }
            connect(client, packet.namespace, auth)
        case .connectError: client.session.end(.parseError, answering: .close)
        case .disconnect:
            guard case .connected(let key)? = place else { return stray(client) }
            client.places[packet.namespace] = nil
            tell(key, ended: client.session.id, .clientDisconnect)
        case .event, .acknowledgement:
            guard case .connected(let key)? = place else { return stray(client) }
            if key.id.loop == loop {
                namespaces[key.namespace]?.sockets[key.id]?.receive(packet.content)
            } else if !offer(.packet(key, packet), to: key.id.loop) {
                client.session.end(.transportError, answering: .close)
            }
        }
    }

    /// A packet for a namespace that the client is not in: it may have been on its way when the server ended that.
    private func stray(_ client: SocketClient) {
        guard !client.hasConnected else { return }
        client.session.end(.parseError, answering: .close)
    }

    func deliver(_ packets: [EnginePacket], to session: LoopID) {
        guard let session = clients[session]?.session else { return }
        for packet in packets { session.send(packet) }
    }
}

extension SocketPacketDecoder.Fault {
    var limit: SocketLimit? {
        switch self {
        case .tooManyAttachments: .attachments
        case .tooLarge: .packetSize
        case .json(.depth): .depth
        case .json(.size): .values
        default: nil
        }
    }
}
