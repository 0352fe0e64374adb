import HelioHTTP
import HeliographTesting
import Testing

/// Every wait of a client has an end.
@Suite struct ClientTimeTests {
    private let preface = FrameBuilder.settings() + FrameBuilder.frame(.settings, flags: FrameBuilder.ack)
    private let head = FrameBuilder.headers(stream: 1, [(":status", "200")], flags: FrameBuilder.endHeaders)

    private func started(
        _ change: (inout ClientLimits) -> Void = { _ in }, _ request: ClientRequest? = nil, isStreamed: Bool = false
    ) -> (MemoryClient, RecordingClientHandler, ClientExchange) {
        var limits = ClientLimits()
        change(&limits)
        let client = MemoryClient(limits: limits)
        let handler = RecordingClientHandler()
        let exchange = client.send(
            request ?? ClientRequest(authority: "localhost"), to: handler, isStreamed: isStreamed)
        _ = client.output()
        client.receive(preface)
        return (client, handler, exchange)
    }

    /// The deadline that the session names is the one at which it acts.
    private func passes(_ client: MemoryClient, _ seconds: Int) {
        let due = client.session.nextDeadline(now: client.clock.now)
        #expect(due <= client.clock.now + UInt64(seconds) * 1_000_000_000)
        client.advance(by: .seconds(seconds - 1))
        #expect(client.shared.counterSnapshot().limitsTripped.isEmpty)
        client.advance(by: .seconds(1))
    }

    @Test func aServerThatDoesNotAnswerIsGivenUp() {
        let (client, handler, _) = started { $0.responseTimeout = .seconds(5) }
        passes(client, 5)
        #expect(handler.error.name == "limit response_timeout")
        #expect(RawFrame.parse(client.output()).contains { $0.isType(.resetStream) })
        client.leave()
    }

    @Test func aServerThatStopsInItsBodyIsGivenUp() {
        let (client, handler, _) = started { $0.bodyTimeout = .seconds(5) }
        client.receive(head)
        passes(client, 5)
        #expect(handler.error.name == "limit body_timeout")
        client.leave()
    }

    @Test func aHandlerThatPausesMakesNobodyLate() {
        let (client, handler, exchange) = started { $0.bodyTimeout = .seconds(5) }
        client.receive(head)
        exchange.pauseBody()
        client.advance(by: .seconds(50))
        #expect(handler.ends == 0)
        exchange.resumeBody()
        _ = client.session.nextDeadline(now: client.clock.now)
        client.advance(by: .seconds(5))
        #expect(handler.error.name == "limit body_timeout")
        client.leave()
    }

    @Test func aServerThatTakesNothingIsGivenUp() {
        let (client, handler, exchange) = started({ $0.sendTimeout = .seconds(5) }, isStreamed: true)
        exchange.write([UInt8](repeating: 0, count: 200_000))
        _ = client.output()
        _ = client.session.nextDeadline(now: client.clock.now)
        passes(client, 5)
        #expect(handler.error.name == "limit send_timeout")
        client.leave()
    }

    /// A request that is still being written waits for the program, not for the server.
    @Test func anUploadMayTakeItsTime() {
        let (client, handler, exchange) = started(isStreamed: true)
        client.advance(by: .seconds(1000))
        #expect(handler.ends == 0)
        exchange.finish()
        _ = client.output()
        #expect(client.session.nextDeadline(now: client.clock.now) < UInt64.max)
        client.leave()
    }

    @Test func theWholeExchangeHasItsTime() {
        var request = ClientRequest(authority: "localhost")
        request.timeout = .seconds(3)
        let (client, handler, exchange) = started({ _ in }, request)
        client.receive(head)
        exchange.setBodyTimeout(nil)
        passes(client, 3)
        #expect(handler.error.name == "limit request_timeout")
        client.leave()
    }

    @Test func aHeaderBlockWithoutEndIsGivenUp() {
        let (client, handler, _) = started { $0.headerTimeout = .seconds(5) }
        client.receive(FrameBuilder.headers(stream: 1, [(":status", "200")], flags: 0))
        passes(client, 5)
        _ = client.output()
        #expect(client.session.isFinished)
        client.leave()
        #expect(handler.error.name == "limit header_timeout")
    }

    @Test func aServerWithoutSettingsIsGivenUp() {
        var limits = ClientLimits()
        limits.prefaceTimeout = .seconds(5)
        let client = MemoryClient(limits: limits)
        _ = client.output()
        passes(client, 5)
        let last = RawFrame.parse(client.output()).last
        #expect(last?.isType(.goaway) == true && last?.number(at: 4) == HTTP2ErrorCode.settingsTimeout.rawValue)
        client.leave()
    }

    @Test func anIdleConnectionIsClosedInOrder() {
        let (client, handler, _) = started { $0.idleTimeout = .seconds(5) }
        client.receive(FrameBuilder.headers(stream: 1, [(":status", "204")]))
        #expect(handler.error.name == "none" && handler.ends == 1)
        client.advance(by: .seconds(5))
        let last = RawFrame.parse(client.output()).last
        #expect(last?.isType(.goaway) == true && last?.number(at: 4) == 0)
        #expect(client.session.isFinished && client.session.freeStreams == 0)
        client.leave()
    }

    @Test func aShutdownLetsOpenExchangesFinish() {
        let (client, handler, _) = started()
        client.session.beginShutdown(now: client.clock.now)
        #expect(client.session.freeStreams == 0)
        _ = client.output()
        #expect(!client.session.isFinished)
        client.receive(FrameBuilder.headers(stream: 1, [(":status", "204")]))
        _ = client.output()
        #expect(handler.error.name == "none" && handler.ends == 1)
        #expect(client.session.isFinished)
        client.leave()
    }
}
