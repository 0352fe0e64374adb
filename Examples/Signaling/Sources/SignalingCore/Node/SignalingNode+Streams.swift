/// An event stream, on the loop of its connection.
struct EventStream {
    let session: SessionID
    var transport: Transport { .sse }
    /// The session has accepted it.
    var isOpen = false
    /// The peer does not take more now.
    var isBlocked = false
    /// What the session has sent meanwhile; it sends no more than ``ServiceLimits/streamWindow`` ahead.
    var waiting = FIFO<ServerEvent>()

    init(session: SessionID) { self.session = session }
}

extension SignalingNode {
    /// A write to the stream had answered false, and what was written has gone.
    package func streamDrained(_ stream: StreamID, now: Moment) {
        run(now) {
            guard streams[stream] != nil else { return }
            streams[stream]?.isBlocked = false
            write(stream)
        }
    }

    /// The stream has ended at its peer's wish or fault, or at ours. Also for a request that was to become one.
    package func streamClosed(_ stream: StreamID, now: Moment) {
        run(now) {
            guard let closed = streams.removeValue(forKey: stream) else { return }
            post(.detached(closed.session, stream), to: closed.session.loop)
        }
    }

    /// Ends all streams of this loop, as their connections are to close. Their clients may come back to another.
    package func endStreams(now: Moment) {
        run(now) {
            for (stream, state) in streams {
                if state.isOpen { outlet.endStream(stream) }
                post(.detached(state.session, stream), to: state.session.loop)
            }
            streams.removeAll()
        }
    }

    /// The answer to a request; one that was to become a stream does not.
    func refusedOrDone(_ request: RequestKey, _ reply: Reply) {
        streams[request] = nil
        answer(request, reply)
    }

    func attached(_ stream: StreamID, _ session: SessionID, _ resumption: Resumption) {
        guard streams[stream] != nil else { return }
        streams[stream]?.isOpen = true
        outlet.startStream(stream, resumption)
        put(stream, Array(": hello\n\n".utf8))
        pings.schedule(stream, now: now.nanoseconds)
    }

    func deliver(_ stream: StreamID, _ events: [ServerEvent]) {
        guard streams[stream] != nil else { return }
        for event in events { streams[stream]?.waiting.append(event) }
        write(stream)
    }

    func end(_ stream: StreamID) {
        guard streams.removeValue(forKey: stream) != nil else { return }
        outlet.endStream(stream)
    }

    func pingStreams() {
        while let stream = pings.popDue(now: now.nanoseconds) {
            guard let open = streams[stream] else { continue }
            if !open.isBlocked { put(stream, Array(": ping\n\n".utf8)) }
            pings.schedule(stream, now: now.nanoseconds)
        }
    }

    /// Writes what waits until the stream takes no more, and lets the session send as much again.
    private func write(_ stream: StreamID) {
        var written = 0
        while streams[stream]?.isBlocked == false, let event = streams[stream]?.waiting.popFirst() {
            put(stream, event.encoded)
            written += event.size
        }
        guard written > 0, let session = streams[stream]?.session else { return }
        post(.written(session, stream, written), to: session.loop)
    }

    private func put(_ stream: StreamID, _ bytes: [UInt8]) {
        if !outlet.write(stream, bytes) { streams[stream]?.isBlocked = true }
    }
}
