// On the loop of a session: what it sends, and what is sent to it.
extension SignalingNode {
    /// - Parameter frame: of a duplex stream, if it came by one.
    func read(_ body: [UInt8], of session: Session, _ request: RequestKey, frame: FrameMark?) {
        record(.request(size: UInt32(clamping: body.count)), of: session)
        let messages: [ReceivedMessage]
        do throws(MessageReader.Refusal) {
            messages = try MessageReader(
                sender: session.asSender, loops: loops, limits: limits, pinned: session.fingerprints
            ).read(body)
        } catch {
            let (problem, detail): (Problem, String) =
                switch error {
                case .badJSON(let detail): (.badJSON, detail)
                case .tooLarge(let detail): (.tooLarge, detail)
                }
            if case .tooLarge = error { statistics.trip(body.count > limits.messageSize ? .messageSize : .batch) }
            if let frame {
                let error = (code: problem.rawValue, detail: detail)
                let answer = frame.tag == nil ? ServerEvent.answer(error, to: nil) : Reply.failure(error)
                post(.answers(request, answer, to: frame), to: request.loop)
            } else {
                post(.reply(request, problem.reply(detail)), to: request.loop)
            }
            return
        }
        let request = PendingRequest(origin: request, frame: frame, messages: messages)
        guard !messages.isEmpty else { return answer(request) }
        let pending = session.await(request)
        for (index, message) in messages.enumerated() {
            take(message, of: session, Waiter(request: pending, index: index))
        }
    }

    private func take(_ message: ReceivedMessage, of session: Session, _ waiter: Waiter) {
        let type = message.type
        switch message.content {
        case .failure(let error): settle(session, waiter, error)
        case .success(let message):
            guard session.farewell == nil else {
                return settle(session, waiter, MessageError(.badMessage, "it comes after bye"))
            }
            if let id = message.id {
                if session.recent.contains(id) { return settle(session, waiter, nil) }
                if session.outgoing.join(id, waiter) { return }
            }
            if let refusal = refusal(of: message.kind, type, from: session) {
                return settle(session, waiter, refusal)
            }
            perform(message, of: session, waiter)
        }
    }

    private func perform(_ message: ClientMessage, of session: Session, _ waiter: Waiter) {
        switch message.kind {
        case .refresh(let token): verify(token, of: session, waiter)
        case .ping where session.requests[waiter.request]?.frame != nil: settle(session, waiter, nil)
        case .ping: settle(session, waiter, give(session, ServerEvent.pong(message.id)) ? nil : Self.queueFull)
        case .ack(let seq):
            let isKnown = session.log.acknowledge(seq)
            report(session)
            settle(session, waiter, isKnown ? nil : MessageError(.badMessage, "seq is higher than any that was sent"))
        case .join(let room, let meta, _, _), .presence(let room, let meta):
            begin(message, room, size: meta.count, of: session, waiter)
        case .moderate(let room, _): begin(message, room, size: limits.passwordSize, of: session, waiter)
        case .leave(let room): begin(message, room, size: 0, of: session, waiter)
        case .relay(let relayed): begin(message, relayed.room, size: relayed.tail.count, of: session, waiter)
        case .bye:
            session.farewell = waiter
            sayGoodbye(session)
        }
    }

    /// Its end, when all that its client sent before has its outcome.
    private func sayGoodbye(_ session: Session) {
        guard let waiter = session.farewell, session.outgoing.isIdle else { return }
        settle(session, waiter, nil)
        end(session, .bye)
    }

    func settle(_ session: Session, _ waiter: Waiter, _ error: MessageError?) {
        if let type = session.requests[waiter.request]?.types[waiter.index] {
            observeMessage(type, of: session, error)
        }
        guard let request = session.settle(waiter, error) else { return }
        answer(request)
    }

    private func answer(_ request: PendingRequest) {
        if let frame = request.frame {
            post(.answers(request.origin, request.answers, to: frame), to: request.origin.loop)
        } else {
            post(.reply(request.origin, request.reply), to: request.origin.loop)
        }
    }

    static let queueFull = MessageError(.queueFull, "too much is waiting already; try again later")

    // MARK: On their way to rooms

    private func begin(_ message: ClientMessage, _ room: RoomName, size: Int, of session: Session, _ waiter: Waiter) {
        let operation = OutgoingMessages.Operation(
            id: message.id, room: room, kind: message.kind, waiters: [waiter], at: now.nanoseconds)
        let (number, admission) = session.outgoing.begin(operation, size: size + 256, maxWaiting: limits.waitingBytes)
        switch admission {
        case .go: depart(number, operation, of: session)
        case .wait: break
        case .refused:
            statistics.trip(.waitingBytes)
            if let operation = session.outgoing.remove(number) { conclude(operation, Self.queueFull, of: session) }
        }
    }

