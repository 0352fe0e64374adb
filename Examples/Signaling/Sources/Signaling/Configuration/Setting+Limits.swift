import SignalingCore

/// The bounds of ``ServiceLimits``.
extension Setting {
    static let sessions: [Setting] = [
        Setting(
            "session-grace", \.limits.sessionGrace, .time(.milliseconds(100)...day),
            "How long a session lives without a transport.", .whileRunning),
        Setting(
            "session-limit", \.limits.sessionsPerLoop, .integer(1...10_000_000), "Sessions of one event loop.",
            .whileRunning),
        Setting(
            "session-rooms", \.limits.roomsPerSession, .integer(1...10_000), "Rooms of one session.", .whileRunning),
        Setting(
            "session-log-messages", \.limits.logMessages, .integer(16...65_536),
            "Events kept for a session that has not acknowledged them.", .whileRunning, audience: .tuning),
        Setting(
            "session-log-size", \.limits.logBytes, .size(64 << 10...64 << 20), "Bytes kept for a session.",
            .whileRunning, audience: .tuning),
        Setting(
            "session-log-age", \.limits.logAge, .time(.seconds(1)...day), "How long an event is kept for a session.",
            .whileRunning, audience: .tuning),
        Setting(
            "session-stall", \.limits.stallTime, .time(.milliseconds(100)...hour),
            "How long a transport may take nothing while more has come than is kept; past it the session ends.",
            .whileRunning, audience: .tuning),
        Setting(
            "session-recent-ids", \.limits.recentIDs, .integer(1...65_536),
            "Message ids remembered for a session, so that a repeat has no effect.", .whileRunning, audience: .tuning),
        Setting(
            "session-waiting-size", \.limits.waitingBytes, .size(4096...64 << 20),
            "Bytes of a session's messages that wait for an earlier one.", .whileRunning, audience: .tuning),
        Setting(
            "session-window", \.limits.streamWindow, .size(4096...16 << 20),
            "Bytes of events on the way from a session to its transport on another loop.", .whileRunning,
            audience: .tuning),
        Setting(
            "ping-interval", \.limits.pingInterval, .time(.seconds(1)...hour),
            "A transport on which nothing was sent for so long gets a ping.", .whileRunning),
        Setting(
            "room-capacity", \.limits.roomCapacity, .integer(1...100_000), "Members of one room.", .whileRunning),
        Setting(
            "room-roster", \.limits.rosterCapacity, .integer(1...100_000),
            "Members of a room that are told of each other one by one; past it only how many they are.",
            .whileRunning),
        Setting(
            "room-elects-moderator", \.limits.electsModerators, .onOff,
            "In a room without a member whose token grants admin, the one there for the longest time moderates.",
            .whileRunning),
        Setting(
            "room-password-size", \.limits.passwordSize, .size(8...4096), "A room's password.", .whileRunning,
            audience: .tuning),
        Setting(
            "room-password-guesses", \.limits.guesses, .integer(1...10_000),
            "Wrong passwords that may be tried at once.", .atStart),
        Setting(
            "room-password-pause", \.limits.guessPause, .time(.milliseconds(100)...day),
            "After how long one more may be tried.", .atStart),
        Setting(
            "room-kick-time", \.limits.kickTime, .time(.zero...day),
            "How long somebody whom a moderator has put out of a room stays out.", .whileRunning),
        Setting(
            "room-kept-out", \.limits.keptOutPerRoom, .integer(1...10_000),
            "How many of those one room remembers.", .whileRunning, audience: .tuning),
        Setting(
            "room-calls", \.limits.callsPerMember, .integer(1...10_000),
            "Calls of a member that a room knows.", .whileRunning, audience: .tuning),
        Setting(
            "candidate-wait", \.limits.candidateWait, .time(.seconds(1)...hour),
            "How long candidates wait for their description.", .whileRunning, audience: .tuning),
        Setting(
            "candidate-held", \.limits.heldCandidates, .integer(1...4096),
            "Messages with candidates of one peer that wait for their description.",
            .whileRunning, audience: .tuning),
        Setting(
            "hello-timeout", \.limits.helloTimeout, .time(.milliseconds(100)...hour),
            "How long the client of a duplex stream has to say who it is.",
            .whileRunning, audience: .tuning),
        Setting(
            "poll-wait", \.limits.pollWait, .time(.seconds(1)...hour),
            "How long a poll waits for an event at most.", .whileRunning, audience: .tuning),
        Setting(
            "ticket-lifetime", \.limits.ticketLifetime, .time(.seconds(1)...day * 30),
            "How long a resume ticket is good.", .whileRunning),
        Setting(
            "stream-unanswered", \.limits.unanswered, .integer(1...10_000),
            "Messages of a duplex stream that have no answer yet; past it no more is read.",
            .whileRunning, audience: .tuning),
        Setting(
            "stream-unanswered-size", \.limits.unansweredBytes, .size(4096...64 << 20),
            "The same in bytes.", .whileRunning, audience: .tuning),
        Setting(
            "stream-socketio-backlog", \.limits.socketIOBacklog, .size(4096...64 << 20),
            "What Socket.IO brings meanwhile, in bytes.", .whileRunning, audience: .tuning),
        Setting(
            "session-flight-events", \.limits.flightEvents, .integer(0...65_536),
            "Events that the flight recorder of a session keeps.", .whileRunning, audience: .tuning),
    ]

