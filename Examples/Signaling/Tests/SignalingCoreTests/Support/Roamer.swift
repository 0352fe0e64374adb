import Testing

@testable import SignalingCore

/// A client whose session goes from transport to transport: it takes events when it likes, and comes back with the last one
/// that it has.
final class Roamer {
    let peer: Peer
    private(set) var transport = Transport.sse
    private(set) var stream: StreamID?
    /// In the order in which it took them, without repeats.
    private(set) var events: [JSONFields] = []
    private(set) var lastSeq = 0
    /// Results of messages, by their ids: a code, or "ok".
    private(set) var results: [String: String] = [:]
    private(set) var resumptions: [String] = []
    /// How many writes of the present stream it has taken.
    private var looked = 0
    private var posts: [(request: RequestKey, ids: [String])] = []
    private var tags: [UInt64: String] = [:]

    static let transports: [Transport] = [.sse, .ndjson, .poll, .websocket, .stream, .socketIO]

    init(_ peer: Peer) { self.peer = peer }

    private var cluster: Cluster { peer.cluster }
    private func outlet(_ stream: StreamID) -> Cluster.Outlet { cluster.outlets[stream.loop] }
    var end: StreamEnd? { stream.flatMap { outlet($0).ended[$0] } }

    // MARK: Its stream

    func open(_ transport: Transport, on loop: Int, wait: Duration = .zero) {
        let node = cluster.nodes[loop]
        let stream = node.nextRequest()
        let last = lastSeq == 0 ? nil : EventID("1.\(lastSeq)")
        self.transport = transport
        self.stream = stream
        looked = 0
        switch transport {
        case .sse, .ndjson:
            node.openStream(
                stream, session: peer.sid, token: peer.token, transport, after: last, now: cluster.now)
        case .poll:
            node.poll(stream, session: peer.sid, token: peer.token, since: last, wait: wait, now: cluster.now)
        case .websocket, .stream, .socketIO:
            outlet(stream).transports[stream] = transport
            node.openStream(stream, transport, now: cluster.now)
            node.greet(stream, resume: Array(peer.ticket.utf8), after: last, now: cluster.now)
        }
    }

    /// Its end of the stream breaks.
    func cut() {
        guard let stream else { return }
        outlet(stream).blocked.remove(stream)
        cluster.nodes[stream.loop].streamClosed(stream, now: cluster.now)
        self.stream = nil
    }

    func block() {
        guard let stream else { return }
        outlet(stream).blocked.insert(stream)
    }

    func unblock() {
        guard let stream else { return }
        outlet(stream).blocked.remove(stream)
        cluster.nodes[stream.loop].streamDrained(stream, now: cluster.now)
    }

    /// Takes up to `limit` more of what its stream has. A poll is taken as a whole, and then another begins.
    func take(_ limit: Int) throws {
        guard let stream else { return }
        if transport == .poll {
            guard let reply = outlet(stream).replies[stream] else { return }
            guard reply.status == 200 else { return self.stream = nil }
            resumptions.append(reply.headers.first { $0.name == "signal-resumed" }?.value ?? "none")
            for event in try object(reply.body)["events"] as? [JSONFields] ?? [] { try receive(event) }
            return open(.poll, on: stream.loop)
        }
        if looked == 0, let resumption = outlet(stream).opened[stream] { resumptions.append(resumption.rawValue) }
        for frame in (outlet(stream).frames[stream] ?? []).dropFirst(looked).prefix(limit) {
            looked += 1
            for message in try messages(in: frame) { try receive(message) }
        }
    }

    /// The service never cuts a message in two.
    private func messages(in frame: [UInt8]) throws -> [JSONFields] {
        if transport.hasFrames { return [try object(frame)] }
        let text = String(decoding: frame, as: UTF8.self)
        guard transport == .sse else { return try text.split(separator: "\n").map { try object(String($0)) } }
        return try text.split(separator: "\n\n").filter { !$0.hasPrefix(":") }
            .map { try object(String($0.split(separator: "data: ", maxSplits: 1).last ?? "")) }
    }

    private func receive(_ message: JSONFields) throws {
        guard let seq = message["seq"] as? Int else { return answered(message) }
        guard seq > lastSeq else { return }
        lastSeq = seq
        events.append(message)
    }

    private func answered(_ message: JSONFields) {
        switch (message["t"] as? String, message["id"] as? String) {
        case ("resumed", _): resumptions.append(message["resumed"] as? String ?? "none")
        case ("ack", let id?): results[id] = "ok"
        case ("error", let id?): results[id] = message["code"] as? String
        default: break
        }
    }

    // MARK: Its messages

    /// Whether messages can go by its stream now.
    var mayWrite: Bool {
        guard let stream, transport.isDuplex, end == nil else { return false }
        return !outlet(stream).paused.contains(stream)
    }

    /// By its stream, if it carries messages and `byStream` is true; else by POST.
    func send(_ messages: [(id: String, text: String)], byStream: Bool) {
        guard byStream, mayWrite, let stream else {
            let body = "[\(messages.map(\.text).joined(separator: ","))]"
            return posts.append((peer.post(body), messages.map(\.id)))
        }
        let node = cluster.nodes[stream.loop]
        guard transport == .socketIO else {
            let frame = "[\(messages.map(\.text).joined(separator: ","))]"
            return node.receive(Array(frame.utf8), by: stream, now: cluster.now)
        }
        for message in messages where mayWrite {
            cluster.lastTag += 1
            tags[cluster.lastTag] = message.id
            node.receive(Array(message.text.utf8), by: stream, tag: cluster.lastTag, now: cluster.now)
        }
    }

    func acknowledge() {
        guard lastSeq > 0 else { return }
        send([("ack", "{\"t\":\"ack\",\"seq\":\(lastSeq)}")], byStream: true)
    }

    /// Looks at what was answered otherwise than by lines of its stream.
    func collect() throws {
        for (request, ids) in posts where peer.reply(request) != nil {
            for (id, result) in zip(ids, try peer.results(request)) { results[id] = result }
        }
        posts.removeAll { peer.reply($0.request) != nil }
        for outlet in cluster.outlets {
            for (tag, result) in outlet.results {
                guard let id = tags[tag] else { continue }
                let error = try object(result)["error"] as? JSONFields
                results[id] = error.map { $0["code"] as? String ?? "?" } ?? "ok"
            }
        }
    }
}
