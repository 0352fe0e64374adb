import HelioHTTP
import HeliographTesting
import Testing

/// Each rate is allowed to its last event, and ends the connection with the next one.
@Suite("Rates of an HTTP/2 session")
struct RateTests {
    /// Frames that mean nothing, each in a form of its own.
    enum Idle: CaseIterable, Sendable {
        case ping, pingAnswer, settings, priority, priorityUpdate, unknown, goaway
        case emptyData, emptyDataOfClosedStream, endOfClosedStream

        var bytes: [UInt8] {
            switch self {
            case .ping: FrameBuilder.ping()
            case .pingAnswer: FrameBuilder.ping(isAck: true)
            case .settings: FrameBuilder.settings()
            case .priority: FrameBuilder.frame(.priority, stream: 1, [0, 0, 0, 0, 16])
            case .priorityUpdate: FrameBuilder.frame(.priorityUpdate, [0, 0, 0, 1] + Array("u=1".utf8))
            case .emptyData: FrameBuilder.data(stream: 1, [])
            case .emptyDataOfClosedStream: FrameBuilder.data(stream: 3, [])
            case .endOfClosedStream: FrameBuilder.data(stream: 3, [], endsStream: true)
            case .unknown: FrameBuilder.frame(type: 0xfe, stream: 1, [1, 2, 3])
            case .goaway: FrameBuilder.frame(.goaway, [0, 0, 0, 0, 0, 0, 0, 0])
            }
        }
    }

    @Test("Control frames", arguments: Idle.allCases)
    func control(frame: Idle) {
        // Two SETTINGS frames have come by the time that the request is there.
        let peer = RawPeer(
            handler: RecordingHandler { $0.start(.ok) },
            limits: limits { $0.controlFrameRate = .init(burst: 12, perSecond: 1) })
        peer.send(FrameBuilder.request(stream: 1, method: "POST", endsStream: false))
        peer.send(FrameBuilder.request(stream: 3) + FrameBuilder.reset(stream: 3, code: 8))
        if case .endOfClosedStream = frame { peer.send(FrameBuilder.data(stream: 1, [], endsStream: true)) }
        for _ in 0..<10 { peer.send(frame.bytes) }
        #expect(peer.goaway == nil)
        #expect(peer.tripped(.controlFrameRate) == 0)
        peer.send(frame.bytes)
        #expect(peer.goaway == .enhanceYourCalm)
        #expect(peer.tripped(.controlFrameRate) == 1)
        #expect(peer.server.session.isFinished)
        peer.leave()
    }

    @Test("Time gives control frames back")
    func controlRefills() {
        let peer = RawPeer(limits: limits { $0.controlFrameRate = .init(burst: 12, perSecond: 10) })
        for _ in 0..<100 {
            peer.send(FrameBuilder.ping())
            peer.advance(by: .milliseconds(100))
        }
        #expect(peer.goaway == nil)
        peer.leave()
    }

    @Test("WINDOW_UPDATE and small DATA count as frames", arguments: [true, false])
    func frames(windowUpdate: Bool) {
        let peer = RawPeer(
            handler: RecordingHandler { _ in }, limits: limits { $0.frameRate = .init(burst: 12, perSecond: 1) })
        peer.post(1)
        let frame =
            windowUpdate ? FrameBuilder.windowUpdate(stream: 0, by: 1) : FrameBuilder.data(stream: 1, [1, 2])
        for _ in 0..<10 { peer.send(frame) }
        #expect(peer.goaway == nil)
        peer.send(frame)
        #expect(peer.goaway == .enhanceYourCalm)
        #expect(peer.tripped(.frameRate) == 1)
        peer.leave()
    }

    @Test("Requests and large DATA are no frames to be counted")
    func content() {
        let peer = RawPeer(
            handler: RecordingHandler { _ in },
            limits: limits {
                $0.frameRate = .init(burst: 12, perSecond: 1)
                $0.maxConcurrentStreams = 200
            })
        for stream in stride(from: UInt32(1), to: 201, by: 2) {
            peer.post(stream)
            peer.send(FrameBuilder.data(stream: stream, [UInt8](repeating: 0, count: 300), endsStream: true))
        }
        #expect(peer.goaway == nil)
        peer.leave()
    }

    @Test("Rapid Reset: streams that the peer resets")
    func peerResets() {
        let handler = RecordingHandler { _ in }
        let peer = RawPeer(handler: handler, limits: limits { $0.peerResetRate = .init(burst: 10, perSecond: 1) })
        for index in UInt32(0)..<10 {
            peer.get(2 * index + 1)
            peer.send(FrameBuilder.reset(stream: 2 * index + 1, code: 8))
        }
        #expect(handler.closed == Array(repeating: .reset(.cancel), count: 10))
        #expect(peer.goaway == nil)
        peer.get(21)
        peer.send(FrameBuilder.reset(stream: 21, code: 8))
        #expect(peer.goaway == .enhanceYourCalm)
        #expect(peer.tripped(.peerResetRate) == 1)
        peer.leave()
        #expect(handler.closed.count == 11)
    }

