import Heliograph
import Logging
import Testing

@testable import SignalingCore
@testable import signaling

@Suite struct WebhookTests {
    @Test func aDeliveryIsSignedWithItsTime() {
        let secret = Secret(bytes: Array("key".utf8))
        let header = WebhookSignature.header(secret: secret, seconds: 1_700_000_000, body: Array("{}".utf8))
        #expect(header == "t=1700000000,v1=9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae")
        #expect("\(secret)" == "[redacted]")
    }

    /// What a sender on a loop has counted when all that can be done has been.
    private func measures(
        _ configuration: WebhookConfiguration, events: Int, until isOver: @escaping @Sendable (WebhookMeasures) -> Bool
    ) async throws -> WebhookMeasures {
        let group = try EventLoopGroup(threads: 1)
        let client = try Client(on: group)
        let loop = group[0]
        let measures = await withCheckedContinuation { (continuation: CheckedContinuation<WebhookMeasures, Never>) in
            loop.execute {
                let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
                let sender = WebhookSender(configuration, client: client, on: loop, logger: logger)
                let event = NodeEvent(kind: .roomOpened, session: nil, room: nil, reason: nil, timestamp: 0)
                for _ in 0..<events { sender.enqueue(event) }
                func look() {
                    guard isOver(sender.measures) else {
                        loop.schedule(after: .milliseconds(1)) { look() }
                        return
                    }
                    sender.stop()
                    continuation.resume(returning: sender.measures)
                }
                look()
            }
        }
        await client.stop(within: .zero)
        await group.stopped()
        return measures
    }

    /// Nobody listens at port 1.
    private var configuration: WebhookConfiguration {
        WebhookConfiguration(url: "http://127.0.0.1:1/", secret: Secret(bytes: Array("key".utf8)))
    }

    @Test func eventsPastTheQueueAreDroppedAndCounted() async throws {
        var configuration = configuration
        configuration.queue = 3
        let counted = try await measures(configuration, events: 5) { _ in true }
        #expect(counted.queued == 3 && counted.dropped == 2)
    }

    @Test func aDeliveryIsGivenUpAfterItsLastTry() async throws {
        var configuration = configuration
        configuration.attempts = 3
        configuration.pause = .milliseconds(1)
        let counted = try await measures(configuration, events: 4) { $0.dropped > 0 }
        #expect(counted.dropped == 4 && counted.retries == 2 && counted.delivered == 0)
    }
}
