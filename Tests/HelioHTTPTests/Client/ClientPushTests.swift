import HelioHTTP
import HeliographTesting
import Testing

/// Responses that the server promises (RFC 9113 section 8.4).
@Suite struct ClientPushTests {
    private let preface = FrameBuilder.settings() + FrameBuilder.frame(.settings, flags: FrameBuilder.ack)

    private func promise(_ stream: UInt8) -> [UInt8] {
        FrameBuilder.frame(
            .pushPromise, flags: FrameBuilder.endHeaders, stream: 1,
            [0, 0, 0, stream]
                + FrameBuilder.headerBlock([
                    (":method", "GET"), (":scheme", "https"), (":authority", "localhost"), (":path", "/style.css"),
                ]))
    }

    @Test(arguments: [1, 3, Int.max])
    func aPromisedResponseGoesToWhoTakesIt(cut: Int) {
        let client = MemoryClient(acceptsPush: true)
        let handler = RecordingClientHandler()
        let pushed = RecordingClientHandler()
        handler.takesPush = pushed
        client.get("/", handler)
        _ = client.output()
        client.receive(
            preface + promise(2)
                + FrameBuilder.headers(stream: 2, [(":status", "200")], flags: FrameBuilder.endHeaders)
                + FrameBuilder.data(stream: 2, Array("body".utf8), endsStream: true)
                + FrameBuilder.headers(stream: 1, [(":status", "204")]), cut: cut)
        #expect(handler.promised == ["/style.css"])
        #expect(pushed.text == "body" && pushed.events == ["response", "body", "end", "closed"])
        #expect(handler.events == ["response", "end", "closed"])
        client.leave()
    }

    @Test func aPromiseThatNobodyTakesIsRefused() {
        let client = MemoryClient(acceptsPush: true)
        let handler = RecordingClientHandler()
        client.get("/", handler)
        _ = client.output()
        client.receive(preface + promise(2))
        let reset = RawFrame.parse(client.output()).first { $0.isType(.resetStream) }
        #expect(reset?.stream == 2 && reset?.number() == HTTP2ErrorCode.cancel.rawValue)
        #expect(client.session.openStreams == 1)
        client.leave()
    }

    @Test func aPromiseThatIsNotKeptHasTheTimeOfAResponse() {
        let client = MemoryClient(acceptsPush: true)
        let handler = RecordingClientHandler()
        let pushed = RecordingClientHandler()
        handler.takesPush = pushed
        client.get("/", handler)
        _ = client.output()
        client.receive(preface + promise(2) + FrameBuilder.headers(stream: 1, [(":status", "204")]))
        _ = client.session.nextDeadline(now: client.clock.now)
        client.advance(by: .seconds(59))
        #expect(pushed.ends == 0)
        client.advance(by: .seconds(1))
        #expect(pushed.error.name == "limit response_timeout")
        let reset = RawFrame.parse(client.output()).first { $0.isType(.resetStream) }
        #expect(reset?.stream == 2 && reset?.number() == HTTP2ErrorCode.cancel.rawValue)
        #expect(client.session.openStreams == 0)
        client.leave()
    }

    @Test func promisesAreBounded() {
        var limits = ClientLimits()
        limits.maxPushedStreams = 3
        let client = MemoryClient(limits: limits, acceptsPush: true)
        let handler = RecordingClientHandler()
        handler.takesPush = RecordingClientHandler()
        client.get("/", handler)
        _ = client.output()
        client.receive(preface + (1...10).flatMap { promise($0 * 2) })
        _ = client.output()
        #expect(client.session.openStreams <= 4)
        client.leave()
    }

    @Test func promisesAreForbiddenUnlessAskedFor() {
        let client = MemoryClient()
        let settings = RawFrame.parse(Array(client.output().dropFirst(24))).first
        #expect(settings?.payload.starts(with: [0, 2, 0, 0, 0, 0]) == true)
        client.leave()
    }
}
