import FuzzSupport
import HelioHTTP
import HeliographTesting

/// The peer of one session, and what is asked of the session all the time.
final class Peer {
    private let handler = ScriptedHandler()
    private let server: MemorySession
    private let options: HTTP2Target.Options
    private var cuts: Cuts
    private var output: [UInt8] = []
    private var pieces = 0

    init(_ options: HTTP2Target.Options, _ cuts: Cuts) {
        self.options = options
        self.cuts = cuts
        var limits = Limits()
        if options.contains(.tight) {
            limits.maxHeaderListSize = 512
            limits.maxHeaderCount = 8
            limits.maxContinuations = 2
            limits.maxConcurrentStreams = 3
            limits.streamWindow = 65_535
            limits.connectionWindow = 65_535
            limits.responseHighWaterMark = 1024
            limits.maxQueuedOutput = 32 * 1024
            limits.maxQueuedFrames = 4
            limits.maxConcurrentPushes = 1
            limits.maxUnansweredFrames = 2
            limits.headerTableSize = 128
            limits.encoderTableSize = 0
            limits.frameRate = .init(burst: 40, perSecond: 10)
            limits.controlFrameRate = .init(burst: 10, perSecond: 2)
            limits.peerResetRate = .init(burst: 2, perSecond: 1)
            limits.inducedResetRate = .init(burst: 2, perSecond: 1)
        }
        var session = SessionOptions()
        if options.contains(.plain) {
            session.allowsConnectProtocol = false
            session.origins = ["https://a.test"]
            session.alternativeServices = [.init(origin: "https://a.test", value: "h2=\":1\"")]
        }
        server = MemorySession(handler: handler, limits: limits, options: session)
    }

    /// Gives the session bytes in pieces.
    func send(_ bytes: [UInt8]) {
        for piece in cuts.pieces(of: bytes) where !server.session.isFinished {
            pieces += 1
            withExactCopy(of: piece) { server.session.receive($0, now: server.clock.now) }
            if options.contains(.slow) { advance(by: .milliseconds(Int64(cuts.next() % 300))) }
            if !options.contains(.deaf) { read() }
            if pieces % 8 == 0 { handler.goOn() }
            if pieces == 12, options.contains(.shutdown) { server.session.beginShutdown(now: server.clock.now) }
        }
    }

    /// Reads one drain, which is what a socket takes that has little room.
    func readOnce() { output += server.drain() }

    func read() { output += server.output() }

    func goOn() { handler.goOn() }

    func shutDown() { server.session.beginShutdown(now: server.clock.now) }

    func advance(by duration: Duration) {
        guard !server.session.isFinished else { return }
        let before = server.session.nextDeadline(now: server.clock.now)
        check(before > 0, "a deadline has no time")
        server.advance(by: duration)
    }

    /// Whatever has come, time ends it, and nothing is left.
    func finish() {
        read()
        handler.goOn()
        read()
        for _ in 0..<4 where !server.session.isFinished {
            advance(by: .seconds(100))
            read()
        }
        check(
            server.session.openStreams == 0 || server.session.isFinished || handler.waits,
            "\(server.session.openStreams) streams stay open for ever: \(handler.describeOpen)")
        server.close()
        read(whole: output)
        check(handler.openCount == 0, "\(handler.openCount) exchanges were not told of their end")
        check(server.resources.liveBlocks == 0, "\(server.resources.liveBlocks) blocks of nghttp2's are left")
        let counters = server.resources.shared.counterSnapshot()
        check(counters.openStreams == 0, "\(counters.openStreams) streams are counted as open")
        check(counters.requests == handler.requests, "requests are miscounted")
        check(server.webSockets?.openCount == 0, "a WebSocket is left")
    }

    /// What was sent is frames, whole, with SETTINGS in front; a GOAWAY of an error is the last of them.
    private func read(whole bytes: [UInt8]) {
        let frames = RawFrame.parse(bytes)
        check(frames.map { 9 + $0.payload.count }.reduce(0, +) == bytes.count, "a frame is not whole")
        check(frames.first?.isType(.settings) == true, "SETTINGS do not come first")
        for (index, frame) in frames.enumerated() {
            check(frame.stream == 0 || frame.payload.count <= 16_384, "a frame is larger than the peer takes")
            if frame.isType(.goaway), frame.number(at: 4) != 0 {
                check(index == frames.count - 1, "frames follow the last GOAWAY")
            }
        }
    }
}
