import HelioHTTP
import HeliographTesting
import Testing

/// What no HTTP/2 client may send ends its stream or its connection, with the code that RFC 9113 names.
@Suite("Malformed input to an HTTP/2 session")
struct MalformedTests {
    /// A header block that makes a request malformed (RFC 9113 section 8.1.1).
    struct Request: Sendable, CustomTestStringConvertible {
        let name: String
        let fields: [(String, String)]
        var testDescription: String { name }

        static let get = [(":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/")]

        static let all: [Request] = [
            .init(name: "upper case", fields: get + [("X-Upper", "1")]),
            .init(name: "space in a name", fields: get + [("x y", "1")]),
            .init(name: "empty name", fields: get + [("", "1")]),
            .init(name: "line end in a value", fields: get + [("x", "1\r\ny: 2")]),
            .init(name: "NUL in a value", fields: get + [("x", "1\0")]),
            .init(name: "pseudo-header behind a field", fields: [("x", "1")] + get),
            .init(name: "unknown pseudo-header", fields: get + [(":protocol", "websocket")]),
            .init(name: "response's pseudo-header", fields: get + [(":status", "200")]),
            .init(name: "doubled pseudo-header", fields: get + [(":path", "/2")]),
            .init(name: "connection", fields: get + [("connection", "close")]),
            .init(name: "transfer-encoding", fields: get + [("transfer-encoding", "chunked")]),
            .init(name: "keep-alive", fields: get + [("keep-alive", "1")]),
            .init(name: "upgrade", fields: get + [("upgrade", "h2c")]),
            .init(name: "te", fields: get + [("te", "gzip")]),
            .init(name: "no method", fields: Array(get.dropFirst())),
            .init(name: "no scheme", fields: get.filter { $0.0 != ":scheme" }),
            .init(name: "no path", fields: get.filter { $0.0 != ":path" }),
            .init(name: "no authority, no host", fields: get.filter { $0.0 != ":authority" }),
            .init(name: "empty path", fields: get.dropLast() + [(":path", "")]),
            .init(name: "path without a slash", fields: get.dropLast() + [(":path", "index")]),
            .init(name: "asterisk of a GET", fields: get.dropLast() + [(":path", "*")]),
            .init(name: "method that is no token", fields: [(":method", "G T")] + get.dropFirst()),
            .init(name: "CONNECT with a path", fields: [(":method", "CONNECT")] + get.dropFirst()),
            .init(name: "CONNECT without an authority", fields: [(":method", "CONNECT")]),
            .init(name: "two lengths", fields: get + [("content-length", "1"), ("content-length", "1")]),
            .init(name: "length that is no number", fields: get + [("content-length", "x")]),
            .init(name: "length without content", fields: get + [("content-length", "5")]),
            .init(name: "two hosts", fields: get + [("host", "a"), ("host", "b")]),
            .init(name: "nothing at all", fields: []),
        ]
    }

    @Test("A malformed request ends its stream, and no handler hears of it", arguments: Request.all)
    func malformed(request: Request) {
        let handler = hello()
        let peer = RawPeer(handler: handler)
        peer.send(FrameBuilder.headers(stream: 1, request.fields))
        #expect(peer.reset(1) == .protocolError)
        #expect(handler.requests == 0)
        #expect(handler.closed.isEmpty)
        #expect(peer.goaway == nil)
        // The connection, and its compression, go on.
        peer.get(3)
        #expect(handler.requests == 1)
        #expect(handler.closed == [.finished])
        peer.leave()
    }

    @Test("Unusual requests that are well-formed are served")
    func wellFormed() {
        var seen: [String] = []
        let handler = RecordingHandler {
            seen.append("\($0.method) '\($0.target)' '\($0.authority)'")
            $0.respond(.noContent)
        }
        let peer = RawPeer(handler: handler)
        let scheme = (":scheme", "https")
        peer.send(FrameBuilder.headers(stream: 1, [(":method", "CONNECT"), (":authority", "a:1")]))
        peer.send(
            FrameBuilder.headers(
                stream: 3, [(":method", "OPTIONS"), scheme, (":authority", "a"), (":path", "*"), ("te", "trailers")]))
        peer.send(FrameBuilder.headers(stream: 5, [(":method", "QUERY"), scheme, (":path", "/?"), ("host", "h")]))
        #expect(seen == ["CONNECT '' 'a:1'", "OPTIONS '*' 'a'", "QUERY '/?' 'h'"])
        peer.leave()
    }