    /// Ways to make a server reset a stream that it has begun to serve.
    enum Provocation: CaseIterable, Sendable {
        case windowOverflow, tooMuchContent, tooLittleContent, malformed, badTrailers, streamWindow

        func bytes(_ stream: UInt32) -> [UInt8] {
            let post = { (fields: [(String, String)]) in
                FrameBuilder.request(stream: stream, method: "POST", fields, endsStream: false)
            }
            return switch self {
            case .windowOverflow: post([]) + FrameBuilder.windowUpdate(stream: stream, by: 0x7fff_ffff)
            case .tooMuchContent: post([("content-length", "1")]) + FrameBuilder.data(stream: stream, [1, 2])
            case .tooLittleContent:
                post([("content-length", "3")]) + FrameBuilder.data(stream: stream, [1, 2], endsStream: true)
            case .malformed: FrameBuilder.headers(stream: stream, [(":method", "GET"), (":path", "/")])
            case .badTrailers: post([]) + FrameBuilder.headers(stream: stream, [(":path", "/")])
            case .streamWindow:
                post([])
                    + (0..<5).flatMap { _ in FrameBuilder.data(stream: stream, [UInt8](repeating: 0, count: 16_384)) }
            }
        }

        var code: HTTP2ErrorCode {
            switch self {
            case .windowOverflow, .streamWindow: .flowControlError
            default: .protocolError
            }
        }
    }

    @Test("MadeYouReset: streams that the peer makes us reset", arguments: Provocation.allCases)
    func inducedResets(provocation: Provocation) {
        let handler = RecordingHandler { $0.pauseBody() }
        let peer = RawPeer(
            handler: handler,
            limits: limits {
                $0.inducedResetRate = .init(burst: 10, perSecond: 1)
                $0.streamWindow = 65_535
            })
        for index in UInt32(0)..<10 {
            peer.send(provocation.bytes(2 * index + 1))
            #expect(peer.reset(2 * index + 1) == provocation.code)
        }
        #expect(peer.goaway == nil)
        #expect(peer.server.session.openStreams == 0)
        peer.send(provocation.bytes(21))
        #expect(peer.goaway == .enhanceYourCalm)
        #expect(peer.tripped(.inducedResetRate) == 1)
        peer.leave()
        #expect(handler.closed.count == handler.requests)
    }

    @Test("An empty WINDOW_UPDATE and DATA after END_STREAM end the connection")
    func connectionErrors() {
        for (bytes, code) in [
            (FrameBuilder.windowUpdate(stream: 1, by: 0), HTTP2ErrorCode.protocolError),
            (FrameBuilder.data(stream: 1, [1]), .streamClosed),
            (FrameBuilder.windowUpdate(stream: 0, by: 0x7fff_ffff), .flowControlError),
        ] {
            let peer = RawPeer(handler: RecordingHandler { $0.start(.ok) })
            peer.get(1)
            peer.send(bytes)
            #expect(peer.goaway == code)
            #expect(peer.server.session.isFinished)
            peer.leave()
        }
    }

    @Test("Resets that a handler asks for are not on the peer's account")
    func ownResets() {
        var kept: [Exchange] = []
        let handler = RecordingHandler { kept.append($0) }
        let peer = RawPeer(handler: handler, limits: limits { $0.inducedResetRate = .init(burst: 1, perSecond: 1) })
        for index in UInt32(0)..<20 {
            peer.post(2 * index + 1)
            kept.popLast()?.reset(.refusedStream)
            // The peer leaves the stream before it can know.
            peer.send(FrameBuilder.reset(stream: 2 * index + 1, code: 8))
        }
        #expect(peer.goaway == nil)
        #expect(peer.tripped(.concurrentStreams) == 0)
        peer.leave()
    }

    @Test("Early responses are not on the peer's account")
    func earlyResponses() {
        let peer = RawPeer(limits: limits { $0.inducedResetRate = .init(burst: 1, perSecond: 1) })
        for index in UInt32(0)..<20 { peer.post(2 * index + 1) }
        #expect(peer.goaway == nil)
        peer.leave()
    }

    @Test("A peer that provokes answers and reads none is cut off", arguments: [true, false])
    func queuedFrames(byPing: Bool) {
        let handler = hello()
        let peer = RawPeer(
            handler: handler,
            limits: limits {
                $0.maxQueuedFrames = 300
                $0.maxConcurrentStreams = 10
            }, acknowledges: false)
        var stream: UInt32 = 1
        for _ in 0..<1000 where !peer.server.session.isFinished {
            peer.sendWithoutReading(byPing ? FrameBuilder.ping() : FrameBuilder.request(stream: stream))
            stream += 2
        }
        peer.read()
        #expect(peer.goaway == .enhanceYourCalm)
        #expect(peer.tripped(.queuedFrames) == 1)
        #expect(handler.requests <= 10)
        peer.leave()
    }
}
