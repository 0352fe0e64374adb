@testable import SocketIO

/// A session of Engine.IO with transports that note what they are told, on a clock that is moved by hand.
final class EngineRig: EngineSessionHost {
    private(set) var now: UInt64 = 1_000_000_000
    private var made: EngineSession?
    /// By the numbers of the requests.
    private(set) var answers: [UInt64: String] = [:]
    private(set) var frames: [UInt64: [String]] = [:]
    private(set) var accepted: [UInt64] = []
    private(set) var closed: [UInt64] = []
    private(set) var received: [EngineData] = []
    private(set) var end: EngineEnd?
    private(set) var limits: [SocketLimit] = []
    /// A WebSocket takes no more than it is sent.
    var isCongested = false

    /// It begins by the request 1.
    init(isWebSocket: Bool = false, _ change: (inout SocketOptions) -> Void = { _ in }) {
        var options = SocketOptions()
        change(&options)
        var random: any RandomNumberGenerator = SeededGenerator(seed: 1)
        let session = EngineSession(
            id: LoopID(loop: 0, random: &random), by: key(1), isWebSocket: isWebSocket,
            options: EngineOptions(options), host: self, now: now)
        made = session
        session.open()
        session.flush()
    }

    var session: EngineSession {
        guard let made else { preconditionFailure("it is made in init") }
        return made
    }

    func key(_ number: UInt64) -> TransportKey { TransportKey(loop: 0, number: number) }

    func poll(_ number: UInt64) {
        session.polled(key(number))
        session.flush()
    }

    func post(_ number: UInt64, _ body: String) {
        session.uploadBegan(key(number))
        session.uploaded(key(number), bytes(body), now: now)
    }

    func frame(_ number: UInt64, _ text: String) { session.framed(key(number), .text(bytes(text)), now: now) }

    func say(_ messages: String...) {
        for message in messages { session.send(EnginePacket(.message, .text(bytes(message)))) }
        session.flush()
    }

    func advance(seconds: UInt64) {
        now += seconds * 1_000_000_000
        session.tick(now: now)
        session.flush()
    }

    // MARK: EngineSessionHost

    func respond(_ session: LoopID, _ key: TransportKey, _ response: EngineResponse) {
        switch response {
        case .ok: answers[key.number] = "ok"
        case .packets(let packets): answers[key.number] = text(EnginePacketCoder.payload(packets))
        case .refused(let refusal): answers[key.number] = "\(refusal.status)"
        }
    }

    func accept(_ key: TransportKey) { accepted.append(key.number) }

    func send(_ key: TransportKey, _ packets: [EnginePacket]) -> Bool {
        for packet in packets { frames[key.number, default: []].append(text(EnginePacketCoder.payload([packet]))) }
        return !isCongested
    }

    func close(_ key: TransportKey) { closed.append(key.number) }
    func received(_ session: EngineSession, _ message: EngineData) { received.append(message) }
    func ended(_ session: EngineSession, _ reason: EngineEnd) { end = reason }
    func needsFlush(_ session: EngineSession) {}
    func tripped(_ limit: SocketLimit) { limits.append(limit) }
}
