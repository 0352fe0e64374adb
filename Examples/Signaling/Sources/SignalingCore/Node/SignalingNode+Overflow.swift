// On the loop of a session: what becomes of one for which more has come than is kept.
extension SignalingNode {
    /// A client whose stream takes nothing is given ``ServiceLimits/stallTime``, and then its session ends. Meanwhile senders
    /// are refused. One that goes on reading stays; if something could not be kept for it that nobody will send again, it has to
    /// come back to hear so.
    ///
    /// A client that is away is not slow: its session has its grace, and its senders are refused.
    func seeToOverflows() {
        for (id, progress) in overflowing {
            guard let session = sessions[id], session.takesEvents else {
                overflowing[id] = nil
                continue
            }
            if session.progress != progress {
                overflowing[id] = nil
                if session.log.hasUntoldLoss { closeStream(session) }
            } else if session.stalledSince + limits.stallTime.nanoseconds <= now.nanoseconds {
                overflowing[id] = nil
                statistics.trip(.stallTime)
                end(session, .slow)
            }
        }
    }
}

extension Session {
    /// It has a stream whose client can be expected to take what comes. One that polls has none between two polls.
    var takesEvents: Bool { stream != nil && transport != .poll }
}

extension ServiceLimitName {
    package static let stallTime = ServiceLimitName("stall_time")
}
