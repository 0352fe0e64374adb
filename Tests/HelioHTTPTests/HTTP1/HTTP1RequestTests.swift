import HelioHTTP
import HeliographTesting
import Testing

private let helloResponse = "HTTP/1.1 200 OK\ncontent-type: text/plain\ncontent-length: 13\n\nHello, World!"

@Suite("Requests over HTTP/1.1")
struct HTTP1RequestTests {
    @Test("A response has only the fields that it needs, and the connection goes on", arguments: [1, 3, Int.max])
    func hello(cut: Int) {
        let peer = TextPeer()
        for _ in 0..<3 { #expect(peer.send("GET / HTTP/1.1\nHost: h\n\n", cut: cut) == helloResponse) }
        #expect(!peer.isFinished)
        #expect(peer.server.session.openStreams == 0)
        #expect(peer.server.resources.counterSnapshot().requests == 3)
        peer.leave()
    }

    @Test("The handler sees what it sees over HTTP/2", arguments: [true, false])
    func fields(isSecure: Bool) {
        var seen: [String] = []
        let handler = RecordingHandler {
            let fields = $0.headers.fields.map { "\($0.name)=\($0.value)" }
            seen = [
                "\($0.method)", $0.target, $0.path, $0.query ?? "-", $0.scheme, $0.authority, "\($0.version)",
                fields.joined(separator: "|"), $0.requestedProtocol ?? "-",
            ]
            $0.respond(.noContent)
        }
        var options = SessionOptions()
        options.isSecure = isSecure
        let peer = TextPeer(handler: handler, options: options)
        let text = peer.send("PATCH /a?b HTTP/1.1\nHost: h:1\nKeep-Alive: 5\nX-A: 1\nConnection: keep-alive\n\n")
        #expect(
            seen == ["PATCH", "/a?b", "/a", "b", isSecure ? "https" : "http", "h:1", "HTTP/1.1", "x-a=1", "-"])
        #expect(text == "HTTP/1.1 204 No Content\n\n")
        peer.leave()
    }

    @Test("Identifiers are odd numbers, and each exchange ends")
    func identifiers() {
        var ids: [Int32] = []
        let handler = RecordingHandler {
            ids.append($0.id)
            $0.respond(.ok)
        }
        let peer = TextPeer(handler: handler)
        for _ in 0..<3 { peer.send("GET / HTTP/1.1\nHost: h\n\n") }
        #expect(ids == [1, 3, 5])
        #expect(handler.closed == [.finished, .finished, .finished])
        peer.leave()
    }

    @Test("Pipelined requests are with the handler one at a time, and answered in order", arguments: [1, 7, Int.max])
    func pipelining(cut: Int) {
        var waiting: [Exchange] = []
        let handler = RecordingHandler { waiting.append($0) }
        let peer = TextPeer(handler: handler)
        peer.send((1...3).map { "GET /\($0) HTTP/1.1\nHost: h\n\n" }.joined(), cut: cut)
        for number in 1...3 {
            #expect(waiting.map(\.target) == (1...number).map { "/\($0)" })
            #expect(peer.server.session.isInputPaused == (number < 3))
            let target = waiting[number - 1].target
            waiting[number - 1].respond(.ok, contentType: "t/t", target)
            #expect(peer.read() == "HTTP/1.1 200 OK\ncontent-type: t/t\ncontent-length: 2\n\n\(target)")
        }
        #expect(handler.closed.count == 3)
        peer.leave()
    }

    @Test("A pipeline that is answered at once costs one drain, and no drain has more than its share")
    func pipelineInOneDrain() {
        let limits = HelioHTTPTests.limits { $0.maxConcurrentStreams = 10 }
        let handler = RecordingHandler { $0.respond(.noContent) }
        let peer = TextPeer(handler: handler, limits: limits)
        peer.server.receive(wire(String(repeating: "GET / HTTP/1.1\nHost: h\n\n", count: 25)))
        #expect(peer.server.drainRequests == 1)
        var counts: [Int] = []
        while peer.server.session.wantsDrain { counts.append(peer.server.drainOnce().count / 27) }
        #expect(counts == [10, 10, 5])
        #expect(handler.requests == 25)
        peer.leave()
    }

