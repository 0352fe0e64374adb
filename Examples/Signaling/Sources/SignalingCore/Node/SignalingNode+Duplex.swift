// On the loop of a connection: streams that carry messages both ways.
extension SignalingNode {
    /// A duplex stream is open, and its client has ``ServiceLimits/helloTimeout`` to say who it is: then one of
    /// ``greet(_:now:)``, ``greet(_:resume:after:now:)`` and ``refuse(stream:_:_:now:)`` is called.
    package func openStream(_ stream: StreamID, _ transport: Transport, now: Moment) {
        run(now) {
            streams[stream] = EventStream(transport)
            hellos.schedule(stream, now: now.nanoseconds)
        }
    }

    /// The client has said hello; it is being found out who it is.
    package func hold(_ stream: StreamID, now: Moment) {
        run(now) {
            if streams[stream] != nil { pause(stream) }
        }
    }

    /// The client has said hello, and may come in: it gets a session on this loop.
    package func greet(
        _ stream: StreamID, _ identity: Identity = .development, from address: ClientAddress? = nil, now: Moment
    ) {
        run(now) {
            guard let transport = streams[stream]?.transport, streams[stream]?.session == nil else { return }
            guard !isDraining else { return refusedOrDone(stream, Self.draining) }
            pause(stream)
            let id = SessionID(loop: loop, random: &random)
            admit(identity, as: id, for: stream) { [unowned self] refusal in
                guard streams[stream] != nil else { return }
                if let refusal { return refusedOrDone(stream, refusal) }
                guard let session = makeSession(identity, from: address, as: id) else {
                    return refusedOrDone(stream, tooManySessions())
                }
                streams[stream]?.session = id
                attach(session, stream, transport, after: nil, greeting: .welcome)
            }
        }
    }

    /// The client has come with a ticket.
    package func greet(
        _ stream: StreamID, resume ticket: [UInt8], after last: EventID?, from address: ClientAddress? = nil,
        now: Moment
    ) {
        run(now) {
            guard let transport = streams[stream]?.transport, streams[stream]?.session == nil else { return }
            pause(stream)
            resume(stream, ticket, by: transport, after: last, from: address)
        }
    }

    /// Ends a duplex stream for what its client did.
    package func refuse(stream: StreamID, _ problem: Problem, _ detail: String, now: Moment) {
        refuse(stream: stream, with: problem.reply(detail), now: now)
    }

    /// The same with a reply that a request would get.
    package func refuse(stream: StreamID, with reply: Reply, now: Moment) {
        run(now) {
            if streams[stream] != nil { refusedOrDone(stream, reply) }
        }
    }

    /// A message or a batch of them has come by a stream that was greeted.
    ///
    /// - Parameter tag: given for a single message whose outcome the outlet is to hear of.
    package func receive(_ frame: [UInt8], by stream: StreamID, tag: UInt64? = nil, now: Moment) {
        run(now) {
            guard let state = streams[stream], let session = state.session, let token = state.token else { return }
            let call = SessionCall(
                session: session, token: token.utf8, request: stream, action: .frame(frame, tag: tag))
            guard offer(.call(call), to: session.loop) else {
                statistics.trip(.mailbox)
                refusedOrDone(stream, Problem.busy.reply("too much is on its way to the session"))
                return
            }
            state.unanswered += 1
            state.unansweredBytes += frame.count
            guard state.unanswered >= limits.unanswered || state.unansweredBytes >= limits.unansweredBytes else {
                return
            }
            if !state.isPaused { statistics.trip(.unanswered) }
            pause(stream)
        }
    }

    func answered(_ stream: StreamID, _ lines: [UInt8], _ frame: FrameMark) {
        guard let state = streams[stream] else { return }
        state.unanswered -= 1
        state.unansweredBytes -= frame.size
        if let tag = frame.tag {
            outlet.acknowledge(stream, tag, lines)
        } else if !lines.isEmpty {
            putLines(stream, lines)
        }
        readOn(stream)
    }

    /// Takes messages again when few are without an answer, and the client takes its answers.
    func readOn(_ stream: StreamID) {
        guard let state = streams[stream], state.isPaused, state.isOpen, !state.isBlocked,
            state.unanswered <= limits.unanswered / 2, state.unansweredBytes <= limits.unansweredBytes / 2
        else { return }
        state.isPaused = false
        outlet.resumeReading(stream)
    }

    func pause(_ stream: StreamID) {
        guard let state = streams[stream], !state.isPaused else { return }
        state.isPaused = true
        outlet.pauseReading(stream)
    }

    func endSilentStreams() {
        while let stream = hellos.popDue(now: now.nanoseconds) {
            guard let state = streams[stream], state.transport.isDuplex, state.session == nil else { continue }
            statistics.trip(.helloTimeout)
            refusedOrDone(stream, Problem.helloTimeout.reply("no hello came in time"))
        }
    }
}

extension ServiceLimitName {
    package static let unanswered = ServiceLimitName("unanswered")
    package static let helloTimeout = ServiceLimitName("hello_timeout")
}
