import Testing

@testable import SignalingCore

@Suite struct ObservationTests {
    final class Log: NodeObserver {
        var events: [NodeEvent] = []
        var failures: [(what: String, flight: [String])] = []

        func happened(_ event: NodeEvent) { events.append(event) }

        func failed(_ what: String, session: SessionID, flight: [String]) { failures.append((what, flight)) }
    }

    @Test func sessionsAndRoomsAreToldInOrder() throws {
        let cluster = Cluster(loops: 1)
        let log = Log()
        cluster.nodes[0].observer = log
        let ada = try Peer(cluster)
        let bob = try Peer(cluster)
        try ada.join("r")
        try bob.join("r")
        _ = ada.bye()
        cluster.settle()
        #expect(try bob.send("{\"t\":\"leave\",\"room\":\"r\"}") == ["ok"])
        let kinds: [NodeEvent.Kind] = [
            .sessionStarted, .sessionStarted, .roomOpened, .peerJoined, .peerJoined, .sessionEnded, .peerLeft,
            .peerLeft, .roomClosed,
        ]
        #expect(log.events.map(\.kind) == kinds)
        #expect(log.events[5].reason == .bye && log.events[6].reason == .bye && log.events[7].reason == .left)
        #expect(log.events[6].session?.description == ada.sid)
    }

    @Test func messagesAreCountedByTypeAndOutcome() throws {
        let cluster = Cluster(loops: 2)
        let ada = try Peer(cluster)
        try ada.join("r")
        try ada.send("[{\"t\":\"ping\"},{\"t\":\"leave\",\"room\":\"other\"},{\"t\":\"made-up\"},{\"t\":\"ack\"}]")
        let counted = cluster.nodes[0].statistics.messages
        #expect(counted[MessageOutcome(.join, nil)] == 1)
        #expect(counted[MessageOutcome(.ping, nil)] == 1)
        #expect(counted[MessageOutcome(.leave, .notInRoom)] == 1)
        #expect(counted[MessageOutcome(.other, .unknownType)] == 1)
        #expect(counted[MessageOutcome(.ack, .badMessage)] == 1)
    }

    @Test func limitsThatAreCrossedAreCountedByName() throws {
        var limits = ServiceLimits()
        limits.sessionsPerLoop = 2
        limits.roomCapacity = 1
        limits.batch = 2
        let cluster = Cluster(loops: 1, limits: limits)
        let ada = try Peer(cluster)
        let bob = try Peer(cluster)
        cluster.nodes[0].createSession(cluster.nodes[0].nextRequest(), now: cluster.now)
        try ada.join("r")
        try bob.join("r")
        _ = ada.post("[{\"t\":\"ping\"},{\"t\":\"ping\"},{\"t\":\"ping\"}]")
        let tripped = cluster.nodes[0].statistics.limits
        #expect(tripped[.sessionsPerLoop] == 1 && tripped[.roomCapacity] == 1 && tripped[.batch] == 1)
    }

    @Test func theFlightRecorderKeepsTheLastEventsAndNothingOfTheirContent() throws {
        let cluster = Cluster(loops: 1)
        let ada = try Peer(cluster)
        let bob = try Peer(cluster)
        try ada.join("room-name")
        try bob.join("room-name")
        ada.open()
        for number in 0..<100 {
            let to = "\"to\":{\"peer\":\"\(ada.sid)\"},\"room\":\"room-name\""
            try bob.send("{\"t\":\"offer\",\"id\":\"i\(number)\",\(to),\"body\":{\"sdp\":\"secret-sdp\"}}")
        }
        let id = try #require(SessionID(ada.sid))
        let flight = try #require(cluster.nodes[0].sessions[id]?.flight)
        #expect(flight.lines.count == 64 && flight.count > 100)
        #expect(flight.lines.last?.contains("event t=offer size=") == true)
        for secret in ["secret-sdp", "room-name", bob.sid, String(decoding: ada.token, as: UTF8.self)] {
            #expect(!flight.lines.joined().contains(secret))
        }
        // An array may have room for a little more than it was asked for.
        #expect(flight.memory < 64 * 24)
    }

    @Test func theFlightRecorderOrdersWhatItKeepsByTime() {
        var flight = FlightRecorder(capacity: 3, now: 1_000_000)
        for number in 1...5 { flight.record(.request(size: UInt32(number)), now: UInt64(number) * 1_000_000) }
        #expect(flight.lines == ["+2ms request size=3", "+3ms request size=4", "+4ms request size=5"])
    }

    @Test func anInternalErrorHandsOverTheFlightRecorder() throws {
        let cluster = Cluster(loops: 1)
        let log = Log()
        cluster.nodes[0].observer = log
        let ada = try Peer(cluster)
        let stream = ada.open()
        let id = try #require(SessionID(ada.sid))
        cluster.nodes[0].receive(.written(id, stream, 1), now: cluster.now)
        #expect(log.failures.count == 1)
        #expect(log.failures.first?.flight.first == "+0ms started")
        #expect(cluster.nodes[0].statistics.internalErrors == 1)
    }
}
