// The one place where what happens to sessions and rooms is counted, recorded and told.
extension SignalingNode {
    func record(_ event: FlightEvent, of session: Session) { session.flight.record(event, now: now.nanoseconds) }

    /// Answers a request of this loop.
    func answer(_ request: RequestKey, _ reply: Reply) {
        if let problem = reply.problem { statistics.problems.count(problem) }
        outlet.reply(request, reply)
    }

    func observeStart(of session: Session) {
        statistics.sessionsStarted += 1
        sessionRegister.insert(session.id)
        record(.started, of: session)
        tell(.sessionStarted, session: session.id)
    }

    func observeEnd(of session: Session, _ reason: LeaveReason) {
        statistics.sessionsEnded.count(reason)
        sessionRegister.remove(session.id)
        record(.ended(reason), of: session)
        tell(.sessionEnded, session: session.id, reason: reason)
    }

    func observeAttachment(of session: Session, by transport: Transport, _ resumption: Resumption) {
        session.transport = transport
        statistics.streamsOpened.count(transport)
        statistics.resumptions.count(resumption)
        record(.attached(transport, resumption), of: session)
    }

    /// A message of the session's client was answered.
    func observeMessage(_ type: MessageType, of session: Session, _ error: MessageError?) {
        statistics.messages.count(MessageOutcome(type, error?.code))
        record(.message(type, error?.code), of: session)
    }

    /// An event was taken into the session's log.
    func observeEvent(_ tail: [UInt8], of session: Session) {
        let type = MessageType(ofTail: tail)
        statistics.events.count(type)
        record(.event(type, size: UInt32(clamping: tail.count)), of: session)
    }

    func observeSkip(_ tail: [UInt8], of session: Session) {
        statistics.eventsSkipped += 1
        record(.skipped(MessageType(ofTail: tail)), of: session)
    }

    func observeOpening(of room: RoomName) {
        statistics.roomsOpened += 1
        roomRegister.insert(room)
        tell(.roomOpened, room: room)
    }

    func observeClosing(of room: RoomName) {
        statistics.roomsClosed += 1
        roomRegister.remove(room)
        tell(.roomClosed, room: room)
    }

    func observeJoining(_ session: SessionID, of room: RoomName) { tell(.peerJoined, session: session, room: room) }

    func observeLeaving(_ session: SessionID, of room: RoomName, _ reason: LeaveReason) {
        tell(.peerLeft, session: session, room: room, reason: reason)
    }

    /// What should never happen has: the operator gets to see how it came to it.
    func internalError(_ what: String, of session: Session) {
        statistics.internalErrors += 1
        observer?.failed(what, session: session.id, flight: session.flight.lines)
    }

    private func tell(
        _ kind: NodeEvent.Kind, session: SessionID? = nil, room: RoomName? = nil, reason: LeaveReason? = nil
    ) {
        guard let observer else { return }
        observer.happened(
            NodeEvent(kind: kind, session: session, room: room, reason: reason, timestamp: now.unixMilliseconds))
    }
}
