/// What a node has counted since its start: plain integers, which only its loop touches, and which only grow. The sets of
/// names are bounded, as they are the program's own.
package struct NodeStatistics: Sendable, Hashable {
    package var sessionsStarted = 0
    package var sessionsEnded = Tally<LeaveReason>()
    package var roomsOpened = 0
    package var roomsClosed = 0
    /// Event streams by what carried them.
    package var streamsOpened = Tally<Transport>()
    /// Streams by how much of what their client had missed they could bring.
    package var resumptions = Tally<Resumption>()
    /// Messages of clients by type, and by how they were answered.
    package var messages = Tally<MessageOutcome>()
    /// Events that were given to sessions, by type.
    package var events = Tally<MessageType>()
    /// Events that found no place in the log of their session, which its client hears of as lost.
    package var eventsSkipped = 0
    /// Requests that were refused, by code.
    package var problems = Tally<Problem>()
    /// Limits that were crossed.
    package var limits = Tally<ServiceLimitName>()
    /// Sessions that were told to go elsewhere.
    package var goaways = 0
    /// What should never happen, and did.
    package var internalErrors = 0

    package init() {}

    /// A limit was crossed.
    package mutating func trip(_ limit: ServiceLimitName) { limits.count(limit) }

    package mutating func add(_ other: NodeStatistics) {
        sessionsStarted += other.sessionsStarted
        sessionsEnded.add(other.sessionsEnded)
        roomsOpened += other.roomsOpened
        roomsClosed += other.roomsClosed
        streamsOpened.add(other.streamsOpened)
        resumptions.add(other.resumptions)
        messages.add(other.messages)
        events.add(other.events)
        eventsSkipped += other.eventsSkipped
        problems.add(other.problems)
        limits.add(other.limits)
        goaways += other.goaways
        internalErrors += other.internalErrors
    }
}

/// A message's type, and the code of its error, nil for none.
package struct MessageOutcome: Sendable, Hashable {
    package let type: MessageType
    package let error: MessageError.Code?

    package init(_ type: MessageType, _ error: MessageError.Code?) {
        self.type = type
        self.error = error
    }
}

/// What carries the events of a session.
package enum Transport: String, Sendable, CaseIterable {
    case sse, ndjson, poll, stream, websocket
    case socketIO = "socketio"
}

/// A member of ``ServiceLimits`` as measures name it. Each topic names its own in an extension.
package struct ServiceLimitName: Sendable, Hashable {
    package let name: String

    package init(_ name: String) { self.name = name }
}

extension ServiceLimitName {
    package static let messageSize = ServiceLimitName("message_size")
    package static let batch = ServiceLimitName("batch")
    package static let sessionsPerLoop = ServiceLimitName("sessions_per_loop")
    package static let roomsPerSession = ServiceLimitName("rooms_per_session")
    package static let roomCapacity = ServiceLimitName("room_capacity")
    package static let log = ServiceLimitName("log")
    package static let logAge = ServiceLimitName("log_age")
    package static let waitingBytes = ServiceLimitName("waiting_bytes")
    package static let adminQuestions = ServiceLimitName("admin_questions")
    package static let clientQuestions = ServiceLimitName("client_questions")
    package static let adminTimeout = ServiceLimitName("admin_timeout")
    package static let mailbox = ServiceLimitName("mailbox")
}
