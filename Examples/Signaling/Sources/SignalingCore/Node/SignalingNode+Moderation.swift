// Rooms that not everyone may enter, and those who say who may.
extension SignalingNode {
    // MARK: On the loop of the room

    /// What keeps somebody who is not a member out of a room that exists.
    func refusal(of sender: Sender, by name: RoomName, _ password: RoomPassword?) -> MessageError? {
        if sender.standing == .administrator { return nil }
        if let wait = rooms[name]?.keptOut.wait(sender.session, sender.subject, now: now.nanoseconds) {
            return Self.tooSoon(.kicked, "a moderator has put you out of the room", Double(wait) / 1e9)
        }
        guard let right = rooms[name]?.password else { return nil }
        guard let password else { return MessageError(.passwordRequired, "the room has a password") }
        let guess = GuessedRoom(room: name, guesser: sender.guesser)
        if let wait = access.guesses.take(guess, now: now.nanoseconds) { return tooManyGuesses(wait) }
        guard right.matches(password) else {
            return MessageError(.wrongPassword, "this is not the room's password")
        }
        access.guesses.giveBack(guess)
        return nil
    }

    func moderate(_ name: RoomName, _ sender: Sender, _ operation: UInt64, _ action: Moderation) {
        let error = refusal(of: sender, moderating: name) ?? perform(action, in: name)
        post(.outcome(sender.session, operation: operation, error), to: sender.session.loop)
    }

    private func refusal(of sender: Sender, moderating name: RoomName) -> MessageError? {
        guard sender.standing != .administrator else { return rooms[name] == nil ? Self.notInRoom : nil }
        guard let member = rooms[name]?.member(sender.session) else { return Self.notInRoom }
        return member.isElected ? nil : MessageError(.forbidden, "you do not moderate the room")
    }

    private func perform(_ action: Moderation, in name: RoomName) -> MessageError? {
        switch action {
        case .kick(let target):
            guard let member = rooms[name]?.member(target) else {
                return MessageError(.noSuchPeer, "to.peer is not in the room")
            }
            let until = now.nanoseconds + limits.kickTime.nanoseconds
            if rooms[name]?.keptOut.insert(target, member.subject, until: until) == false { statistics.trip(.keptOut) }
            _ = putOut(target, of: name)
        case .close: _ = close(name)
        case .password(let password): rooms[name]?.password = password
        }
        return nil
    }

    // MARK: On the loop of the session

    /// A password departs: it counts as a guess until its outcome says that it was none.
    func refusalOfGuess(_ operation: UInt64, in room: RoomName, of session: Session) -> MessageError? {
        // Its earlier join may have let it in, where a password opens nothing; else the room counts.
        guard !session.identity.isAdministrator, !session.rooms.contains(room) else { return nil }
        if let wait = session.guesses.take(at: limits.guessRate, now: now.nanoseconds) { return tooManyGuesses(wait) }
        session.outgoing.markGuess(operation)
        return nil
    }

    private func tooManyGuesses(_ wait: Double) -> MessageError {
        statistics.trip(.passwordGuesses)
        return Self.tooSoon(.tooManyGuesses, "too many wrong passwords", wait)
    }
}
