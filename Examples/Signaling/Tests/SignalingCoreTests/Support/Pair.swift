import Testing

@testable import SignalingCore

/// Two peers whose connections, sessions and room are on as many loops as there are; both in the room `r`.
struct Pair {
    let cluster: Cluster
    let ada: Peer
    let bob: Peer

    init(loops: Int, limits: ServiceLimits = ServiceLimits()) throws {
        cluster = Cluster(loops: loops, limits: limits)
        ada = try Peer(cluster, home: 0, session: loops - 1)
        bob = try Peer(cluster, home: 1 % loops, session: 1 % loops)
        ada.open(on: loops / 2)
        bob.open()
        cluster.settle()
        try ada.join("r")
        try bob.join("r")
    }

    /// One more member of the room.
    func third(_ subject: String? = nil) throws -> Peer {
        let peer = try Peer(cluster, home: 0)
        if let subject { cluster.name(peer, subject) }
        peer.open()
        cluster.settle()
        try peer.join("r")
        return peer
    }
}

extension Cluster {
    /// Lets a session be of a subject, as its credential would.
    func name(_ peer: Peer, _ subject: String) {
        guard let id = SessionID(peer.sid) else { return }
        nodes[id.loop].sessions[id]?.identity.subject = Identifier(Array(subject.utf8), maxSize: 128)
    }
}

extension Peer {
    /// A message to another peer in the room `r`; `rest` are further fields, each with its comma before it.
    func message(_ type: String, to peer: Peer, _ rest: String = "") -> String {
        "{\"t\":\"\(type)\",\"room\":\"r\",\"to\":{\"peer\":\"\(peer.sid)\"}\(rest)}"
    }

    /// The events of a type that it has.
    func events(_ type: String) throws -> [JSONFields] { try events().filter { $0["t"] as? String == type } }

    /// The stream takes nothing more, until ``unblock()``.
    func block() {
        guard let stream else { return }
        cluster.outlets[stream.loop].blocked.insert(stream)
    }

    func unblock() {
        guard let stream else { return }
        cluster.outlets[stream.loop].blocked.remove(stream)
        cluster.nodes[stream.loop].streamDrained(stream, now: cluster.now)
        cluster.settle()
    }
}
