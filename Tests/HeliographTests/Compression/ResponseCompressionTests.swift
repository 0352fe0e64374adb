import HelioCompression
import HeliographTesting
import Testing

@testable import Heliograph

@Suite("Compressed responses")
struct ResponseCompressionTests {
    private static let text = (0..<5000).map { "line \($0)\n" }.joined()

    /// A client of a compressed handler, in memory.
    private final class Peer {
        let server: MemorySession
        let client: TestClient

        init(
            options: ResponseCompression.Options = .init(), client: TestClient = TestClient(),
            _ answer: @escaping (Exchange) -> Void
        ) {
            server = MemorySession(
                handler: ResponseCompression(options, wrapping: ClosureHandler(answer)))
            self.client = client
        }

        func get(_ accepted: String? = "gzip", method: String = "GET") -> TestClient.Response {
            let stream = client.request(method, "/", accepted.map { [("accept-encoding", $0)] } ?? [])
            server.exchange(with: client)
            return client[stream]
        }
    }

    private func inflate(_ response: TestClient.Response, whole: Bool = true) throws -> String {
        let format: CompressionFormat = response["content-encoding"] == "gzip" ? .gzip : .deflate
        let inflater = Inflater(format: format, outputLimit: 1 << 26)
        var bytes: [UInt8] = []
        let body = response.body
        unsafe try inflater.write(body.span.bytes) { piece in unsafe piece.withUnsafeBytes { unsafe bytes += $0 } }
        if whole { try inflater.finish() }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("A response is compressed as the client takes it", arguments: ["gzip", "deflate", "br, gzip;q=0.5", "*"])
    func codings(accepted: String) throws {
        let peer = Peer { $0.respond(.ok, contentType: "text/plain", Self.text) }
        let response = peer.get(accepted)
        #expect(response["content-encoding"] == (accepted == "deflate" ? "deflate" : "gzip"))
        #expect(response["vary"] == "accept-encoding")
        #expect(response["content-length"] == "\(response.body.count)")
        #expect(response.body.count < Self.text.utf8.count / 2)
        #expect(try inflate(response) == Self.text)
        // One after the other: deflaters are used again.
        #expect(try inflate(peer.get(accepted)) == Self.text)
        peer.server.close()
    }

    @Test(
        "Who does not take it gets it as it is",
        arguments: [nil, "", "br", "identity", "gzip;q=0", "gzip;;", "gzip;q=9"])
    func identity(accepted: String?) {
        let peer = Peer { $0.respond(.ok, contentType: "text/plain", Self.text) }
        let response = peer.get(accepted)
        #expect(response["content-encoding"] == nil)
        #expect(response["vary"] == "accept-encoding")
        #expect(response.text == Self.text)
        peer.server.close()
    }

    @Test("Each client has what it takes, whoever came before")
    func alternating() throws {
        let peer = Peer { $0.respond(.ok, contentType: "text/plain", Self.text) }
        for accepted in ["gzip", "deflate", "gzip", nil, "gzip", "identity", "deflate"] {
            let response = peer.get(accepted)
            #expect(response["content-encoding"] == (accepted == "identity" ? nil : accepted))
        }
        peer.server.close()
    }

    @Test("Types that do not gain, small content, ranges and what is encoded stay as they are")
    func untouched() {
        let cases: [(String, (Exchange) -> Void)] = [
            ("a picture", { $0.respond(.ok, contentType: "image/png", Self.text) }),
            ("small", { $0.respond(.ok, contentType: "text/plain", String(repeating: "x", count: 1023)) }),
            (
                "encoded",
                {
                    $0.addHeader("content-encoding", "br")
                    $0.respond(.ok, contentType: "text/plain", Self.text)
                }
            ),
            (
                "no-transform",
                {
                    $0.addHeader("cache-control", "public, No-Transform")
                    $0.respond(.ok, contentType: "text/plain", Self.text)
                }
            ),
            ("a range", { $0.respond(.partialContent, contentType: "text/plain", Self.text) }),
            (
                "with a digest",
                {
                    $0.addHeader("content-digest", "sha-256=:AA==:")
                    $0.respond(.ok, contentType: "text/plain", Self.text)
                }
            ),
            ("nothing", { $0.respond(.noContent) }), ("not modified", { $0.respond(.notModified) }),
            (
                "no type",
                { exchange in
                    exchange.start(.ok)
                    exchange.write(Self.text)
                    exchange.finish()
                }
            ),
        ]
        for (name, answer) in cases {
            let peer = Peer(answer)
            let response = peer.get()
            let coding = response["content-encoding"]
            #expect(coding == (name == "encoded" ? "br" : nil), "\(name)")
            #expect(response["vary"] == nil, "\(name)")
            peer.server.close()
        }
    }

    @Test("1024 bytes are worth it")
    func minimum() throws {
        let peer = Peer { $0.respond(.ok, contentType: "text/plain", String(repeating: "x", count: 1024)) }
        #expect(peer.get()["content-encoding"] == "gzip")
        peer.server.close()
    }

    @Test("HEAD has the fields of GET, and no body")
    func head() {
        let peer = Peer { $0.respond(.ok, contentType: "text/plain", Self.text) }
        let response = peer.get(method: "HEAD")
        #expect(response.status == 200 && response.body.isEmpty)
        #expect(response["content-encoding"] == "gzip" && response["content-length"] == nil)
        peer.server.close()
    }

    @Test("A strong entity tag becomes a weak one, ranges are no longer offered, vary is kept")
    func fields() throws {
        let peer = Peer { exchange in
            exchange.addHeader("etag", "\"abc\"")
            exchange.addHeader("accept-ranges", "bytes")
            exchange.addHeader("vary", "origin")
            exchange.respond(.ok, contentType: "text/plain", Self.text)
        }
        let response = peer.get()
        #expect(response["etag"] == "W/\"abc\"")
        #expect(response["accept-ranges"] == nil)
        #expect(response.fields.filter { $0.name == "vary" }.map(\.value) == ["origin", "accept-encoding"])
        let plain = peer.get(nil)
        #expect(plain["etag"] == "\"abc\"" && plain["accept-ranges"] == "bytes")
        peer.server.close()
    }

    @Test("What is written reaches a client that keeps up, one write after the other")
    func streaming() throws {
        var exchange: Exchange?
        let peer = Peer { it in
            exchange = it
            it.start(.ok, contentType: "text/event-stream")
        }
        let stream = peer.client.request("GET", "/", [("accept-encoding", "gzip")])
        peer.server.exchange(with: peer.client)
        var expected = ""
        for number in 0..<20 {
            exchange?.write("data: \(number)\n\n")
            expected += "data: \(number)\n\n"
            peer.server.exchange(with: peer.client)
            #expect(try inflate(peer.client[stream], whole: false) == expected)
        }
        // Nothing new: nothing is sent.
        let before = peer.client[stream].body.count
        peer.server.exchange(with: peer.client)
        #expect(peer.client[stream].body.count == before)
        exchange?.finish()
        exchange = nil
        peer.server.exchange(with: peer.client)
        #expect(try inflate(peer.client[stream]) == expected)
        #expect(peer.client[stream].isComplete)
        peer.server.close()
    }

    @Test(
        "A large body is compressed as it is taken, whole or pulled, and however well it compresses",
        arguments: [true, false])
    func large(isWhole: Bool) throws {
        for text in [String(repeating: Self.text, count: 40), String(repeating: "x", count: 3_000_000)] {
            let peer = Peer { exchange in
                if isWhole { return _ = exchange.respond(.ok, contentType: "text/plain", text) }
                var left = text.utf8.count
                let piece = Array(text.utf8)
                exchange.respond(.ok, contentType: "text/plain", contentLength: left) { exchange in
                    let start = piece.count - left
                    let end = min(start + 10_000, piece.count)
                    left -= end - start
                    exchange.write(Array(piece[start..<end]))
                    return left > 0
                }
            }
            let response = peer.get()
            #expect(response.isComplete)
            #expect(response["content-length"] == nil)
            let isSame = try inflate(response) == text
            #expect(isSame)
            peer.server.close()
        }
    }

    @Test("A large body waits for a client that does not read")
    func slowReader() throws {
        var random = SystemRandomNumberGenerator()
        // It compresses badly, so that it fills the queue.
        let text = String(
            (0..<1_500_000).map { _ in Character(Unicode.Scalar(UInt8.random(in: 32..<127, using: &random))) })
        let peer = Peer(client: TestClient(automaticWindowUpdates: false)) { exchange in
            exchange.respond(.ok, contentType: "text/plain", text)
        }
        let stream = peer.client.request("GET", "/", [("accept-encoding", "gzip")])
        peer.server.exchange(with: peer.client)
        #expect(peer.client[stream].body.count == 65_535)
        var consumed = 0
        while !peer.client[stream].isComplete, consumed < 3_000_000 {
            let got = peer.client[stream].body.count
            peer.client.consume(stream: stream, got - consumed)
            consumed = got
            peer.server.exchange(with: peer.client)
        }
        let isSame = try inflate(peer.client[stream]) == text
        #expect(isSame)
        peer.server.close()
    }

    @Test("At most so many are compressed at once, and one that is reset makes room")
    func concurrency() {
        var options = ResponseCompression.Options()
        options.maxConcurrent = 2
        var open: [Exchange] = []
        let peer = Peer(options: options) { exchange in
            exchange.start(.ok, contentType: "text/plain")
            open.append(exchange)
        }
        let streams = (0..<3).map { _ in peer.client.request("GET", "/", [("accept-encoding", "gzip")]) }
        peer.server.exchange(with: peer.client)
        #expect(streams.map { peer.client[$0]["content-encoding"] } == ["gzip", "gzip", nil])
        open.removeAll()
        peer.client.reset(streams[0])
        peer.server.exchange(with: peer.client)
        let next = peer.client.request("GET", "/", [("accept-encoding", "deflate")])
        peer.server.exchange(with: peer.client)
        #expect(peer.client[next]["content-encoding"] == "deflate")
        open.removeAll()
        peer.server.close()
    }

    private func gains(_ type: String) -> Bool {
        let bytes = Array(type.utf8)
        return unsafe MediaType.gainsFromCompression(bytes.span.bytes)
    }

    @Test("Types that gain, and those that do not")
    func types() throws {
        let gain = [
            "text/html; charset=utf-8", "TEXT/CSS", "application/json", "application/problem+json", "image/svg+xml",
            "application/wasm", "application/javascript", "font/ttf", "application/xml;x=y",
        ]
        let lose = [
            "image/png", "video/mp4", "application/zip", "font/woff2", "application/octet-stream", "text", "", "json",
            "application/json2", "multipart/mixed",
        ]
        for type in gain { #expect(gains(type), "\(type)") }
        for type in lose { #expect(!gains(type), "\(type)") }
        #expect(MediaType.svg.gainsFromCompression && !MediaType.png.gainsFromCompression)
    }
}
