import HelioHTTP
import HeliographTesting
import Testing

/// Answers with a line for each part; pauses, sinks and failures as the test wants them.
private final class Lister: MultipartHandler {
    var lines: [String] = []
    var failed: [MultipartError] = []
    var closed: [CloseReason] = []
    var onBegan: (Exchange, MultipartPart) -> Void = { _, _ in }
    var onData: (Exchange, MultipartPart) -> Void = { _, _ in }
    private var data: [Int: [UInt8]] = [:]

    func partBegan(_ exchange: Exchange, _ part: MultipartPart) { onBegan(exchange, part) }

    func partData(_ exchange: Exchange, _ part: MultipartPart, _ data: RawSpan) {
        unsafe data.withUnsafeBytes { unsafe self.data[part.index, default: []] += $0 }
        onData(exchange, part)
    }

    func partEnded(_ exchange: Exchange, _ part: MultipartPart) {
        lines.append("\(part.name ?? "-") \(part.size) \(String(decoding: data[part.index] ?? [], as: UTF8.self))")
    }

    func partsEnded(_ exchange: Exchange) {
        exchange.respond(.ok, contentType: "text/plain", lines.joined(separator: "\n"))
    }

    func partsFailed(_ exchange: Exchange, _ error: MultipartError) { failed.append(error) }
    func closed(_ exchange: Exchange, _ reason: CloseReason) { closed.append(reason) }
}

/// A sink that takes so many writes before it asks to wait.
private final class SlowSink: PartSink {
    var written = 0
    var accepts = 1
    var isSettled = true
    var isAbandoned = false
    var resume: () -> Void = {}
    var failure: (any Error)?

    func attach(resume: @escaping () -> Void) { self.resume = resume }
    func write(_ data: RawSpan) -> Bool {
        written += data.byteCount
        accepts -= 1
        return accepts > 0
    }
    func finish() -> Bool { isSettled }
    func abandon() { isAbandoned = true }
}

@Suite("Multipart requests")
struct MultipartExchangeTests {
    private static let type = [("content-type", "multipart/form-data; boundary=b")]

    private func part(_ name: String, _ data: String) -> String {
        "--b\r\ncontent-disposition: form-data; name=\(name)\r\n\r\n\(data)\r\n"
    }

    private func serve(_ lister: Lister, limits: MultipartLimits = MultipartLimits()) -> RecordingHandler {
        RecordingHandler { $0.readParts(by: lister, limits: limits) }
    }

    @Test("The parts of a request come to its handler, in any cut", arguments: [1, 2, 5, 1000])
    func parts(cut: Int) {
        let lister = Lister()
        let server = MemorySession(handler: serve(lister))
        let client = TestClient()
        let body = part("a", "one") + part("b", "") + part("c", "three\r\n") + "--b--\r\n"
        let stream = client.request("POST", "/", Self.type, body: Array(body.utf8))
        server.exchange(with: client, cut: cut)
        #expect(client[stream].text == "a 3 one\nb 0 \nc 7 three\r\n")
        #expect(lister.closed == [.finished])
        server.close()
    }

    @Test("A handler that pauses in the midst of a chunk goes on where it was")
    func pausing() {
        let lister = Lister()
        lister.onBegan = { exchange, _ in exchange.pauseBody() }
        let handler = serve(lister)
        var exchange: Exchange?
        let onRequest = handler.onRequest
        handler.onRequest = {
            exchange = $0
            onRequest($0)
        }
        let server = MemorySession(handler: handler)
        let client = TestClient()
        let body = part("a", "one") + part("b", "two") + part("c", "three") + "--b--"
        let stream = client.request("POST", "/", Self.type, body: Array(body.utf8))
        server.exchange(with: client)
        #expect(lister.lines.isEmpty)
        for expected in [["a 3 one"], ["a 3 one", "b 3 two"]] {
            exchange?.resumeBody()
            #expect(lister.lines == expected)
            #expect(client[stream].status == nil)
        }
        exchange?.resumeBody()
        server.exchange(with: client)
        #expect(client[stream].text == "a 3 one\nb 3 two\nc 5 three")
        exchange = nil
        server.close()
    }

    @Test("A paused handler holds the peer to its window, and what it was given back counts once")
    func backpressure() {
        let lister = Lister()
        var paused = 0
        lister.onData = { exchange, _ in
            paused += 1
            exchange.pauseBody()
        }
        let handler = serve(lister)
        var exchange: Exchange?
        let onRequest = handler.onRequest
        handler.onRequest = {
            exchange = $0
            onRequest($0)
        }
        let server = MemorySession(handler: handler, limits: limits { $0.streamWindow = 65_535 })
        let client = TestClient()
        let body = (0..<40).map { part("p\($0)", String(repeating: "x", count: 10_000)) }.joined() + "--b--"
        let stream = client.request("POST", "/", Self.type, body: Array(body.utf8))
        server.exchange(with: client)
        #expect(paused == 1)
        #expect(client[stream].status == nil)
        for _ in 0..<200 where client[stream].status == nil {
            exchange?.resumeBody()
            server.exchange(with: client)
        }
        #expect(lister.lines.count == 40)
        #expect(lister.lines.allSatisfy { $0.contains(" 10000 ") })
        #expect(client[stream].status == 200)
        exchange = nil
        server.close()
        #expect(server.resources.shared.counterSnapshot().openStreams == 0)
    }

