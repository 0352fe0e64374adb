// Draining: the sessions of this loop are asked to go to another node. It takes no new ones meanwhile.
extension SignalingNode {
    /// Whether this loop takes new sessions and streams.
    package var isDraining: Bool { drainPlan != nil }

    package var drainState: DrainState {
        var state = DrainState()
        state.isDraining = isDraining
        state.told = drainPlan?.told ?? 0
        state.left = drainPlan?.left ?? 0
        return state
    }

    /// Begins to drain: to be done within that time. A second call with other times starts over for those who are still here.
    package func drain(within: Duration, now: Moment) { run(now) { beginDraining(within: within) } }

    func beginDraining(within: Duration) {
        drainPlan = DrainPlan(sessions.keys, lead: limits.drainLead, within: within, now: now.nanoseconds)
    }

    /// Takes sessions again. Those that have been told to go may come back.
    package func undrain(now: Moment) { run(now) { drainPlan = nil } }

    /// To be called about every tenth of a second while it drains.
    ///
    /// - Returns: whether some have not been told yet.
    @discardableResult
    package func drainStep(now: Moment) -> Bool {
        run(now) {
            let batch = drainPlan?.nextBatch(atLeast: limits.drainBatch, now: now.nanoseconds) ?? []
            for id in batch { if let session = sessions[id] { sendAway(session) } }
        }
        return (drainPlan?.left ?? 0) > 0
    }

    /// The client has to come back elsewhere, after a time that differs from client to client.
    private func sendAway(_ session: Session) {
        guard session.stream != nil else { return }
        let spread = max(1, limits.drainSpread.nanoseconds / 1_000_000)
        let delay = randomNumber(below: spread)
        giveOrSkip(session, ServerEvent.goaway(reconnectIn: delay))
        closeStream(session, .goaway)
        statistics.goaways += 1
    }

    private func randomNumber(below bound: UInt64) -> UInt64 { random.next() % bound }

    static let draining = Problem.draining.reply("this node is going away: connect to another, or to this one later")
}

extension ServerEvent {
    /// - Parameter delay: milliseconds.
    static func goaway(reconnectIn delay: UInt64) -> [UInt8] {
        tail("goaway") { writer in
            writer.field("reason", "draining")
            writer.field("reconnect_in", delay)
        }
    }

    /// A message of the operator's.
    static func announcement(_ room: RoomName?, body: [UInt8]) -> [UInt8] {
        tail("msg") { writer in
            if let room {
                writer.key("room")
                writer.string(utf8: room.utf8)
            }
            writer.key("from")
            writer.object { $0.field("service", "operator") }
            writer.key("body")
            writer.raw(body.lazy.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 })
        }
    }

    static func roomClosed(_ room: RoomName) -> [UInt8] {
        tail("room_closed") { writer in
            writer.key("room")
            writer.string(utf8: room.utf8)
        }
    }

    static func kicked() -> [UInt8] {
        tail("error") { writer in
            writer.field("code", "kicked")
            writer.field("detail", "an operator has ended the session")
        }
    }
}
