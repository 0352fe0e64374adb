/// What one loop has at this moment, and has counted.
package struct LoopMeasures: Sendable {
    package var loop = 0
    package var statistics = NodeStatistics()
    package var sessions = 0
    /// Sessions that have a stream.
    package var connectedSessions = 0
    package var rooms = 0
    package var members = 0
    /// Open streams by what carries them.
    package var streams = Tally<StreamKind>()
    package var isDraining = false

    // Queues.

    /// Events that sessions keep until their clients acknowledge them.
    package var keptEvents = 0
    /// Events that streams have not written yet.
    package var waitingEvents = 0
    /// Requests whose messages are on their way.
    package var pendingRequests = 0
    /// Messages to other loops, whose mailboxes are full.
    package var waitingMessages = 0

    // Memory, in bytes.

    package var logBytes = 0
    package var flightBytes = 0
    package var streamBytes = 0

    package var outlet = OutletMeasures()

    package init() {}
}

/// An open stream as measures name it.
package struct StreamKind: Sendable, Hashable {
    package let transport: Transport
    /// The version of HTTP: `1.1` or `2`.
    package let version: String
}

/// What the outside of a node, the loop and its connections, has at this moment and has counted.
package struct OutletMeasures: Sendable {
    package var connectionsAccepted = 0
    package var connectionsOpen = 0
    package var handshakes = 0
    package var resumptions = 0
    package var handshakeFailures = 0
    package var bytesReceived = 0
    package var bytesSent = 0
    package var requests = 0
    package var openRequests = 0
    package var refusals: [Int: Int] = [:]
    package var limits: [String: Int] = [:]
    package var http2Blocks = 0
    package var descriptors = 0
    package var timers = 0
    /// Nanoseconds.
    package var busy: UInt64 = 0
    /// Of the last second; nanoseconds.
    package var longestIteration: UInt64 = 0
    package var lag = LagHistogram()
    package var webhooks = WebhookMeasures()
    /// Of the process: one loop has them.
    package var keySet: KeySetMeasures?

    package init() {}
}

/// How the keys of tokens fare that come from a URL.
package struct KeySetMeasures: Sendable, Hashable {
    package var fetched = 0
    package var failed = 0
    package var keys = 0
    /// Since they were read last; nil when they never were.
    package var age: Duration?

    package init() {}
}

/// What became of the events that webhooks were to carry.
package struct WebhookMeasures: Sendable, Hashable {
    package var queued = 0
    package var delivered = 0
    package var retries = 0
    package var dropped = 0

    package init() {}
}

/// How late timers of a loop have fired: what whoever waits for the loop had to wait.
package struct LagHistogram: Sendable, Hashable {
    /// Upper bounds in milliseconds; what is above all of them is counted in the last of `counts`.
    package static let bounds = [1, 5, 10, 25, 50, 100, 250, 500, 1000]
    package private(set) var counts = Array(repeating: 0, count: bounds.count + 1)
    /// Nanoseconds.
    package private(set) var sum: UInt64 = 0

    package init() {}

    package mutating func record(_ nanoseconds: UInt64) {
        let index = Self.bounds.firstIndex { nanoseconds <= UInt64($0) * 1_000_000 } ?? Self.bounds.count
        counts[index] += 1
        sum &+= nanoseconds
    }
}
