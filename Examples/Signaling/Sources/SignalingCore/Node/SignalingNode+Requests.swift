// On the loop of a connection: its requests.
extension SignalingNode {
    /// `POST /v1/sessions`: the session lives on this loop.
    ///
    /// - Parameters:
    ///   - identity: who its client has shown to be.
    ///   - address: where its client is.
    package func createSession(
        _ request: RequestKey, _ identity: Identity = .development, from address: ClientAddress? = nil, now: Moment
    ) {
        run(now) {
            guard !isDraining else { return answer(request, Self.draining) }
            let id = SessionID(loop: loop, random: &random)
            admit(identity, as: id, for: request) { [unowned self] refusal in
                if let refusal { return answer(request, refusal) }
                guard let session = makeSession(identity, from: address, as: id) else {
                    return answer(request, tooManySessions())
                }
                answer(request, welcome(session))
            }
        }
    }

    /// `GET /v1/sessions/{sid}/events`. It is answered by a stream, or refused by a reply.
    ///
    /// - Parameters:
    ///   - token: what came as bearer token, nil when nothing did.
    ///   - transport: server-sent events or NDJSON.
    ///   - last: `Last-Event-ID`.
    package func openStream(
        _ request: RequestKey, session: String, token: [UInt8]?, _ transport: Transport = .sse, after last: EventID?,
        now: Moment
    ) {
        call(request, session, token, .attach(transport, after: last), now)
    }

    /// `POST /v1/sessions/{sid}/messages`.
    package func postMessages(_ request: RequestKey, session: String, token: [UInt8]?, body: [UInt8], now: Moment) {
        call(request, session, token, .messages(body), now)
    }

    /// `DELETE /v1/sessions/{sid}`.
    package func deleteSession(_ request: RequestKey, session: String, token: [UInt8]?, now: Moment) {
        call(request, session, token, .bye, now)
    }

    /// Refuses a request that is wrong in itself; but to those who may not know of the session, it says only that.
    package func refuse(
        _ request: RequestKey, session: String, token: [UInt8]?, with reply: Reply, now: Moment
    ) {
        call(request, session, token, .refuse(reply), now)
    }

    func call(
        _ request: RequestKey, _ session: String, _ token: [UInt8]?, _ action: SessionCall.Action, _ now: Moment
    ) {
        run(now) {
            guard let token else {
                answer(
                    request, Problem.unauthorized.reply("Authorization: Bearer with the session's token is missing"))
                return
            }
            guard let id = SessionID(session), id.loop < loops else {
                answer(request, Self.noSuchSession)
                return
            }
            if case .attach(let transport, _) = action { streams[request] = EventStream(transport, session: id) }
            let call = SessionCall(session: id, token: token, request: request, action: action)
            guard offer(.call(call), to: id.loop) else {
                statistics.trip(.mailbox)
                streams[request] = nil
                answer(request, Problem.busy.reply("too much is on its way to the session"))
                return
            }
        }
    }

    func tooManySessions() -> Reply { Problem.tooManySessions.reply("this loop has all the sessions that it takes") }

    static let noSuchSession = Problem.noSuchSession.reply("no such session: it has ended, or never was")
}
