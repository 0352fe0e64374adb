import Heliograph
import Logging
import SignalingCore

/// What the node does with this loop's requests and the other loops.
final class LoopOutlet: NodeOutlet {
    /// Requests that are not answered, and streams that are open.
    var exchanges: [RequestKey: Exchange] = [:]
    /// Duplex streams that are open.
    var sinks: [StreamID: any StreamSink] = [:]
    /// What the loop and its connections have counted.
    var loopMeasures: (() -> OutletMeasures)?
    /// Finds out whose a token is.
    var verifyToken: ((TokenCheck) -> Void)?
    /// The relays of a client.
    var relays: ((Identity) -> [UInt8])?
    /// The same as fields of a response.
    var relayLinks: ((Identity) -> [String])?
    private let loop: EventLoop
    private let mailboxes: Mailboxes<LoopMessage>

    private let logger: Logger

    init(loop: EventLoop, mailboxes: Mailboxes<LoopMessage>, logger: Logger) {
        self.loop = loop
        self.mailboxes = mailboxes
        self.logger = logger
    }

    func post(_ message: LoopMessage, to index: Int) -> Bool {
        mailboxes.post(message, size: message.size, from: loop, to: index)
    }

    func reply(_ request: RequestKey, _ reply: Reply) {
        guard let exchange = exchanges[request] else { return }
        if let problem = reply.problem {
            let code: Logger.Metadata = ["code": "\(problem.rawValue)"]
            logger.debug("a request is refused", metadata: metadata(exchange.name(on: loop), code))
        }
        exchange.respond(reply)
    }

    func attached(_ stream: StreamID, to session: SessionID, by transport: Transport) {
        let connection = exchanges[stream]?.name(on: loop) ?? sinks[stream]?.connection
        logger.debug(
            "a stream carries a session",
            metadata: metadata(connection, ["session": "\(session)", "transport": "\(transport.rawValue)"]))
    }

    private func metadata(_ connection: String?, _ more: Logger.Metadata) -> Logger.Metadata {
        var metadata = more
        if let connection { metadata["connection"] = "\(connection)" }
        return metadata
    }

    func startStream(_ stream: StreamID, _ transport: Transport, _ resumption: Resumption) {
        guard let exchange = exchanges[stream] else { return }
        exchange.addHeader("cache-control", "no-store")
        exchange.addHeader("signal-resumed", resumption.rawValue)
        exchange.start(.ok, contentType: transport == .sse ? "text/event-stream" : "application/x-ndjson")
    }

    func write(_ stream: StreamID, _ bytes: [UInt8]) -> Bool {
        exchanges[stream]?.write(bytes) ?? sinks[stream]?.write(bytes) ?? false
    }

    func endStream(_ stream: StreamID, _ reason: StreamEnd) {
        exchanges[stream]?.finish()
        sinks[stream]?.end(reason)
    }

    func acknowledge(_ stream: StreamID, _ tag: UInt64, _ result: [UInt8]) { sinks[stream]?.acknowledge(tag, result) }

    func pauseReading(_ stream: StreamID) { sinks[stream]?.pause() }
    func resumeReading(_ stream: StreamID) { sinks[stream]?.resume() }

    func httpVersion(of stream: StreamID) -> String {
        exchanges[stream].map { $0.version == .http2 ? "2" : "1.1" } ?? sinks[stream]?.version ?? "unknown"
    }

    func queuedBytes(of stream: StreamID) -> Int {
        exchanges[stream]?.queuedBytes ?? sinks[stream]?.queuedBytes ?? 0
    }

    func iceServers(for identity: Identity) -> [UInt8] { relays?(identity) ?? Array("[]".utf8) }

    func iceLinks(for identity: Identity) -> [String] { relayLinks?(identity) ?? [] }

    func verify(_ check: TokenCheck) { verifyToken?(check) }

    func measures() -> OutletMeasures { loopMeasures?() ?? OutletMeasures() }
}

extension Exchange {
    /// Names its connection in the log: the loop, and which of the loop's connections it is. Nil after its end.
    func name(on loop: EventLoop) -> String? { connection.map { "\(loop.index)-\($0.serial)" } }

    func respond(_ reply: Reply) {
        guard !isClosed, let status = Status(reply.status) else { return }
        for header in reply.headers { addHeader(header.name, header.value) }
        guard let contentType = reply.contentType else {
            respond(status)
            return
        }
        respond(status, contentType: contentType, bytes: reply.body)
    }
}