    private func depart(_ number: UInt64, _ operation: OutgoingMessages.Operation, of session: Session) {
        let message: LoopMessage
        switch operation.kind {
        case .join(let room, let meta, let password, let isMute):
            guard session.rooms.contains(room) || session.rooms.count < limits.roomsPerSession else {
                statistics.trip(.roomsPerSession)
                let error = MessageError(.tooManyRooms, "over \(limits.roomsPerSession) rooms in one session")
                post(.outcome(session.id, operation: number, error), to: loop)
                return
            }
            if password != nil, let refusal = refusalOfGuess(number, in: room, of: session) {
                return post(.outcome(session.id, operation: number, refusal), to: loop)
            }
            let sender = session.asSender(isMute: isMute)
            message = .join(room, sender, operation: number, meta: meta, password)
        case .moderate(let room, let action):
            message = .moderate(room, session.asSender, operation: number, action)
        case .leave(let room): message = .leave(room, session.id, operation: number, .left)
        case .presence(let room, let meta): message = .update(room, session.id, operation: number, meta: meta)
        case .relay(let relayed): message = .relay(relay(relayed, number, operation.at, of: session))
        case .ping, .ack, .bye, .refresh: return
        }
        guard offer(message, to: operation.room.loop(of: loops)) else {
            statistics.trip(.mailbox)
            post(.outcome(session.id, operation: number, Self.queueFull), to: loop)
            return
        }
        if case .join(let room, _, _, _) = operation.kind { session.rooms.insert(room) }
    }

    private func relay(
        _ message: RelayedMessage, _ number: UInt64, _ at: UInt64, of session: Session
    ) -> Relay {
        var duration = message.ttl
        if case .invite(let lifetime?) = message.content { duration = min(duration ?? .max, lifetime) }
        return Relay(
            room: message.room, sender: session.id, to: message.to, operation: number, note: message.note,
            content: message.content, tail: message.tail, deadline: duration.map { Relay.deadline(at, $0) })
    }

    // MARK: Their outcomes

    func joined(_ room: RoomName, _ id: SessionID, _ operation: UInt64, _ tail: [UInt8]) {
        guard let session = sessions[id] else {
            // It ended meanwhile, and may not have known of this room.
            post(.leave(room, id, operation: nil, .timeout), to: room.loop(of: loops))
            return
        }
        giveOrSkip(session, tail, .roster(room))
        session.rooms.insert(room)
        finish(id, operation, nil)
    }

    func finish(_ id: SessionID, _ number: UInt64, _ error: MessageError?) {
        guard let session = sessions[id], let operation = session.outgoing.finish(number) else { return }
        if operation.isGuess, error?.code != .wrongPassword { session.guesses.giveBack(at: limits.guessRate) }
        switch operation.kind {
        case .join(let room, _, _, _) where error != nil && error?.code != .queueFull: session.rooms.remove(room)
        case .leave(let room) where error?.code != .queueFull: session.rooms.remove(room)
        default: break
        }
        conclude(operation, error, of: session)
        while let (number, operation) = session.outgoing.next() { depart(number, operation, of: session) }
        sayGoodbye(session)
    }

    private func conclude(_ operation: OutgoingMessages.Operation, _ error: MessageError?, of session: Session) {
        if error == nil, let id = operation.id { session.recent.insert(id) }
        for waiter in operation.waiters { settle(session, waiter, error) }
    }

    // MARK: To it

    /// A member of the same room has sent this to a session of this loop.
    func accept(_ relay: Relay) {
        guard case .peer(let target) = relay.to else { return }
        settle(relay, for: target, take(relay, for: target))
    }

    /// The same to several.
    func accept(_ relay: Relay, for sessions: [SessionID]) {
        for target in sessions { settle(relay, for: target, take(relay, for: target)) }
    }

    private func take(_ relay: Relay, for target: SessionID) -> MessageError? {
        guard let session = sessions[target] else { return Self.noSuchPeer }
        if give(session, relay.tail, .message(relay.stub)) { return nil }
        if relay.note.type == .offer, relay.note.call != nil {
            post(.undelivered(relay, target), to: relay.room.loop(of: loops))
        }
        return Self.queueFull
    }

    func withdraw(_ relay: Relay, from target: SessionID) {
        guard let call = relay.note.call else { return }
        sessions[target]?.log.withdraw(call, of: relay.sender, in: relay.room)
    }

    /// Tells senders what became of their messages.
    func report(_ session: Session) {
        for fate in session.log.takeFates() {
            for note in fate.stub.notes where fate.type != .delivered || note.wantsReceipt {
                let tail = ServerEvent.fate(fate.type, of: note, in: fate.stub.room, for: session.id)
                post(.fate(fate.stub.sender, tail: tail), to: fate.stub.sender.loop)
            }
        }
    }

    /// It was sent to a session that is not in the room.
    func refuse(_ relay: Relay) {
        guard case .peer(let target) = relay.to else { return }
        let exists = sessions[target] != nil
        settle(relay, for: target, exists ? MessageError(.notInRoom, "to.peer is not in the room") : Self.noSuchPeer)
    }

    /// Tells its sender, by the result if that is still to come, else by an event.
    private func settle(_ relay: Relay, for target: SessionID, _ error: MessageError?) {
        if let operation = relay.operation {
            post(.outcome(relay.sender, operation: operation, error), to: relay.sender.loop)
        } else if let error {
            let tail = ServerEvent.fate(.error, of: relay.note, in: relay.room, for: target, error: error)
            post(.fate(relay.sender, tail: tail), to: relay.sender.loop)
        }
    }

    private static let noSuchPeer = MessageError(.noSuchPeer, "no such peer")
}
