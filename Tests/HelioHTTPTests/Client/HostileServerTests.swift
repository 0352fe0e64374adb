import HelioHTTP
import HeliographTesting
import Testing

/// Servers that break the protocol, say too much or nothing: the exchange ends with an error that names what happened, the
/// connection where it has to, and nothing is left.
@Suite struct HostileServerTests {
    private static let preface = FrameBuilder.settings() + FrameBuilder.frame(.settings, flags: FrameBuilder.ack)
    private static let head = FrameBuilder.headers(stream: 1, [(":status", "200")], flags: FrameBuilder.endHeaders)

    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        let bytes: [UInt8]
        let error: String
        /// Whether the connection can go on.
        var survives = false
        var testDescription: String { name }
    }

    private static func response(_ fields: [(String, String)], _ name: String, _ error: String) -> Case {
        Case(
            name: name, bytes: preface + FrameBuilder.headers(stream: 1, fields), error: error, survives: true)
    }

    private static let cases: [Case] = [
        response([], "a response without a status", "malformed"),
        response([(":status", "2000")], "a status of four digits", "malformed"),
        response([(":status", "abc")], "a status that is no number", "malformed"),
        response([(":status", "200"), (":status", "200")], "two statuses", "malformed"),
        response([(":status", "200"), (":path", "/")], "a request's pseudo-header field", "malformed"),
        response([(":status", "200"), ("Upper", "x")], "a name in upper case", "malformed"),
        response([(":status", "200"), ("connection", "close")], "a field of the connection", "malformed"),
        response([(":status", "200"), ("content-length", "5")], "less content than announced", "malformed"),
        response([(":status", "101")], "a change of protocols", "malformed"),
        response([(":status", "100")], "an end with an informational response", "malformed"),
        Case(
            name: "more content than announced",
            bytes: preface
                + FrameBuilder.headers(
                    stream: 1, [(":status", "200"), ("content-length", "1")], flags: FrameBuilder.endHeaders)
                + FrameBuilder.data(stream: 1, [1, 2, 3], endsStream: true),
            error: "malformed", survives: true),
        Case(
            name: "trailers that do not end the stream", bytes: preface + head + head, error: "malformed",
            survives: true),
        Case(
            name: "content before a head", bytes: preface + FrameBuilder.data(stream: 1, [1], endsStream: true),
            error: "malformed"),
        Case(
            name: "a reset", bytes: preface + FrameBuilder.reset(stream: 1, code: 2), error: "reset INTERNAL_ERROR",
            survives: true),
        Case(name: "HTTP/1.1", bytes: Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8), error: "malformed"),
        Case(name: "no SETTINGS first", bytes: head, error: "malformed"),
        Case(
            name: "content of an idle stream", bytes: preface + FrameBuilder.data(stream: 3, [1]), error: "malformed"),
        Case(
            name: "a response on a stream of the server's",
            bytes: preface + FrameBuilder.headers(stream: 2, [(":status", "200")]), error: "malformed"),
        Case(
            name: "a promise that nobody allowed",
            bytes: preface
                + FrameBuilder.frame(
                    .pushPromise, flags: FrameBuilder.endHeaders, stream: 1,
                    [0, 0, 0, 2] + FrameBuilder.headerBlock([(":method", "GET")])),
            error: "malformed"),
        Case(
            name: "a frame over the largest size",
            bytes: preface + head + FrameBuilder.data(stream: 1, [UInt8](repeating: 0, count: 16_385)),
            error: "malformed"),
        Case(
            name: "a header block that does not decode",
            bytes: preface + FrameBuilder.frame(.headers, flags: 5, stream: 1, [0xff, 0xff, 0xff, 0xff, 0xff]),
            error: "malformed"),
        Case(
            name: "a window of 2^31",
            bytes: preface + FrameBuilder.windowUpdate(stream: 0, by: 0x7fff_ffff), error: "malformed"),
        Case(
            name: "SETTINGS that push", bytes: FrameBuilder.settings([(2, 1)]), error: "malformed"),
        Case(
            name: "a GOAWAY that has not looked at it",
            bytes: preface + FrameBuilder.frame(.goaway, [0, 0, 0, 0, 0, 0, 0, 0]), error: "returned"),
        Case(
            name: "a refused stream", bytes: preface + FrameBuilder.reset(stream: 1, code: 7), error: "returned",
            survives: true),
    ]

    @Test(arguments: cases, [1, 5, Int.max])
    func whatIsWrongIsTold(wrong: Case, cut: Int) {
        let client = MemoryClient()
        let handler = RecordingClientHandler()
        client.get("/", handler)
        _ = client.output()
        client.receive(wrong.bytes, cut: cut)
        _ = client.output()
        if client.session.isFinished { client.session.close(.connectionLost) }
        if wrong.error == "returned" {
            #expect(client.returned.count == 1 && handler.ends == 0)
            client.returned.first?.reset()
        } else {
            #expect(handler.error.name == wrong.error)
            #expect(handler.ends == 1)
        }
        #expect((client.session.freeStreams > 0) == wrong.survives)
        client.leave()
    }

    @Test func aConnectionThatBreaksTakesAllItsExchangesWithIt() {
        let client = MemoryClient()
        let handlers = (0..<10).map { _ in RecordingClientHandler() }
        for handler in handlers { client.get("/", handler) }
        _ = client.output()
        client.receive(Self.preface + FrameBuilder.headers(stream: 1, [(":status", "200")]))
        client.receive(FrameBuilder.data(stream: 99, [1]))
        _ = client.output()
        #expect(client.session.isFinished)
        client.session.close(.connectionLost)
        #expect(handlers[0].error.name == "none")
        #expect(handlers.dropFirst().allSatisfy { $0.error.name == "malformed" && $0.ends == 1 })
        client.leave()
    }

    // MARK: Limits

    private func limited(_ change: (inout ClientLimits) -> Void) -> (MemoryClient, RecordingClientHandler) {
        var limits = ClientLimits()
        change(&limits)
        let client = MemoryClient(limits: limits)
        let handler = RecordingClientHandler()
        client.get("/", handler)
        _ = client.output()
        client.receive(Self.preface)
        return (client, handler)
    }

    /// What the exchange is told when all that was said is over.
    private func end(_ client: MemoryClient, _ handler: RecordingClientHandler) -> String {
        _ = client.output()
        client.leave()
        return handler.error.name
    }

    @Test func aHeadThatIsTooLongEndsItsExchange() {
        let (client, handler) = limited { $0.maxHeaderListSize = 100 }
        client.receive(FrameBuilder.headers(stream: 1, [(":status", "200"), ("a", String(repeating: "x", count: 80))]))
        #expect(client.tripped(.headerListSize) == 1)
        #expect(client.session.freeStreams > 0)
        #expect(end(client, handler) == "limit header_list_size")
    }

    @Test func aHeadFarTooLongEndsTheConnection() {
        let (client, handler) = limited { $0.maxHeaderListSize = 100 }
        client.receive(
            FrameBuilder.headers(stream: 1, [(":status", "200"), ("a", String(repeating: "x", count: 900))]))
        #expect(client.session.isExhausted)
        #expect(end(client, handler) == "limit header_list_size")
    }

    @Test func tooManyFieldsEndTheExchange() {
        let (client, handler) = limited { $0.maxHeaderCount = 3 }
        let fields = (0..<4).map { ("x-\($0)", "y") }
        client.receive(FrameBuilder.headers(stream: 1, [(":status", "200")] + fields))
        #expect(end(client, handler) == "limit header_count")
    }

    @Test func informationalResponsesWithoutEndAreCut() {
        let (client, handler) = limited { $0.maxInformational = 3 }
        for _ in 0..<4 {
            client.receive(
                FrameBuilder.headers(stream: 1, [(":status", "103")], flags: FrameBuilder.endHeaders))
        }
        #expect(handler.informational.count == 3)
        #expect(end(client, handler) == "limit informational_responses")
    }

    @Test func continuationsWithoutEndAreCut() {
        let (client, handler) = limited { $0.maxContinuations = 4 }
        client.receive(
            FrameBuilder.headers(stream: 1, [(":status", "200")], flags: 0)
                + (0..<5).flatMap { _ in FrameBuilder.frame(.continuation, stream: 1, []) })
        #expect(client.tripped(.continuations) == 1)
        #expect(end(client, handler) == "limit continuations")
    }

    @Test(arguments: [
        FrameBuilder.ping(), FrameBuilder.settings(), FrameBuilder.frame(type: 0x77),
        FrameBuilder.data(stream: 1, []),
    ])
    func aFloodOfControlFramesEndsTheConnection(frame: [UInt8]) {
        let (client, handler) = limited { $0.controlFrameRate = .init(burst: 50, perSecond: 1) }
        client.receive(Self.head)
        for _ in 0..<60 { client.receive(frame) }
        #expect(client.tripped(.controlFrameRate) == 1)
        #expect(end(client, handler) == "limit control_frame_rate")
    }

    @Test func aFloodOfWindowUpdatesEndsTheConnection() {
        let (client, handler) = limited { $0.frameRate = .init(burst: 50, perSecond: 1) }
        for _ in 0..<60 { client.receive(FrameBuilder.windowUpdate(stream: 0, by: 1)) }
        #expect(end(client, handler) == "limit frame_rate")
    }

    @Test func answersForAServerThatDoesNotReadAreBounded() {
        let (client, handler) = limited {
            $0.maxQueuedFrames = 20
            $0.maxConcurrentStreams = 1
        }
        for _ in 0..<30 { client.receive(FrameBuilder.ping()) }
        #expect(client.tripped(.queuedFrames) == 1)
        #expect(end(client, handler) == "limit queued_frames")
    }

    @Test func whatIsWrittenForAServerThatDoesNotTakeItIsBounded() {
        var limits = ClientLimits()
        limits.maxQueuedOutput = 100_000
        let client = MemoryClient(limits: limits)
        let handler = RecordingClientHandler()
        let exchange = client.send(ClientRequest(.post, authority: "localhost"), to: handler, isStreamed: true)
        while exchange.write([UInt8](repeating: 0, count: 10_000)) || !exchange.isClosed {}
        #expect(handler.error.name == "limit queued_output")
        client.leave()
    }

    @Test(arguments: 0..<200)
    func anyBytesEndInOrder(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let client = MemoryClient(acceptsPush: seed % 2 == 0)
        let handler = RecordingClientHandler()
        handler.takesPush = RecordingClientHandler()
        for _ in 0..<3 { client.get("/", handler) }
        _ = client.output()
        var bytes = Self.preface
        for _ in 0..<40 {
            switch Int.random(in: 0..<3, using: &generator) {
            case 0:
                let payload = (0..<Int.random(in: 0..<40, using: &generator)).map { _ in
                    UInt8.random(in: 0...255, using: &generator)
                }
                bytes += FrameBuilder.frame(
                    type: UInt8.random(in: 0...12, using: &generator),
                    flags: UInt8.random(in: 0...255, using: &generator),
                    stream: UInt32.random(in: 0...8, using: &generator), payload)
            case 1:
                bytes += FrameBuilder.headers(
                    stream: UInt32.random(in: 0...8, using: &generator), [(":status", "200"), ("a", "b")],
                    flags: [4, 5].randomElement(using: &generator)!)
            default:
                bytes += FrameBuilder.data(
                    stream: UInt32.random(in: 1...6, using: &generator), [1, 2, 3],
                    endsStream: Bool.random(using: &generator))
            }
        }
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(Int.random(in: 1...64, using: &generator))
            rest = rest.dropFirst(piece.count)
            client.receive(Array(piece))
            if Bool.random(using: &generator) { _ = client.output() }
        }
        for exchange in client.returned { exchange.reset() }
        client.takesBack = false
        client.leave()
        #expect(handler.ends == 3)
    }
}
