import SignalingCore
import SocketIO

/// A session over Socket.IO: each message is an event, whose name is its type, and what became of it is the event's
/// acknowledgement. The client is let in when the node has taken it. Of a client that speaks the vocabulary, events are its own.
final class SocketIOStream: StreamSink {
    private let service: LoopService
    private let id: StreamID
    private let socket: ServerSocket
    /// Lets the socket in, or not. Nil when it has done so.
    private var admit: ((SocketRefusal?) -> Void)?
    /// What waits for the outcome of messages, by their tags.
    private var outcomes: [UInt64: (_ result: [UInt8]) -> Void] = [:]
    private var lastTag: UInt64 = 0
    private var isPaused = false
    /// What has come while it was paused.
    private var waiting = FIFO<(take: () -> Void, size: Int)>()
    private var waitingBytes = 0
    private var isOver = false
    /// The session's name, once it is known.
    private var sid = ""
    private var identity = Identity.development
    /// What stands between the session and a client that speaks the vocabulary.
    private var vocabulary: VocabularyClient?
    /// Events that its client, who does not know of acknowledging them, was told since the last acknowledgement.
    private var unacknowledged = 0

    init(_ service: LoopService, _ socket: ServerSocket, _ admit: @escaping (SocketRefusal?) -> Void) {
        self.service = service
        self.socket = socket
        self.admit = admit
        id = service.node.nextRequest()
    }

    static func options(_ limits: ServiceLimits) -> SocketOptions {
        var options = SocketOptions()
        // A message, and what Socket.IO has around it.
        options.maxPayload = limits.messageSize + 1024
        options.maxDepth = limits.depth
        options.pingInterval = limits.pingInterval
        // Origins are seen to before it.
        options.origins = .any
        return options
    }

    // MARK: Its beginning

    func open() {
        let handshake = socket.handshake
        guard handshake.query["token"] == nil, handshake.query["access_token"] == nil else {
            return refuse(.tokenInURL, "a token has no place in a URL: it belongs into auth")
        }
        let address = ClientAddress(handshake.peerHost)
        if let refusal = service.node.refusal(of: address, now: service.now) {
            return refuse(refusal.problem ?? .rateLimited, "too many sessions from this address")
        }
        service.outlet.sinks[id] = self
        service.node.openStream(id, .socketIO, now: service.now)
        let auth = socket.auth
        if let ticket = auth["resume"].string {
            let last = auth["last"].string.flatMap { EventID($0) }
            service.node.greet(id, resume: Array(ticket.utf8), after: last, from: address, now: service.now)
        } else {
            let token = auth["token"].string.map { Array($0.utf8) } ?? bearerToken
            service.greet(id, credential: token, from: address) { [weak self] in self?.identity = $0 }
        }
    }

    private var bearerToken: [UInt8]? {
        guard let field = socket.handshake.headers["authorization"], field.lowercased().hasPrefix("bearer ") else {
            return nil
        }
        return Array(field.utf8.dropFirst(7))
    }

    private func refuse(_ problem: Problem, _ detail: String) {
        answer(SocketRefusal(problem.rawValue, data: ["code": .string(problem.rawValue), "detail": .string(detail)]))
    }

    private func answer(_ refusal: SocketRefusal?) {
        let admit = admit
        self.admit = nil
        admit?(refusal)
    }

    // MARK: From the client

    private func take(_ event: String, _ arguments: SocketArguments, _ ack: SocketAck) {
        guard !isOver else { return }
        guard isPaused else { return takeNow(event, arguments, ack) }
        let size = arguments.allRelayed.reduce(event.utf8.count) { $0 + $1.size }
        waiting.append(({ [unowned self] in takeNow(event, arguments, ack) }, size))
        waitingBytes += size
        guard waitingBytes > service.limits.socketIOBacklog else { return }
        service.node.statistics.trip(.socketIOBacklog)
        service.node.refuse(stream: id, .busy, "too much waits to be taken", now: service.now)
    }

    private func takeNow(_ event: String, _ arguments: SocketArguments, _ ack: SocketAck) {
        if vocabulary == nil, VocabularyEvent(rawValue: event) != nil { speakVocabulary() }
        if vocabulary?.take(event, arguments, { ack.send($0) }) == true { return }
        guard let frame = Self.frame(event, arguments) else {
            return ack(["error": ["code": "bad_message", "detail": "an event has one argument, an object"]])
        }
        guard ack.isWanted else { return service.node.receive(frame, by: id, now: service.now) }
        give(frame) { ack(.json(SocketJSON(valid: $0))) }
    }

    /// Gives the node a message whose outcome is waited for.
    private func give(_ frame: [UInt8], _ done: @escaping (_ result: [UInt8]) -> Void) {
        lastTag += 1
        outcomes[lastTag] = done
        service.node.receive(frame, by: id, tag: lastTag, now: service.now)
    }

