import FuzzSupport
import HeliographTesting

@testable import HelioHTTP

/// A client's session, its requests, and what is asked of both all the time.
final class HostileServer: HTTPSessionOwner, ClientSessionObserver {
    private let clock = ManualClock()
    private let resources: HTTP2ClientResources
    private var session: HTTP2ClientSession?
    private var cuts: Cuts
    private let handler = Listener()
    private let region = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
    private var output: [UInt8] = []

    init(_ flags: UInt8, _ cuts: Cuts) {
        self.cuts = cuts
        var limits = ClientLimits()
        if flags & 4 != 0 {
            limits.maxHeaderListSize = 256
            limits.maxHeaderCount = 4
            limits.maxContinuations = 2
            limits.maxInformational = 1
            limits.maxPushedStreams = 1
            limits.maxQueuedFrames = 4
            limits.requestHighWaterMark = 1024
            limits.maxQueuedOutput = 40_000
            limits.controlFrameRate = .init(burst: 10, perSecond: 2)
        }
        resources = HTTP2ClientResources(HTTPClientResources(limits: limits))
        var options = ClientSessionOptions()
        options.acceptsPush = flags & 8 != 0
        session = HTTP2ClientSession(
            resources: resources, owner: self, observer: self, options: options, now: clock.now)
        read()
    }

    deinit { region.deallocate() }

    func sessionNeedsDrain() {}
    func sessionChanged() {}
    func sessionReturns(_ exchange: ClientExchange) -> Bool { false }

    /// Sends a request of that kind, if the session takes it.
    func request(_ kind: UInt8) {
        guard let session, session.freeStreams > 0 else { return }
        var request = ClientRequest(kind & 1 == 0 ? .get : .post, authority: "localhost", target: "/")
        if kind & 2 != 0 { request.body = Array(repeating: 7, count: kind & 4 == 0 ? 10 : 70_000) }
        if kind & 16 != 0 { request.timeout = .seconds(5) }
        handler.opened += 1
        let exchange = resources.shared.makeExchange(
            request, handler: handler, isStreamed: kind & 8 != 0, now: clock.now)
        if !session.open(exchange) { exchange.fail(.stopped) }
        if kind & 8 != 0, !exchange.isClosed {
            exchange.write([UInt8](repeating: 1, count: 2000))
            exchange.finish(trailers: [("x-end", "1")])
        }
        read()
    }

    func send(_ bytes: [UInt8]) {
        for piece in cuts.pieces(of: bytes) {
            guard let session, !session.isFinished else { return }
            withExactCopy(of: piece) { session.receive($0, now: clock.now) }
            read()
        }
    }

    func advance(by duration: Duration) {
        guard let session, !session.isFinished else { return }
        _ = session.nextDeadline(now: clock.now)
        clock.advance(by: duration)
        session.expire(now: clock.now)
        read()
    }

    func goOn() {
        handler.goOn()
        read()
    }

    private func read() {
        while let session, session.wantsDrain {
            let count = session.drain(into: region, now: clock.now)
            output += region[..<count]
            if count == 0 { break }
        }
    }

    func finish() {
        for _ in 0..<4 {
            goOn()
            advance(by: .seconds(100))
        }
        check(
            session?.openStreams == 0 || session?.isFinished == true || handler.holds,
            "\(session?.openStreams ?? 0) exchanges stay open for ever, \(handler.promises) are promised")
        session?.close(.connectionLost)
        session = nil
        // A response that came whole stays with a handler that has paused until it has taken all of it.
        while handler.holds { handler.goOn() }
        check(handler.opened == handler.ended, "\(handler.opened) exchanges have \(handler.ended) ends")
        check(resources.liveBlocks == 0, "\(resources.liveBlocks) blocks of nghttp2's are left")
        check(resources.shared.counterSnapshot().openStreams == 0, "streams are counted as open")
        let preface = FrameBuilder.preface
        check(output.starts(with: preface), "the preface does not come first")
        let frames = RawFrame.parse(Array(output.dropFirst(preface.count)))
        check(preface.count + frames.map { 9 + $0.payload.count }.reduce(0, +) == output.count, "a frame is not whole")
    }
}

/// Checks the order of events.
private final class Listener: ClientHandler {
    var opened = 0
    private(set) var ended = 0
    private(set) var promises = 0
    /// A body that is paused has no timeout.
    var holds: Bool { !held.isEmpty }
    private var stages: [ObjectIdentifier: Int] = [:]
    private var held: [ClientExchange] = []

    func response(_ exchange: ClientExchange) {
        check(stages.updateValue(1, forKey: ObjectIdentifier(exchange)) == nil, "two responses")
        check((200...999).contains(exchange.status), "a status \(exchange.status)")
        exchange.headers.forEach { name, _ in check(!name.hasPrefix(":"), "a pseudo-header field is given on") }
    }

    func body(_ exchange: ClientExchange, _ chunk: RawSpan) {
        check(stages[ObjectIdentifier(exchange)] == 1, "a body that is out of order")
        if chunk.byteCount > 1000 {
            exchange.pauseBody()
            held.append(exchange)
        }
    }

    func end(_ exchange: ClientExchange) {
        check(stages.updateValue(2, forKey: ObjectIdentifier(exchange)) == 1, "an end that is out of order")
    }

    func pushed(_ exchange: ClientExchange, _ promised: ClientExchange) -> (any ClientHandler)? {
        guard promised.target != "/q" else { return nil }
        opened += 1
        promises += 1
        return self
    }

    func closed(_ exchange: ClientExchange, _ error: ClientError?) {
        let stage = stages.removeValue(forKey: ObjectIdentifier(exchange))
        check(error != nil || stage == 2, "it ends well without its response")
        ended += 1
        held.removeAll { $0 === exchange }
    }

    func goOn() {
        let waiting = held
        held = []
        for exchange in waiting { exchange.resumeBody() }
    }
}
