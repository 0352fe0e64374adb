import SignalingCore
import Testing

@testable import SocketIO
@testable import signaling

/// A node in memory, and clients of the vocabulary whose sessions it has.
final class VocabularyRig: NodeOutlet {
    private(set) var limits = ServiceLimits()
    private var made: SignalingNode?
    private var users: [StreamID: RigUser] = [:]
    private(set) var now = Moment(nanoseconds: 1_000_000_000, unixMilliseconds: 1_700_000_000_000)

    init(_ change: (inout ServiceLimits) -> Void = { _ in }) {
        change(&limits)
        made = SignalingNode(
            loop: 0, of: 1, limits: limits, random: SystemRandomNumberGenerator(), signer: TicketKeys(),
            epoch: 1, now: now, outlet: self)
    }

    var node: SignalingNode {
        guard let made else { preconditionFailure("it is made in init") }
        return made
    }

    /// A client whose connection has this query.
    func user(_ query: [String: String] = [:]) -> RigUser {
        let user = RigUser(self, query)
        users[user.stream] = user
        node.openStream(user.stream, .socketIO, now: now)
        node.greet(user.stream, now: now)
        return user
    }

    func close(_ user: RigUser) { node.receive(Array("{\"t\":\"bye\"}".utf8), by: user.stream, now: now) }

    // MARK: NodeOutlet

    func post(_ message: LoopMessage, to loop: Int) -> Bool { false }
    func reply(_ request: RequestKey, _ reply: Reply) {}
    func startStream(_ stream: StreamID, _ transport: Transport, _ resumption: Resumption) {}

    func write(_ stream: StreamID, _ bytes: [UInt8]) -> Bool {
        users[stream]?.write(SocketJSON(valid: bytes))
        return true
    }

    func endStream(_ stream: StreamID, _ reason: StreamEnd) {}

    func acknowledge(_ stream: StreamID, _ tag: UInt64, _ result: [UInt8]) {
        users[stream]?.finish(tag, SocketJSON(valid: result).value["error"]["code"].string)
    }

    func pauseReading(_ stream: StreamID) {}
    func resumeReading(_ stream: StreamID) {}
}

/// A client with what it hears: each event as `name: arguments`, in JSON.
final class RigUser: VocabularyHost {
    private let rig: VocabularyRig
    let stream: StreamID
    private let query: [String: String]
    private(set) var sid = ""
    private var client: VocabularyClient?
    private var outcomes: [UInt64: (String?) -> Void] = [:]
    private var lastTag: UInt64 = 0
    private(set) var trips: [ServiceLimitName] = []
    private var heard: [String] = []
    var mayList = true

    fileprivate init(_ rig: VocabularyRig, _ query: [String: String]) {
        self.rig = rig
        self.query = query
        stream = rig.node.nextRequest()
    }

    /// What it has heard since it was last asked.
    func hears() -> [String] {
        defer { heard = [] }
        return heard
    }

    /// Says an event.
    ///
    /// - Returns: what it was acknowledged with, in JSON; nil when it was not.
    @discardableResult
    func say(_ event: String, _ arguments: String...) throws -> String? {
        var answer: String?
        let text = bytes("[" + arguments.joined(separator: ",") + "]")
        var reader = SocketJSONReader(text, maxDepth: 32)
        let ranges = try reader.elementRanges()
        let isTaken = client?.take(event, SocketArguments(text: text, ranges[...])) { answer = Self.text($0) }
        #expect(isTaken == true)
        return answer
    }

    /// A message of the service, as other clients send it.
    func send(_ message: String) { rig.node.receive(bytes(message), by: stream, now: rig.now) }

    fileprivate func write(_ event: SocketJSON) {
        guard client == nil else {
            client?.hear(EventName.of(event.bytes) ?? "", event)
            return
        }
        sid = event.value["sid"].string ?? ""
        client = VocabularyClient(VocabularyQuery(query, maxSize: limits.identifierSize), sid: sid, host: self)
    }

    fileprivate func finish(_ tag: UInt64, _ error: String?) { outcomes.removeValue(forKey: tag)?(error) }

    private static func text(_ values: [SocketValue]) -> String {
        values.map { String(decoding: SocketJSON($0)?.bytes ?? [], as: UTF8.self) }.joined(separator: ",")
    }

    // MARK: VocabularyHost

    var limits: ServiceLimits { rig.limits }

    func emit(_ event: String, _ arguments: [SocketValue]) { heard.append("\(event): \(Self.text(arguments))") }

    func send(_ message: [UInt8], _ done: @escaping (String?) -> Void) {
        lastTag += 1
        outcomes[lastTag] = done
        rig.node.receive(message, by: stream, tag: lastTag, now: rig.now)
    }

    func ask(_ room: RoomName, _ done: @escaping (SocketJSON?) -> Void) {
        rig.node.askEntrance(of: room, now: rig.now) { done($0.map { SocketJSON(valid: $0) }) }
    }

    func enquire(_ enquiry: VocabularyEnquiry, _ done: @escaping (SocketValue?) -> Void) {
        done(mayList ? ["response": "all", "channelinfo": []] : nil)
    }

    func trip(_ limit: ServiceLimitName) { trips.append(limit) }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
