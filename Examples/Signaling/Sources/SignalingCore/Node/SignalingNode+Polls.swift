// On the loop of a connection: polls, which are streams that answer once.
extension SignalingNode {
    /// `GET /v1/sessions/{sid}/events` for JSON: it is answered with events, or after `wait` without.
    ///
    /// - Parameter since: the last event that the client has.
    package func poll(
        _ request: RequestKey, session: String, token: [UInt8]?, since: EventID?, wait: Duration, now: Moment
    ) {
        run(now) {
            call(request, session, token, .attach(.poll, after: since), now)
            streams[request]?.poll = EventStream.Poll(wait: min(wait, limits.pollWait))
        }
    }

    func attachedPoll(_ stream: StreamID, _ attachment: Attachment) {
        guard let wait = streams[stream]?.poll?.wait else { return }
        streams[stream]?.poll?.position = attachment.position
        streams[stream]?.poll?.resumption = attachment.resumption
        if wait == .zero, !attachment.hasEvents { return endPoll(stream) }
        // Also when events follow: they may lapse before they are sent.
        polls.schedule(stream, at: now.nanoseconds + wait.nanoseconds)
    }

    func endDuePolls() { for stream in polls.takeDue(now: now.nanoseconds) { endPoll(stream) } }

    private func endPoll(_ stream: StreamID) {
        guard let state = streams.removeValue(forKey: stream) else { return }
        answerPoll(stream, state, [])
        detach(stream, state)
    }

    /// Answers a poll that is not among the streams any more.
    func answerPoll(_ stream: StreamID, _ state: EventStream, _ events: [ServerEvent]) {
        // Without a position the session has not seen the request.
        guard let poll = state.poll, let position = poll.position else {
            outlet.reply(stream, Problem.busy.reply("the service is about to stop"))
            return
        }
        let last = events.last.map { EventID(epoch: $0.epoch, seq: $0.seq) } ?? position
        let headers = [
            Reply.Header("cache-control", "no-store"), Reply.Header("signal-resumed", poll.resumption.rawValue),
        ]
        let reply = Reply.json(200, headers: headers) { writer in
            writer.field("epoch", last.epoch)
            writer.field("last", last.description)
            writer.key("events")
            writer.array { writer in for event in events { writer.raw(Transport.poll.encode(event)) } }
        }
        outlet.reply(stream, reply)
        guard !events.isEmpty, let session = state.session else { return }
        post(.written(session, stream, events.reduce(0) { $0 + $1.size }), to: session.loop)
    }
}
