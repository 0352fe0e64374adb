import Testing

@testable import SignalingCore

/// A client of a cluster that speaks over a duplex stream.
final class Duplex {
    let cluster: Cluster
    let stream: StreamID
    let transport: Transport

    init(_ cluster: Cluster, on loop: Int = 0, _ transport: Transport = .websocket) {
        self.cluster = cluster
        self.transport = transport
        stream = cluster.nodes[loop].nextRequest()
        cluster.outlets[loop].transports[stream] = transport
        cluster.nodes[loop].openStream(stream, transport, now: cluster.now)
    }

    private var node: SignalingNode { cluster.nodes[stream.loop] }
    private var outlet: Cluster.Outlet { cluster.outlets[stream.loop] }

    func hello(_ identity: Identity = .development) {
        node.greet(stream, identity, now: cluster.now)
        cluster.settle()
    }

    func resume(_ ticket: String, after last: String? = nil) {
        node.greet(
            stream, resume: Array(ticket.utf8), after: last.flatMap { EventID($0) }, now: cluster.now)
        cluster.settle()
    }

    func send(_ message: String, tag: UInt64? = nil) {
        node.receive(Array(message.utf8), by: stream, tag: tag, now: cluster.now)
    }

    func cut() { node.streamClosed(stream, now: cluster.now) }

    func drain() {
        outlet.blocked.remove(stream)
        node.streamDrained(stream, now: cluster.now)
    }

    var isPaused: Bool { outlet.paused.contains(stream) }
    var end: StreamEnd? { outlet.ended[stream] }

    func block() { outlet.blocked.insert(stream) }

    /// All that came down the stream; by WebSocket each message is a frame of its own.
    func messages() throws -> [JSONFields] {
        let frames = outlet.frames[stream] ?? []
        if transport.hasFrames { return try frames.map { try object($0) } }
        return try frames.joined().split(separator: UInt8(ascii: "\n")).map { try object(Array($0)) }
    }

    func types() throws -> [String] { try messages().map { $0["t"] as? String ?? "?" } }
    func first(_ type: String) throws -> JSONFields {
        try #require(try messages().first { $0["t"] as? String == type })
    }
}
