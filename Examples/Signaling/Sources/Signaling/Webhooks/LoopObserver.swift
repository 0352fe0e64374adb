import Logging
import SignalingCore

/// Hears what happens on the node of a loop: tells the webhooks of it, and the log of what should never happen.
final class LoopObserver: NodeObserver {
    private let webhooks: WebhookSender?
    private let logger: Logger

    init(webhooks: WebhookSender?, logger: Logger) {
        self.webhooks = webhooks
        self.logger = logger
    }

    func happened(_ event: NodeEvent) {
        webhooks?.enqueue(event)
        guard let session = event.session else { return }
        var metadata: Logger.Metadata = ["session": "\(session)"]
        if let reason = event.reason { metadata["reason"] = "\(reason.rawValue)" }
        logger.debug("\(event.kind.rawValue)", metadata: metadata)
    }

    func failed(_ what: String, session: SessionID, flight: [String]) {
        logger.error(
            "internal error: \(what)",
            metadata: ["session": "\(session)", "flight": .array(flight.map { .string($0) })])
    }
}
