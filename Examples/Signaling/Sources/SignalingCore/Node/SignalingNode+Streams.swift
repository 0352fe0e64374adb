// On the loop of a connection: its streams.
extension SignalingNode {
    /// A write to the stream had answered false, and what was written has gone.
    package func streamDrained(_ stream: StreamID, now: Moment) {
        run(now) {
            guard streams[stream] != nil else { return }
            streams[stream]?.isBlocked = false
            write(stream)
            readOn(stream)
        }
    }

    /// The stream has ended at its peer's wish or fault, or at ours. Also for a request that was to become one.
    package func streamClosed(_ stream: StreamID, now: Moment) {
        run(now) {
            guard let closed = streams.removeValue(forKey: stream) else { return }
            detach(stream, closed)
        }
    }

    /// Ends all streams of this loop, as their connections are to close. Their clients may come back to another.
    package func endStreams(now: Moment) {
        run(now) {
            for (stream, state) in streams {
                streams[stream] = nil
                if state.poll != nil {
                    answerPoll(stream, state, [])
                } else if state.isOpen || state.transport.isDuplex {
                    outlet.endStream(stream, .goaway)
                }
                detach(stream, state)
            }
        }
    }

    /// The answer to a request. One that was to become a stream does not; a duplex stream says why, and ends.
    func refusedOrDone(_ request: RequestKey, _ reply: Reply) {
        if receiveResults(request, reply) { return }
        guard let stream = streams.removeValue(forKey: request), stream.transport.isDuplex else {
            answer(request, reply)
            return
        }
        if let problem = reply.problem { statistics.problems.count(problem) }
        _ = outlet.write(request, stream.transport.encode(error: reply))
        outlet.endStream(request, .refused(reply.problem ?? .busy))
        detach(request, stream)
    }

    func attached(_ stream: StreamID, _ attachment: Attachment) {
        guard let transport = streams[stream]?.transport else { return }
        streams[stream]?.isOpen = true
        guard transport != .poll else { return attachedPoll(stream, attachment) }
        if transport.isDuplex {
            streams[stream]?.token = attachment.token
            if let greeting = attachment.greeting { putLines(stream, greeting) }
            readOn(stream)
        } else {
            outlet.startStream(stream, transport, attachment.resumption)
        }
        if let session = streams[stream]?.session { outlet.attached(stream, to: session, by: transport) }
        if let opening = transport.opening { put(stream, opening) }
        if transport.ping != nil { pings.schedule(stream, now: now.nanoseconds) }
    }

    func deliver(_ stream: StreamID, _ events: [ServerEvent]) {
        guard let state = streams[stream] else { return }
        guard state.poll == nil else {
            streams[stream] = nil
            answerPoll(stream, state, events)
            detach(stream, state)
            return
        }
        for event in events { state.waiting.append(event) }
        write(stream)
    }

    func end(_ stream: StreamID, _ reason: StreamEnd) {
        if let reply = reason.reply, let transport = streams[stream]?.transport,
            transport.isDuplex || transport == .poll
        {
            return refusedOrDone(stream, reply)
        }
        guard let state = streams.removeValue(forKey: stream) else { return }
        guard state.poll != nil else {
            if state.isOpen, let reply = reason.reply { put(stream, state.transport.encode(error: reply)) }
            return outlet.endStream(stream, reason)
        }
        switch reason {
        case .ended: answer(stream, Self.noSuchSession)
        case .replaced: answer(stream, Problem.replaced.reply("another stream of the session has taken over"))
        case .slow, .goaway, .refused: answerPoll(stream, state, [])
        }
    }

    func pingStreams() {
        while let stream = pings.popDue(now: now.nanoseconds) {
            guard let open = streams[stream], let ping = open.transport.ping else { continue }
            if !open.isBlocked { put(stream, ping) }
            pings.schedule(stream, now: now.nanoseconds)
        }
    }

    /// Tells the session, if it has one, that the stream is no more.
    func detach(_ stream: StreamID, _ state: EventStream) {
        guard let session = state.session else { return }
        post(.detached(session, stream), to: session.loop)
    }

    /// Writes what waits until the stream takes no more, and lets the session send as much again.
    private func write(_ stream: StreamID) {
        guard let state = streams[stream] else { return }
        var written = 0
        while !state.isBlocked, let event = state.waiting.popFirst() {
            put(stream, state.transport.encode(event))
            written += event.size
        }
        // The outlet may have closed it meanwhile.
        guard written > 0, streams[stream] === state, let session = state.session else { return }
        post(.written(session, stream, written), to: session.loop)
    }

    func put(_ stream: StreamID, _ bytes: [UInt8]) {
        guard !outlet.write(stream, bytes) else { return }
        streams[stream]?.isBlocked = true
        // Who does not take the answers to what it has sent shall not send more.
        if streams[stream]?.transport.isDuplex == true { pause(stream) }
    }

    /// Lines that end in a line feed each; where the transport has frames, each is one.
    func putLines(_ stream: StreamID, _ lines: [UInt8]) {
        guard streams[stream]?.transport.hasFrames == true else { return put(stream, lines) }
        for line in lines.split(separator: UInt8(ascii: "\n")) { put(stream, Array(line)) }
    }
}
