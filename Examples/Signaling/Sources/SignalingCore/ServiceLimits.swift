/// Every bound of the service that a client can reach, with its default. One value for all loops.
package struct ServiceLimits: Sendable {
    // What a client sends.

    /// One message, or a batch of them, in bytes. Past it 413.
    package var messageSize = 64 * 1024
    /// Messages of one request. Past it 413.
    package var batch = 64
    /// The body of the request that creates a session, in bytes. Past it 413.
    package var helloSize = 16 * 1024
    /// Objects and arrays within each other; at most 64. Past it 400.
    package var depth = 32
    /// Fields of one message, and of its `to`. Past it 400.
    package var members = 64
    /// Candidates of one message. Past it the error `bad_message`.
    package var candidates = 64
    /// Different `ufrag`s of one SDP that are looked at. Past it its candidates are told apart by `neg` alone.
    package var ufrags = 16
    /// `id`, `call` and the name of a room, in bytes. Past it the error `bad_message`.
    package var identifierSize = 128
    /// What a peer says of itself when it joins, in bytes. Past it the error `bad_message`.
    package var metaSize = 1024

    /// Messages, or batches of them, that came by a duplex stream and have no answer yet. Past it no more is read.
    package var unanswered = 32
    /// The same in bytes.
    package var unansweredBytes = 256 * 1024
    /// Bytes that came by Socket.IO while no more was to be read: it cannot stop its client. Past it the stream ends: `busy`.
    package var socketIOBacklog = 256 * 1024
    /// What descriptions and candidates may say, by room. Past it the error `sdp_policy`.
    package var sdpPolicies = SDPPolicies()

    // WHIP and WHEP.

    /// An offer by WHIP or WHEP, in bytes. Past it 413.
    package var whipOffer = 32 * 1024
    /// A fragment of WHIP or WHEP, in bytes. Past it 413.
    package var whipFragment = 16 * 1024
    /// WHIP and WHEP sessions of one loop. Past it 503.
    package var whipSessionsPerLoop = 1000
    /// How long an offer waits for somebody to answer, and for the answer. Past it 503.
    package var whipAnswer: Duration = .seconds(20)
    /// How long an answer waits for the rest of its candidates.
    package var whipGathering: Duration = .seconds(2)
    /// How long a WHIP or WHEP session lives.
    package var whipLifetime: Duration = .seconds(24 * 3600)

    // What the service keeps.

    /// Sessions of one loop. Past it 503.
    package var sessionsPerLoop = 100_000
    /// Rooms of one session. Past it the error `too_many_rooms`.
    package var roomsPerSession = 16
    /// Members of one room. Past it the error `room_full`.
    package var roomCapacity = 1000
    /// Members of a room that are told of each other one by one. Past it, until three quarters are left, only their number is
    /// told, once a second when it has changed.
    package var rosterCapacity = 64
    /// In a room of which nobody's token grants `admin`, the member that is there for the longest time moderates.
    package var electsModerators = true
    /// A room's password, in bytes. Past it the error `bad_message`.
    package var passwordSize = 128
    /// Wrong passwords that may be tried at once: by one session, and by one subject, or else address, for one room. Past it the
    /// error `too_many_guesses`.
    package var guesses = 5
    /// After how long one more may be tried.
    package var guessPause: Duration = .seconds(30)
    /// How long somebody whom a moderator has put out of a room stays out.
    package var kickTime: Duration = .seconds(60)
    /// Sessions and subjects that one room keeps out. Past it the first may come back.
    package var keptOutPerRoom = 64
    /// Events kept for a session. Past it those already sent are forgotten, else the error `queue_full`; see ``stallTime`` for
    /// what becomes of the session.
    package var logMessages = 256
    /// Bytes kept for a session; see ``logMessages``.
    package var logBytes = 256 * 1024
    /// How long an event is kept.
    package var logAge: Duration = .seconds(120)
    /// How long a stream may take nothing while more has come than is kept for its session. Past it the session ends:
    /// `slow_consumer`.
    package var stallTime: Duration = .seconds(5)
    /// Ids of accepted messages that are remembered for a session, so that a repeat has no effect.
    package var recentIDs = 256
    /// Bytes of a session's messages that wait for an earlier message through another room. Past it `queue_full`.
    package var waitingBytes = 256 * 1024

    /// Events that the flight recorder of a session keeps; 0 keeps none.
    package var flightEvents = 64

    /// Calls, each with one peer, that a member of a room has begun and the room knows. Past it the oldest is forgotten.
    package var callsPerMember = 64
    /// Messages with candidates of one peer that wait for their description. Past it the error `queue_full`.
    package var heldCandidates = 16

    // Time and flow.

    /// How long candidates wait for their description.
    package var candidateWait: Duration = .seconds(30)

    /// How long a session lives without an event stream.
    package var sessionGrace: Duration = .seconds(30)
    /// A stream on which nothing was sent for so long gets a comment.
    package var pingInterval: Duration = .seconds(25)
    /// Bytes of events on the way from a session to its stream, when the two are on different loops.
    package var streamWindow = 64 * 1024

    /// How long the client of a duplex stream has to say who it is. Past it the stream ends: `hello_timeout`.
    package var helloTimeout: Duration = .seconds(10)
    /// How long a poll waits for an event at most, whatever its client asks for.
    package var pollWait: Duration = .seconds(25)
    /// How long a resume ticket is good.
    package var ticketLifetime: Duration = .seconds(24 * 60 * 60)

    // Who gets in, and how much they may do.

    /// A token, in bytes. Past it `token_malformed`.
    package var tokenSize = 8 * 1024
    /// Patterns of rooms in one token. Past it `token_claims`.
    package var tokenRooms = 64
    /// Fingerprints in one token. Past it `token_claims`.
    package var tokenFingerprints = 16
    /// How long before its token expires a session is told.
    package var tokenWarning: Duration = .seconds(60)
    /// Sessions of one subject. Past it `duplicate_identity`, or the one before ends: `replaced`.
    package var duplicateIdentity = DuplicateIdentity.allow(nil)
    /// Sessions of one loop that were ended against their clients' will and whose tickets are refused. Past it those of the first
    /// are good again.
    package var deniedSessions = 16 * 1024
    /// Messages of one session. Past it the error `rate_limited`.
    package var sessionRate = TokenBucket.Rate(perSecond: 200, burst: 1000)
    /// Messages of all sessions that one subject has. Past it `rate_limited`.
    package var subjectRate = TokenBucket.Rate(perSecond: 400, burst: 2000)
    /// Messages through one room. Past it `rate_limited`.
    package var roomRate = TokenBucket.Rate(perSecond: 2000, burst: 8000)
    /// Sessions that one address begins or resumes, whatever the transport: an IPv4 address, or the first 64 bits of an IPv6
    /// one. Past it 429.
    package var addressRate = TokenBucket.Rate(perSecond: 50, burst: 500)
    /// Addresses, and on each loop rooms, whose rates are known: past it those that come share one. Also subjects without a session
    /// that are remembered.
    package var rateEntries = 16 * 1024

    /// Questions about rooms, that clients of one loop ask before they come in, at a time. Past it a client is told that there is
    /// no such room.
    package var clientQuestions = 256

    // For operators.

    /// Questions of operators that one loop asks others at a time. Past it 503.
    package var adminQuestions = 64
    /// How long the other loops have to answer. Past it 504.
    package var adminTimeout: Duration = .seconds(5)

    // Draining.

    /// How long readiness is gone before the first session is told to go elsewhere.
    package var drainLead: Duration = .zero
    /// Sessions of one loop that are told at once, ten times a second; more when the time for all of them would not suffice.
    package var drainBatch = 64
    /// The longest time that one is told to wait before it connects again: each gets another, up to this.
    package var drainSpread: Duration = .seconds(3)

    package init() {}

    package var guessRate: TokenBucket.Rate {
        let pause = max(1, Double(guessPause.nanoseconds)) / 1e9
        return TokenBucket.Rate(perSecond: 1 / pause, burst: Double(guesses))
    }
}

/// A point in time, as the caller's clocks have it.
package struct Moment: Sendable, Hashable {
    /// Of a monotonic clock, in nanoseconds.
    package var nanoseconds: UInt64
    /// Of the calendar, in milliseconds since 1970.
    package var unixMilliseconds: Int64

    package init(nanoseconds: UInt64, unixMilliseconds: Int64) {
        self.nanoseconds = nanoseconds
        self.unixMilliseconds = unixMilliseconds
    }
}

extension Duration {
    /// In nanoseconds; negative durations are none.
    var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? UInt64.max / 2 : min(product + UInt64(attoseconds / 1_000_000_000), UInt64.max / 2)
    }
}