    /// The message: the argument's own text, with its type before it.
    private static func frame(_ event: String, _ arguments: SocketArguments) -> [UInt8]? {
        guard arguments.count <= 1 else { return nil }
        var body = Array("{}".utf8)
        if arguments.count == 1 {
            guard case .json(let json) = arguments.relayed(0), json.bytes.first == UInt8(ascii: "{") else { return nil }
            body = json.bytes
        }
        var writer = JSONWriter()
        writer.object { $0.field("t", event) }
        let fields = body.dropFirst()
        let isEmpty = fields.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: "}")
        return writer.bytes.dropLast() + (isEmpty ? [] : [UInt8(ascii: ",")]) + fields
    }

    private func closed(_ reason: SocketEnd) {
        guard !isOver else { return }
        isOver = true
        // Who says that he goes does not come back, and the vocabulary has no way to.
        if reason == .clientDisconnect || vocabulary != nil {
            service.node.receive(Array("{\"t\":\"bye\"}".utf8), by: id, now: service.now)
        }
        forget()
        service.node.streamClosed(id, now: service.now)
    }

    private func forget() {
        service.outlet.sinks[id] = nil
        outcomes = [:]
        waiting = FIFO()
    }

    // MARK: From the node

    var version: String { socket.handshake.isHTTP2 ? "2" : "1.1" }
    var queuedBytes: Int { socket.waitingBytes }

    func write(_ bytes: [UInt8]) -> Bool {
        guard !isOver, let name = EventName.of(bytes) else { return true }
        if admit != nil {
            // Why it is refused: its end follows.
            guard name != "error" else {
                answer(Self.refusal(bytes))
                return true
            }
            answer(nil)
            guard socket.isConnected else {
                // Its client has gone while it was asked who it is.
                closed(.transportClose)
                return false
            }
            // A socket that never got in would keep them, and with them itself.
            socket.onAny { [self] event, arguments, ack in take(event, arguments, ack) }
            socket.onDisconnect { [self] reason in closed(reason) }
        }
        guard socket.isConnected else { return true }
        tell(name, SocketJSON(valid: bytes))
        guard socket.waitingBytes > service.limits.streamWindow else { return true }
        socket.whenDrained { [self] in if !isOver { service.node.streamDrained(id, now: service.now) } }
        return false
    }

    private func tell(_ name: String, _ event: SocketJSON) {
        if sid.isEmpty, name == "welcome" || name == "resumed" {
            sid = event.member("sid")?.value.string ?? ""
            if VocabularyQuery.speaks(socket.handshake.query) { speakVocabulary() }
        }
        guard let vocabulary else { return socket.emit(name, .json(event)) }
        vocabulary.hear(name, event)
        acknowledge(event)
    }

    private static func refusal(_ bytes: [UInt8]) -> SocketRefusal {
        let problem = SocketJSON(valid: bytes).value
        let code = problem["code"].string ?? "refused"
        return SocketRefusal(code, data: ["code": .string(code), "detail": problem["detail"]])
    }

    func acknowledge(_ tag: UInt64, _ result: [UInt8]) {
        outcomes.removeValue(forKey: tag)?(result)
    }

    func end(_ reason: StreamEnd) {
        guard !isOver else { return }
        isOver = true
        forget()
        answer(SocketRefusal(reason.name, data: ["code": .string(reason.name)]))
        guard socket.isConnected else { return }
        switch reason {
        // Clients come back by themselves when a connection breaks, and not when they are put out.
        case .goaway, .slow: socket.closeConnection()
        case .ended, .replaced, .refused:
            socket.emit("end", ["code": .integer(Int(reason.code)), "reason": .string(reason.name)])
            socket.disconnect(closing: true)
        }
    }

    func pause() { isPaused = true }

    func resume() {
        isPaused = false
        while !isPaused, !isOver, let (take, size) = waiting.popFirst() {
            waitingBytes -= size
            take()
        }
    }
}

// MARK: - The vocabulary

extension SocketIOStream: VocabularyHost {
    private func speakVocabulary() {
        let query = VocabularyQuery(socket.handshake.query, maxSize: limits.identifierSize)
        vocabulary = VocabularyClient(query, sid: sid, host: self)
    }

    /// Lets the session forget what its client has been told.
    private func acknowledge(_ event: SocketJSON) {
        guard let seq = event.member("seq")?.value.integer else { return }
        unacknowledged += 1
        guard unacknowledged >= Self.acknowledgedAtOnce else { return }
        unacknowledged = 0
        service.node.receive(Array("{\"t\":\"ack\",\"seq\":\(seq)}".utf8), by: id, now: service.now)
    }

    private static let acknowledgedAtOnce = 32

    var limits: ServiceLimits { service.limits }

    func emit(_ event: String, _ arguments: [SocketValue]) { socket.emit(event, arguments) }

    func send(_ message: [UInt8], _ done: @escaping (_ error: String?) -> Void) {
        guard !isOver else { return }
        give(message) { result in done(SocketJSON(valid: result).value["error"]["code"].string) }
    }

    func ask(_ room: RoomName, _ done: @escaping (SocketJSON?) -> Void) {
        service.node.askEntrance(of: room, now: service.now) { done($0.map { SocketJSON(valid: $0) }) }
    }

    func enquire(_ enquiry: VocabularyEnquiry, _ done: @escaping (SocketValue?) -> Void) {
        guard identity.grants.contains(.list) else { return done(nil) }
        service.answer(enquiry, for: .clients) { done(try? $0.get()) }
    }

    func trip(_ limit: ServiceLimitName) { service.node.statistics.trip(limit) }
}

extension SocketValue {
    /// About how much it takes, in bytes.
    fileprivate var size: Int {
        switch self {
        case .json(let text): text.bytes.count
        case .binary(let data): data.count
        case .string(let text): text.utf8.count
        case .array(let values): values.reduce(16) { $0 + $1.size }
        case .object(let object): object.members.reduce(16) { $0 + $1.name.utf8.count + $1.value.size }
        case .null, .bool, .integer, .number: 8
        }
    }
}

extension ServiceLimitName {
    static let socketIOBacklog = ServiceLimitName("socket_io_backlog")
}