    /// Bytes that end the connection, behind a request that is open.
    struct Breach: Sendable, CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]
        let code: HTTP2ErrorCode
        var testDescription: String { name }

        init(_ name: String, _ bytes: [UInt8], _ code: HTTP2ErrorCode = .protocolError) {
            self.name = name
            self.bytes = bytes
            self.code = code
        }

        static let end = FrameBuilder.endHeaders | FrameBuilder.endStream

        static let all: [Breach] = [
            .init("HEADERS on stream 0", FrameBuilder.request(stream: 0)),
            .init("HEADERS on an even stream", FrameBuilder.request(stream: 2)),
            .init("DATA on stream 0", FrameBuilder.data(stream: 0, [1])),
            .init("DATA on an idle stream", FrameBuilder.data(stream: 99, [1])),
            .init("RST_STREAM on stream 0", FrameBuilder.reset(stream: 0, code: 8)),
            .init("RST_STREAM on an idle stream", FrameBuilder.reset(stream: 99, code: 8)),
            .init("WINDOW_UPDATE on an idle stream", FrameBuilder.windowUpdate(stream: 99, by: 1)),
            .init("SETTINGS on a stream", FrameBuilder.frame(.settings, stream: 1)),
            .init("PING on a stream", FrameBuilder.frame(.ping, stream: 1, [UInt8](repeating: 0, count: 8))),
            .init("GOAWAY on a stream", FrameBuilder.frame(.goaway, stream: 1, [UInt8](repeating: 0, count: 8))),
            .init("PUSH_PROMISE", FrameBuilder.frame(.pushPromise, flags: 4, stream: 1, [0, 0, 0, 2])),
            .init("CONTINUATION from nowhere", FrameBuilder.frame(.continuation, flags: 4, stream: 1)),
            .init(
                "DATA within a header block",
                FrameBuilder.frame(.headers, stream: 3, [0x82]) + FrameBuilder.data(stream: 1, [1])),
            .init("padding past the frame", FrameBuilder.frame(.headers, flags: 8 | end, stream: 3, [9, 1])),
            .init("ENABLE_PUSH of 2", FrameBuilder.settings([(id: 2, value: 2)])),
            .init("INITIAL_WINDOW_SIZE of 2^31", FrameBuilder.settings([(id: 4, value: 1 << 31)]), .flowControlError),
            .init("MAX_FRAME_SIZE of 1", FrameBuilder.settings([(id: 5, value: 1)])),
            .init(
                "a frame too long", FrameBuilder.data(stream: 1, [UInt8](repeating: 0, count: 16_385)), .frameSizeError),
            .init("a PING of 7 bytes", FrameBuilder.frame(.ping, [UInt8](repeating: 0, count: 7)), .frameSizeError),
            .init("SETTINGS of 5 bytes", FrameBuilder.frame(.settings, [0, 0, 0, 0, 0]), .frameSizeError),
            .init("RST_STREAM of 3 bytes", FrameBuilder.frame(.resetStream, stream: 1, [0, 0, 0]), .frameSizeError),
            .init(
                "a field beyond the table", FrameBuilder.frame(.headers, flags: end, stream: 3, [0xff, 0x7f]),
                .compressionError),
            .init("index 0", FrameBuilder.frame(.headers, flags: end, stream: 3, [0x80]), .compressionError),
            .init(
                "a block cut short", FrameBuilder.frame(.headers, flags: end, stream: 3, [0, 5, 0x61]),
                .compressionError),
            .init(
                "a Huffman code with EOS",
                FrameBuilder.frame(.headers, flags: end, stream: 3, [0, 0x84, 0xff, 0xff, 0xff, 0xff, 0]),
                .compressionError),
            .init("HEADERS after END_STREAM", FrameBuilder.request(stream: 1), .streamClosed),
        ]
    }

    @Test("A breach of framing ends the connection with its code", arguments: Breach.all)
    func breach(_ breach: Breach) {
        let handler = RecordingHandler { $0.start(.ok) }
        let peer = RawPeer(handler: handler)
        peer.get(1)
        peer.send(breach.bytes)
        #expect(peer.goaway == breach.code)
        #expect(peer.server.session.isFinished)
        // What follows is not read.
        peer.get(101)
        #expect(handler.requests == 1)
        #expect(handler.closed.isEmpty)
        peer.leave()
        #expect(handler.closed == [.connectionLost])
    }

    @Test("A preface that is none is answered with SETTINGS and GOAWAY", arguments: [0, 1, 23])
    func preface(wrongAt index: Int) {
        let server = MemorySession(handler: hello())
        var bytes = FrameBuilder.preface
        bytes[index] ^= 1
        server.receive(bytes + FrameBuilder.settings())
        let frames = RawFrame.parse(server.output())
        #expect(frames.map(\.type) == [4, 7])
        #expect(frames.last?.number(at: 4) == HTTP2ErrorCode.protocolError.rawValue)
        #expect(server.session.isFinished)
        server.receive(FrameBuilder.preface)
        #expect(server.output().isEmpty)
        server.close()
        #expect(server.resources.liveBlocks == 0)
    }

    @Test("A preface without SETTINGS behind it is a protocol error")
    func noSettings() {
        let server = MemorySession(handler: hello())
        server.receive(FrameBuilder.preface + FrameBuilder.ping())
        let last = RawFrame.parse(server.output()).last
        #expect(last?.isType(.goaway) == true)
        #expect(last?.number(at: 4) == HTTP2ErrorCode.protocolError.rawValue)
        server.close()
    }

    @Test("DATA for streams that are gone gives the connection's window back")
    func dataOfClosedStreams() {
        let peer = RawPeer(
            handler: RecordingHandler { $0.reset(.cancel) },
            limits: limits {
                $0.connectionWindow = 65_535
                $0.streamWindow = 65_535
            })
        peer.post(1)
        for _ in 0..<20 { peer.send(FrameBuilder.data(stream: 1, [UInt8](repeating: 0, count: 16_384))) }
        #expect(peer.goaway == nil)
        peer.leave()
    }

    @Test("An end that does not fit the content's length reaches the handler as a reset")
    func contentLength() {
        let handler = RecordingHandler { _ in }
        var ends = 0
        handler.onEnd = { _ in ends += 1 }
        let peer = RawPeer(handler: handler)
        peer.post(1, [("content-length", "3")])
        peer.send(FrameBuilder.data(stream: 1, [1, 2], endsStream: true))
        #expect(peer.reset(1) == .protocolError)
        #expect(handler.closed == [.reset(.protocolError)])
        #expect(ends == 0)
        peer.leave()
    }
}
