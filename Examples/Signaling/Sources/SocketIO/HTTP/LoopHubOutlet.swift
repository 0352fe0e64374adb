internal import Heliograph

/// What a hub does with the requests and WebSockets of its loop, and the other loops.
final class LoopHubOutlet: HubOutlet {
    var hub: SocketHub?
    /// Requests that are not answered, and WebSockets.
    var transports: [UInt64: SocketTransport] = [:]
    private let loop: EventLoop
    private let mailboxes: Mailboxes<HubMessage>
    private var timer: LoopTimer?
    private var wakesAt: UInt64?

    init(loop: EventLoop, mailboxes: Mailboxes<HubMessage>) {
        self.loop = loop
        self.mailboxes = mailboxes
        timer = LoopTimer(on: loop) { [self] in
            wakesAt = nil
            hub?.tick()
        }
    }

    var now: UInt64 { loop.now }

    func post(_ message: HubMessage, to index: Int) -> Bool {
        mailboxes.post(message, size: message.size, from: loop, to: index)
    }

    /// - Returns: false when the request went while its answer was on the way.
    func respond(_ key: TransportKey, _ response: EngineResponse) -> Bool {
        transports[key.number]?.respond(response) ?? false
    }

    func accept(_ key: TransportKey) { transports[key.number]?.accept() }

    func send(_ key: TransportKey, _ packets: [EnginePacket]) -> Bool {
        transports[key.number]?.send(packets) ?? false
    }

    func close(_ key: TransportKey) { transports[key.number]?.close() }

    func wake(at deadline: UInt64?) {
        guard let deadline, wakesAt.map({ deadline < $0 }) ?? true else { return }
        wakesAt = deadline
        timer?.schedule(at: deadline)
    }
}
