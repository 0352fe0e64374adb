import Heliograph
import Logging
import SignalingCore

/// Sends what happens on one loop to the operator's receiver: in order, one delivery at a time, again when it fails. On the loop.
final class WebhookSender: ClientHandler {
    private let configuration: WebhookConfiguration
    private let client: Client
    private let loop: EventLoop
    private let logger: Logger
    /// What deliveries are signed with from now on.
    var secret: Secret
    private var queue: [NodeEvent] = []
    private var delivery: Delivery?
    private var timer: LoopTimer?
    private var random = SystemRandomNumberGenerator()
    private(set) var measures = WebhookMeasures()

    private struct Delivery {
        let id: String
        let body: [UInt8]
        let count: Int
        var attempt = 1
    }

    init(_ configuration: WebhookConfiguration, client: Client, on loop: EventLoop, logger: Logger) {
        self.configuration = configuration
        secret = configuration.secret
        self.client = client
        self.loop = loop
        self.logger = logger
        timer = LoopTimer(on: loop) { [unowned self] in send() }
    }

    func stop() { timer?.cancel() }

    func enqueue(_ event: NodeEvent) {
        guard queue.count < configuration.queue else {
            if measures.dropped == 0 { logger.warning("webhooks are dropped: the receiver does not keep up") }
            measures.dropped += 1
            return
        }
        queue.append(event)
        measures.queued = queue.count
        // What else happens in this turn of the loop goes along.
        if delivery == nil, timer?.isScheduled == false { timer?.schedule(after: .zero) }
    }

    // MARK: Sending

    private func send() {
        if delivery == nil { delivery = nextDelivery() }
        guard let delivery else { return }
        let seconds = loop.moment.unixMilliseconds / 1000
        let signature = WebhookSignature.header(secret: secret, seconds: seconds, body: delivery.body)
        do throws(ClientError) {
            var request = try ClientRequest(.post, configuration.url, body: delivery.body)
            request.headers = [
                ("content-type", "application/json"), ("user-agent", "signaling"),
                ("signaling-delivery", delivery.id), ("signaling-signature", signature),
            ]
            request.timeout = configuration.timeout
            try client.pool.send(request, to: self)
        } catch {
            failed("\(error)")
        }
    }

    private func nextDelivery() -> Delivery? {
        guard !queue.isEmpty else { return nil }
        let events = queue.prefix(configuration.batch)
        let id = "wh_" + String(random.next(), radix: 16) + String(random.next(), radix: 16)
        let delivery = Delivery(id: id, body: NodeEvent.delivery(id, Array(events)), count: events.count)
        queue.removeFirst(events.count)
        measures.queued = queue.count
        return delivery
    }

    func closed(_ exchange: ClientExchange, _ error: ClientError?) {
        if let error { return failed("\(error)") }
        guard (200..<300).contains(exchange.status) else { return failed("status \(exchange.status)") }
        measures.delivered += delivery?.count ?? 0
        delivery = nil
        if !queue.isEmpty { timer?.schedule(after: .zero) }
    }

    private func failed(_ reason: String) {
        guard let failed = delivery else { return }
        guard failed.attempt < configuration.attempts else {
            measures.dropped += failed.count
            delivery = nil
            logger.error(
                "a webhook is given up", metadata: ["delivery": "\(failed.id)", "reason": "\(reason)"])
            if !queue.isEmpty { timer?.schedule(after: configuration.pause) }
            return
        }
        if failed.attempt == 1 {
            logger.warning(
                "a webhook failed and is tried again", metadata: ["delivery": "\(failed.id)", "reason": "\(reason)"])
        }
        delivery?.attempt += 1
        measures.retries += 1
        timer?.schedule(after: pause(after: failed.attempt))
    }

    /// At least half of the doubled time, so that a receiver that is down is not hammered.
    private func pause(after attempt: Int) -> Duration {
        let longest = min(configuration.pause * (1 << min(attempt - 1, 20)), configuration.maxPause)
        return .nanoseconds(Int64.random(in: Int64(longest.nanoseconds / 2)...Int64(longest.nanoseconds)))
    }
}
