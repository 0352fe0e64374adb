import Heliograph

/// One of two who call: those with even numbers offer, those with odd ones answer.
final class CallPeer: FieldPeer, SessionOwner {
    private let field: Field
    private let number: Int
    private let room: String
    private lazy var link = field.link(self)
    private var other = ""
    private var calls = 0
    private var sent = 0
    private var due: UInt64 = 0

    init(_ field: Field, _ number: Int) {
        self.field = field
        self.number = number
        room = field.room(number / 2)
    }

    func open() { link.open() }
    func opened(_ session: SessionLink) { session.send(join(room)) }

    func begin() {
        guard number % 2 == 0, !other.isEmpty, !field.bench.recorder.isOver else { return }
        field.bench.schedule.next { [self] due in
            self.due = due
            calls += 1
            send("offer", to: other, call: "k\(calls)", body: "{\"type\":\"offer\",\"sdp\":\"\(field.description)\"}")
            send("candidates", to: other, call: "k\(calls)", body: Self.candidates)
        }
    }

    func received(_ type: Substring, _ message: String) {
        switch type {
        case "joined": field.isReady()
        case "peer_joined": other = message.field("peer") ?? ""
        case "offer":
            guard let peer = message.field("peer"), let call = message.field("call") else { return }
            send("answer", to: peer, call: call, body: "{\"type\":\"answer\",\"sdp\":\"\(field.description)\"}")
            send("candidates", to: peer, call: call, body: Self.candidates)
        case "answer":
            field.bench.recorder.succeeded(since: due, bytes: message.utf8.count, version: field.transport.rawValue)
            send("hangup", to: other, call: "k\(calls)", body: "{\"reason\":\"user_hangup\"}")
            begin()
        default: break
        }
    }

    private func send(_ type: String, to peer: String, call: String, body: String) {
        sent += 1
        link.send(
            "{\"t\":\"\(type)\",\"id\":\"\(sent)\",\"to\":{\"peer\":\"\(peer)\"},\"room\":\"\(room)\","
                + "\"call\":\"\(call)\",\"neg\":1,\"body\":\(body)}")
    }

    private static let candidates = """
        {"ufrag":"abcd","candidates":[{"candidate":"candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host",\
        "sdpMid":"0","sdpMLineIndex":0}],"end":true}
        """
}

/// A member of a room of ten that leaves and joins again.
final class PresencePeer: FieldPeer, SessionOwner {
    private let field: Field
    private let room: String
    private lazy var link = field.link(self)
    private var isReady = false
    private var due: UInt64 = 0

    init(_ field: Field, _ number: Int) {
        self.field = field
        room = field.room(number / 10)
    }

    func open() { link.open() }
    func opened(_ session: SessionLink) { session.send(join(room)) }

    func begin() {
        guard !field.bench.recorder.isOver else { return }
        field.bench.schedule.next { [self] due in
            self.due = due
            link.send("{\"t\":\"leave\",\"id\":\"l\(Recorder.now)\",\"room\":\"\(room)\"}")
            link.send(join(room))
        }
    }

    func received(_ type: Substring, _ message: String) {
        guard type == "joined" else { return }
        guard isReady else {
            isReady = true
            return field.isReady()
        }
        field.bench.recorder.succeeded(since: due, bytes: message.utf8.count, version: field.transport.rawValue)
        begin()
    }
}

/// A session whose connection drops, and that resumes.
final class ReturningPeer: FieldPeer, SessionOwner {
    private let field: Field
    private let room: String
    private lazy var link = WebSocketLink(field.bench, field.place, owner: self)
    private var isReady = false
    private var due: UInt64 = 0

    init(_ field: Field, _ number: Int) {
        self.field = field
        room = field.room(number / 10)
    }

    func open() { link.open() }

    func begin() {
        guard !field.bench.recorder.isOver else { return }
        field.bench.schedule.next { [self] due in
            self.due = due
            link.reopen()
        }
    }

    func opened(_ session: SessionLink) {
        guard isReady else { return session.send(join(room)) }
        field.bench.recorder.succeeded(since: due, bytes: 0, version: field.transport.rawValue)
        begin()
    }

    func received(_ type: Substring, _ message: String) {
        guard type == "joined", !isReady else { return }
        isReady = true
        field.isReady()
    }
}

/// A session that begins, joins a room, and ends; then the next.
final class StormPeer: SessionOwner {
    private let field: Field
    private let number: Int
    private var link: WebSocketLink?
    private var due: UInt64 = 0

    init(_ field: Field, _ number: Int) {
        self.field = field
        self.number = number
    }

    func begin() {
        guard !field.bench.recorder.isOver else { return }
        field.bench.schedule.next { [self] due in
            self.due = due
            link = WebSocketLink(field.bench, field.place, owner: self)
            link?.open()
        }
    }

    func opened(_ session: SessionLink) { session.send(join(field.room(number))) }

    func received(_ type: Substring, _ message: String) {
        guard type == "joined" else { return }
        field.bench.recorder.succeeded(since: due, bytes: message.utf8.count, version: field.transport.rawValue)
        link?.send("{\"t\":\"bye\"}")
        link?.close()
        begin()
    }
}
