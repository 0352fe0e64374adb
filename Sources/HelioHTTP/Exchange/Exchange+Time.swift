/// Since when a side has been waited for.
extension Exchange {
    /// Whether it is the peer's turn to send body.
    var awaitsBody: Bool {
        state.contains(.delivered) && state.isDisjoint(with: [.requestEnded, .closed]) && isTakingBody
    }

    /// Whether the handler takes the request's body now.
    var isTakingBody: Bool {
        !state.contains(.paused) && (!state.contains(.pulled) || waiters?.wantsBody == true)
    }

    /// Whether it is the peer's turn to take some of the response.
    var hasOutput: Bool { !queue.isEmpty || hasSourcedOutput }

    /// A wait that has just begun is dated now.
    func bodyDeadline(_ timeout: UInt64, now: UInt64) -> UInt64 {
        if bodyProgress == 0 { bodyProgress = now }
        let (deadline, overflow) = bodyProgress.addingReportingOverflow(bodyTimeout ?? timeout)
        return overflow ? UInt64.max : deadline
    }

    func sendDeadline(_ timeout: UInt64, now: UInt64) -> UInt64 {
        if sendProgress == 0 { sendProgress = now }
        return sendProgress + timeout
    }
}