    @Test("A part's data goes to its sink, which holds the peer back until it can go on")
    func sinks() {
        let lister = Lister()
        let sink = SlowSink()
        sink.isSettled = false
        lister.onBegan = { _, part in if part.name == "file" { part.sink = sink } }
        let peer = RawPeer(handler: serve(lister))
        peer.post(1, Self.type)
        let body = part("a", "one") + part("file", "data") + part("z", "end") + "--b--"
        peer.send(FrameBuilder.data(stream: 1, Array(body.utf8), endsStream: true))
        #expect(sink.written == 4)
        #expect(lister.lines == ["a 3 one"])
        sink.resume()
        // It has taken the data, and has still to settle it.
        #expect(lister.lines == ["a 3 one"])
        sink.resume()
        peer.read()
        #expect(lister.lines == ["a 3 one", "file 4 ", "z 3 end"])
        #expect(peer.isAnswered(1))
        #expect(!sink.isAbandoned)
        // One call too many is no harm.
        sink.resume()
        peer.leave()
    }

    @Test("A sink hears of a body that ends within its part", arguments: [true, false])
    func abandonedSink(byReset: Bool) {
        let lister = Lister()
        let sink = SlowSink()
        sink.accepts = 100
        lister.onBegan = { _, part in part.sink = sink }
        let peer = RawPeer(handler: serve(lister))
        peer.post(1, Self.type)
        peer.send(FrameBuilder.data(stream: 1, Array(part("file", "data").utf8)))
        peer.send(
            byReset
                ? FrameBuilder.reset(stream: 1, code: 8)
                : FrameBuilder.data(stream: 1, Array("more".utf8), endsStream: true))
        #expect(sink.isAbandoned)
        #expect(lister.closed.count == 1)
        #expect(lister.failed == (byReset ? [] : [.truncated]))
        sink.resume()
        peer.leave()
    }

    @Test(
        "What is refused gets a status and a reason, and its limit is counted",
        arguments: [
            ("text/plain", "x", 415, "the content is not multipart\n", nil),
            ("", "x", 415, "the content is not multipart\n", nil),
            ("multipart/form-data", "x", 400, "the multipart type has no valid boundary\n", nil),
            ("multipart/form-data; boundary=b", "--bx", 400, "a boundary's line goes on as none\n", nil),
            ("multipart/form-data; boundary=b", "--b", 400, "the closing boundary is missing\n", nil),
            (
                "multipart/mixed; boundary=b", "--b\r\n\r\n\r\n--b\r\n\r\n\r\n--b\r\n\r\n", 413, "more than 2 parts\n",
                LimitName.multipartParts
            ),
            (
                "multipart/mixed; boundary=b", String(repeating: "x", count: 101), 413,
                "the content is over 100 bytes\n", .bodySize
            ),
        ] as [(String, String, Int, String, LimitName?)])
    func refused(type: String, body: String, status: Int, reason: String, limit: LimitName?) {
        let lister = Lister()
        let handler = serve(
            lister,
            limits: multipartLimits {
                $0.maxParts = 2
                $0.maxTotalSize = 100
            })
        let server = MemorySession(handler: handler)
        let client = TestClient()
        let stream = client.request("POST", "/", type.isEmpty ? [] : [("content-type", type)], body: Array(body.utf8))
        server.exchange(with: client)
        #expect(client[stream].status == status)
        #expect(client[stream].text == reason)
        #expect(lister.failed.count == 1)
        if let limit { #expect(server.resources.shared.counterSnapshot().limitsTripped[limit] == 1) }
        server.close()
    }

    @Test("A body announced to be too large is refused before it comes; so is another version of MIME")
    func announced() {
        let lister = Lister()
        let peer = RawPeer(handler: serve(lister, limits: multipartLimits { $0.maxTotalSize = 100 }))
        peer.post(1, Self.type + [("content-length", "101")])
        #expect(lister.failed == [.tooLarge(limit: 100)])
        #expect(peer.isAnswered(1))
        peer.post(3, Self.type + [("mime-version", "2.0")])
        #expect(lister.failed.last == .unsupportedVersion)
        peer.post(5, Self.type + [("mime-version", "1.0 (hello)")])
        #expect(lister.failed.count == 2)
        peer.leave()
    }

    @Test("A response of parts is taken apart again")
    func response() throws {
        let handler = RecordingHandler { exchange in
            let parts = exchange.respond(.ok, multipart: .mixed)
            parts.beginPart(contentType: .plainText)
            parts.write("one")
            parts.beginPart(disposition: .attachment(filename: "ü"), encoding: .base64, fields: [("x-a", "b\r\nc")])
            parts.write([0, 1, 2, 255])
            parts.beginMultipart()
            parts.beginPart(encoding: .quotedPrintable)
            parts.write("näh")
            parts.endMultipart()
            parts.finish()
        }
        let server = MemorySession(handler: handler)
        let client = TestClient()
        let stream = client.request("GET", "/")
        server.exchange(with: client)
        #expect(client[stream]["mime-version"] == "1.0")
        let (found, error) = parse(client[stream].body, type: try #require(client[stream]["content-type"]))
        #expect(error == nil)
        #expect(found.parts.map(\.data) == [Array("one".utf8), [0, 1, 2, 255], [], Array("näh".utf8)])
        #expect(found.objects[1].filename == "ü")
        #expect(found.objects[1].headers["x-a"] == "b  c")
        server.close()
    }
}
