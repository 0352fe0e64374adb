@testable import SocketIO

extension SocketOptions {
    static func with(_ change: (inout SocketOptions) -> Void) -> SocketOptions {
        var options = SocketOptions()
        change(&options)
        return options
    }
}

/// Hubs of several loops in memory, on a clock that is moved by hand, with mailboxes between them.
final class HubCluster {
    fileprivate(set) var now: UInt64 = 1_000_000_000
    private(set) var hubs: [SocketHub] = []
    fileprivate var mail: [(to: Int, message: HubMessage)] = []
    /// How many broadcasts went from loop to loop.
    fileprivate(set) var broadcasts = 0
    fileprivate var outlets: [MemoryOutlet] = []

    init(
        loops: Int = 2, options: SocketOptions = SocketOptions(), setUp: (SocketHub) -> Void = { _ in }
    ) {
        for loop in 0..<loops {
            let outlet = MemoryOutlet(self)
            let hub = SocketHub(
                loop: loop, of: loops, options: options, random: SeededGenerator(seed: UInt64(loop + 1)),
                outlet: outlet)
            outlets.append(outlet)
            hubs.append(hub)
            _ = hub.main
            setUp(hub)
        }
    }

    /// Passes on what the loops have told each other, until they are silent.
    func settle() {
        while !mail.isEmpty {
            let (to, message) = mail.removeFirst()
            hubs[to].receive(message)
        }
    }

    func advance(seconds: UInt64) {
        now += seconds * 1_000_000_000
        for hub in hubs { hub.tick() }
        settle()
    }

    fileprivate func post(_ message: HubMessage, to loop: Int) {
        if case .broadcast = message { broadcasts += 1 }
        mail.append((loop, message))
    }

    /// A client that speaks over a WebSocket on a loop.
    func client(on loop: Int) -> MemoryClient {
        let client = MemoryClient(self, loop)
        settle()
        return client
    }
}

/// A client of a cluster.
final class MemoryClient {
    private let cluster: HubCluster
    private let hub: SocketHub
    private let key: TransportKey
    private var session: LoopID?

    fileprivate init(_ cluster: HubCluster, _ loop: Int) {
        self.cluster = cluster
        hub = cluster.hubs[loop]
        key = hub.nextTransport()
        cluster.outlets[loop].isOpen[key.number] = true
        session = hub.open(key, isWebSocket: true, SocketHandshake())
        _ = take()
    }

    func send(_ text: String) {
        guard let session else { return }
        _ = hub.forward(session, key, .framed(.text(bytes(text))))
        cluster.settle()
    }

    func send(_ data: [UInt8]) {
        guard let session else { return }
        _ = hub.forward(session, key, .framed(.binary(data)))
        cluster.settle()
    }

    /// What has come since it was last asked: texts, and bytes in base64.
    func take() -> [String] {
        let outlet = cluster.outlets[hub.loop]
        return outlet.frames.removeValue(forKey: key.number) ?? []
    }

    /// Says so and returns what comes for it.
    func ask(_ text: String) -> [String] {
        send(text)
        return take()
    }

    var isOpen: Bool { cluster.outlets[hub.loop].isOpen[key.number] == true }

    /// The connection under it goes.
    func drop() {
        guard let session else { return }
        cluster.outlets[hub.loop].isOpen[key.number] = false
        _ = hub.forward(session, key, .ended(isLost: false))
        cluster.settle()
    }

    /// Takes no more, or does again.
    func congest(_ isCongested: Bool) {
        cluster.outlets[hub.loop].isCongested = isCongested
        if !isCongested, let session { _ = hub.forward(session, key, .drained) }
    }

    /// Connects to the main namespace.
    ///
    /// - Returns: the answer's members.
    @discardableResult
    func connect(_ auth: String = "") -> SocketValue {
        guard let answer = ask("40\(auth)").first, answer.hasPrefix("40") else { return .null }
        return (try? SocketJSON(bytes(String(answer.dropFirst(2)))).value) ?? .null
    }
}

private final class MemoryOutlet: HubOutlet {
    private let cluster: HubCluster
    var frames: [UInt64: [String]] = [:]
    var isOpen: [UInt64: Bool] = [:]
    var isCongested = false

    init(_ cluster: HubCluster) { self.cluster = cluster }

    var now: UInt64 { cluster.now }

    func post(_ message: HubMessage, to loop: Int) -> Bool {
        cluster.post(message, to: loop)
        return true
    }

    func respond(_ key: TransportKey, _ response: EngineResponse) -> Bool { true }
    func accept(_ key: TransportKey) {}

    func send(_ key: TransportKey, _ packets: [EnginePacket]) -> Bool {
        for packet in packets { frames[key.number, default: []].append(text(EnginePacketCoder.payload([packet]))) }
        return !isCongested
    }

    func close(_ key: TransportKey) { isOpen[key.number] = false }
    func wake(at deadline: UInt64?) {}
}