    static let operations: [Setting] = [
        Setting(
            "drain-lead", \.limits.drainLead, .time(.zero...hour),
            "How long readiness is gone before the first session is told to go elsewhere.", .whileRunning),
        Setting(
            "drain-batch", \.limits.drainBatch, .integer(1...100_000),
            "Sessions of one event loop that are told at once, ten times a second.", .whileRunning,
            audience: .tuning),
        Setting(
            "drain-spread", \.limits.drainSpread, .time(.zero...hour),
            "The longest time that a client is told to wait before it connects again.", .whileRunning),
        Setting(
            "admin-questions", \.limits.adminQuestions, .integer(1...10_000),
            "Questions of operators that one event loop asks others at a time.", .whileRunning, audience: .tuning),
        Setting(
            "admin-timeout", \.limits.adminTimeout, .time(.milliseconds(100)...hour),
            "How long the other event loops have to answer an operator.", .whileRunning, audience: .tuning),
        Setting(
            "client-questions", \.limits.clientQuestions, .integer(1...100_000),
            "Questions about rooms that clients of one event loop ask others at a time, before they come in.",
            .whileRunning, audience: .tuning),
    ]

    static let messages: [Setting] = [
        Setting(
            "message-size", \.limits.messageSize, .size(1024...8 << 20), "One message, or one batch of them.",
            .whileRunning),
        Setting(
            "message-batch", \.limits.batch, .integer(1...10_000), "Messages of one request.", .whileRunning,
            audience: .tuning),
        Setting(
            "message-depth", \.limits.depth, .integer(4...64), "Objects and arrays within each other.",
            .whileRunning, audience: .tuning),
        Setting(
            "message-members", \.limits.members, .integer(16...4096), "Fields of one message.", .whileRunning,
            audience: .tuning),
        Setting(
            "message-candidates", \.limits.candidates, .integer(1...4096), "Candidates of one message.",
            .whileRunning, audience: .tuning),
        Setting(
            "message-ufrags", \.limits.ufrags, .integer(1...256),
            "Different ICE user fragments of one description that are looked at.", .whileRunning, audience: .tuning),
        Setting(
            "message-identifier-size", \.limits.identifierSize, .size(16...4096),
            "An id, a call and the name of a room.", .whileRunning, audience: .tuning),
        Setting(
            "message-meta-size", \.limits.metaSize, .size(16...256 << 10),
            "What a peer says of itself when it joins.", .whileRunning, audience: .tuning),
        Setting(
            "message-hello-size", \.limits.helloSize, .size(256...1 << 20), "The body that creates a session.",
            .whileRunning, audience: .tuning),
    ]

    static let hour = Duration.seconds(3600)
    static let day = Duration.seconds(86_400)
}