    @Test("HEAD has the length and no body")
    func head() {
        let peer = TextPeer(
            handler: RecordingHandler {
                if $0.path == "/streamed" {
                    $0.start(.ok)
                    #expect(!$0.write("never"))
                } else {
                    $0.respond(.ok, contentType: "t/t", "12345")
                }
            })
        #expect(
            peer.send("HEAD / HTTP/1.1\nHost: h\n\n") == "HTTP/1.1 200 OK\ncontent-type: t/t\ncontent-length: 5\n\n")
        #expect(peer.send("HEAD /streamed HTTP/1.1\nHost: h\n\n") == "HTTP/1.1 200 OK\n\n")
        #expect(peer.send("GET / HTTP/1.1\nHost: h\n\n").hasSuffix("12345"))
        peer.leave()
    }

    @Test("HTTP/1.0 persists where it was asked to, and is told so")
    func http10() {
        let peer = TextPeer()
        let kept = peer.send("GET / HTTP/1.0\nConnection: keep-alive\n\n")
        #expect(kept.contains("\nconnection: keep-alive\n"))
        #expect(!peer.isFinished)
        #expect(peer.send("GET / HTTP/1.0\n\n").contains("\nconnection: close\n"))
        #expect(peer.isFinished)
        peer.leave()
    }

    @Test("`connection: close` ends the connection after its response, from either side")
    func close() {
        let peer = TextPeer()
        #expect(
            peer.send("GET / HTTP/1.1\nHost: h\nConnection: close\n\nGET / HTTP/1.1\n").contains("connection: close\n"))
        #expect(peer.isFinished)
        #expect(peer.send("GET / HTTP/1.1\nHost: h\n\n") == "")
        peer.leave()
        let other = TextPeer(
            handler: RecordingHandler {
                $0.addHeader("connection", "close")
                $0.respond(.ok)
            })
        #expect(
            other.send("GET / HTTP/1.1\nHost: h\n\n") == "HTTP/1.1 200 OK\ncontent-length: 0\nconnection: close\n\n")
        #expect(other.isFinished)
        other.leave()
    }

    @Test("A response's fields of the connection are the session's own")
    func responseFields() {
        let peer = TextPeer(
            handler: RecordingHandler {
                for name in ["keep-alive", "transfer-encoding", "upgrade", "proxy-connection", "connection"] {
                    $0.addHeader(name, "chunked")
                }
                $0.addHeader("x-a", "b\r\nc: d")
                $0.respond(.ok)
            })
        #expect(peer.send("GET / HTTP/1.1\nHost: h\n\n") == "HTTP/1.1 200 OK\nx-a: b  c: d\ncontent-length: 0\n\n")
        peer.leave()
    }

    @Test(
        "What is refused gets a status, and the connection ends",
        arguments: [
            ("GET /\n", 400, "Bad Request"), ("GET / HTTP/1.1\n\n", 400, "Bad Request"),
            ("POST / HTTP/1.1\nHost: h\nContent-Length: 99999999999999999999\n", 413, "Content Too Large"),
            ("POST / HTTP/1.1\nHost: h\nExpect: tea\n", 417, "Expectation Failed"),
            ("POST / HTTP/1.1\nHost: h\nTransfer-Encoding: gzip\n\n", 501, "Not Implemented"),
            ("GET / HTTP/4.2\n", 505, "HTTP Version Not Supported"),
            ("GET /\(String(repeating: "a", count: 9000)) HTTP/1.1\n", 414, "URI Too Long"),
            ("GET / HTTP/1.1\nx: \(String(repeating: "a", count: 17_000))\n", 431, "Request Header Fields Too Large"),
            ("GET / HTTP/1.1\n\(String(repeating: "a: b\n", count: 101))", 431, "Request Header Fields Too Large"),
        ])
    func refusals(text: String, status: Int, reason: String) {
        let handler = RecordingHandler { $0.respond(.ok) }
        let peer = TextPeer(handler: handler)
        let answered = peer.send("GET / HTTP/1.1\nHost: h\n\n" + text + "GET / HTTP/1.1\nHost: h\n\n")
        #expect(
            answered == "HTTP/1.1 200 OK\ncontent-length: 0\n\n"
                + "HTTP/1.1 \(status) \(reason)\ncontent-length: 0\nconnection: close\n\n")
        #expect(peer.isFinished)
        #expect(handler.requests == 1)
        #expect(handler.closed == [.finished])
        #expect(Status(status).map { peer.refused($0) } == 1)
        #expect(peer.server.session.openStreams == 0)
        #expect(peer.send("GET / HTTP/1.1\nHost: h\n\n") == "")
        peer.leave()
    }

    @Test("A refusal is counted by its limit")
    func refusalsByLimit() {
        let peer = TextPeer()
        peer.send("GET /\(String(repeating: "a", count: 9000)) HTTP/1.1\n")
        #expect(peer.tripped(.targetLength) == 1)
        peer.leave()
    }

    @Test("`upgrade: h2c` is ignored")
    func h2c() {
        let peer = TextPeer()
        let fields = "Connection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\n"
        #expect(peer.send("GET / HTTP/1.1\nHost: h\n\(fields)\n") == helloResponse)
        #expect(!peer.isFinished)
        peer.leave()
    }

    @Test("A status 1xx of the handler's comes first, and HTTP/1.0 gets none")
    func informational() {
        let handler = RecordingHandler {
            let isSent = $0.sendInformational(.earlyHints, headers: [("link", "</a>; rel=preload")])
            #expect(isSent == ($0.version == .http11))
            $0.respond(.ok)
        }
        let peer = TextPeer(handler: handler)
        #expect(
            peer.send("GET / HTTP/1.1\nHost: h\n\n")
                == "HTTP/1.1 103 Early Hints\nlink: </a>; rel=preload\n\nHTTP/1.1 200 OK\ncontent-length: 0\n\n")
        #expect(
            peer.send("GET / HTTP/1.0\n\n") == "HTTP/1.1 200 OK\ncontent-length: 0\nconnection: close\n\n")
        peer.leave()
    }
}
