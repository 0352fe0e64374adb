import HelioHTTP
import HeliographTesting
import Testing

@Suite struct HTTP1ClientTests {
    private static let cuts = [1, 2, 3, 7, 50, Int.max]

    private func get(_ client: MemoryHTTP1Client, _ method: HelioHTTP.Method = .get) -> RecordingClientHandler {
        let handler = RecordingClientHandler()
        client.send(ClientRequest(method, authority: "example.org", target: "/x?y"), to: handler)
        _ = client.output()
        return handler
    }

    // MARK: Requests

    @Test func aRequestIsWrittenOnce() throws {
        let client = MemoryHTTP1Client()
        var request = try ClientRequest(.put, "https://example.org:8443/a?b")
        request.headers = [("x-one", "1"), ("connection", "close")]
        request.body = Array("body".utf8)
        client.send(request, to: RecordingClientHandler())
        #expect(
            client.output()
                == "PUT /a?b HTTP/1.1\r\nhost: example.org:8443\r\nx-one: 1\r\ncontent-length: 4\r\n\r\nbody")
        client.leave()
    }

    @Test func aStreamedBodyGoesInChunksWithTrailers() {
        let client = MemoryHTTP1Client()
        let exchange = client.send(
            ClientRequest(.post, authority: "a"), to: RecordingClientHandler(), isStreamed: true)
        #expect(client.output() == "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n")
        exchange.write("hello")
        #expect(client.output() == "5\r\nhello\r\n")
        exchange.finish(trailers: [("x-sum", "1")])
        #expect(client.output() == "0\r\nx-sum: 1\r\n\r\n")
        client.leave()
    }

    @Test func aBodyKeepsToTheLengthThatWasAnnounced() {
        for text in ["too long", "x"] {
            let client = MemoryHTTP1Client()
            let handler = RecordingClientHandler()
            var request = ClientRequest(.post, authority: "a")
            request.headers = [("content-length", "3")]
            let exchange = client.send(request, to: handler, isStreamed: true)
            exchange.write(text)
            exchange.finish()
            _ = client.output()
            #expect(handler.error.name == "invalid request")
            #expect(client.session.isFinished)
            client.leave()
        }
    }

    // MARK: Responses

    @Test(arguments: cuts)
    func aBodyOfALengthIsRead(cut: Int) {
        let client = MemoryHTTP1Client()
        let handler = get(client)
        client.receive("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A:  b \r\n\r\nhello", cut: cut)
        #expect(handler.status == 200 && handler.text == "hello")
        #expect(handler.fields.contains { $0 == ("x-a", "b") })
        #expect(handler.events == ["response", "body", "end", "closed"])
        #expect(client.session.freeStreams == 1)
        client.leave()
    }

    @Test(arguments: cuts)
    func chunksAndTrailersAreRead(cut: Int) {
        let client = MemoryHTTP1Client()
        let handler = get(client)
        client.receive(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\nA\r\n0123456789\r\n0\r\nX-T: 1\r\n\r\n",
            cut: cut)
        #expect(handler.text == "hello0123456789")
        #expect(handler.trailers.map(\.value) == ["1"])
        #expect(client.session.freeStreams == 1)
        client.leave()
    }

    @Test(arguments: cuts)
    func aBodyMayEndWithItsConnection(cut: Int) {
        let client = MemoryHTTP1Client()
        let handler = get(client)
        client.receive("HTTP/1.0 200\r\n\r\nall of it", cut: cut)
        #expect(handler.ends == 0)
        _ = client.session.endInput(now: client.clock.now)
        #expect(handler.text == "all of it" && handler.events.last == "closed")
        #expect(client.session.isFinished)
        client.leave()
    }

    @Test func aBodyThatIsCutShortIsNoBody() {
        let client = MemoryHTTP1Client()
        let handler = get(client)
        client.receive("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")
        _ = client.session.endInput(now: client.clock.now)
        client.leave()
        #expect(handler.error.name == "connection lost")
    }

    @Test(arguments: [
        ("HEAD", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"), ("GET", "HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", "HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n"),
    ])
    func someResponsesHaveNoBody(method: String, response: String) {
        let client = MemoryHTTP1Client()
        let handler = get(client, HelioHTTP.Method(method))
        client.receive(response)
        #expect(handler.events == ["response", "end", "closed"])
        #expect(client.session.freeStreams == 1)
        client.leave()
    }

    @Test func informationalResponsesComeFirst() {
        let client = MemoryHTTP1Client()
        let handler = get(client)
        client.receive(
            "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", cut: 3)
        #expect(handler.informational == [103])
        #expect(handler.status == 200 && handler.fields.map(\.name) == ["content-length"])
        client.leave()
    }

    @Test func requestsFollowEachOtherOnOneConnection() {
        let client = MemoryHTTP1Client()
        for _ in 0..<3 {
            let handler = get(client)
            client.receive("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            #expect(handler.text == "ok")
        }
        #expect(client.session.completedExchanges == 3)
        client.leave()
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        "HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n",
    ])
    func aConnectionThatClosesTakesNoMore(response: String) {
        let client = MemoryHTTP1Client()
        let handler = get(client)
        client.receive(response)
        #expect(handler.error.name == "none" && handler.ends == 1)
        #expect(client.session.isFinished && client.session.freeStreams == 0)
        client.leave()
    }

    @Test func aHandlerThatPausesIsGivenOneWindow() {
        let client = MemoryHTTP1Client { $0.streamWindow = 100 }
        let handler = RecordingClientHandler()
        handler.onResponse = { $0.pauseBody() }
        let exchange = client.send(ClientRequest(authority: "a"), to: handler)
        _ = client.output()
        client.receive("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n" + String(repeating: "x", count: 1000))
        #expect(client.session.isInputPaused && handler.received.isEmpty)
        for _ in 0..<20 {
            exchange.resumeBody()
            client.resume()
            exchange.pauseBody()
        }
        exchange.resumeBody()
        #expect(handler.received.count == 1000 && handler.events.last == "closed")
        #expect(client.isInputWanted)
        client.leave()
    }

    // MARK: Faults

    @Test(
        arguments: [
            "HTTP/2 200 OK\r\n\r\n", "SSH-2.0-OpenSSH\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 099 OK\r\n\r\n",
            "HTTP/1.1  200 OK\r\n\r\n", "HTTP/1.1 200 OK\n\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            "HTTP/1.1 200 OK\r\na : b\r\n\r\n", "HTTP/1.1 200 OK\r\n folded\r\n\r\n",
            "HTTP/1.1 200 OK\r\na: b\u{0}c\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 1, 1\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
            "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            "HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-1\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10000000000000000\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1 x\u{1}\r\na",
        ], [1, Int.max])
    func whatIsNoResponseEndsTheConnection(bytes: String, cut: Int) {
        let client = MemoryHTTP1Client()
        let handler = get(client)
        client.receive(bytes, cut: cut)
        #expect(handler.error.name == "malformed")
        #expect(handler.ends == 1)
        #expect(client.session.isFinished && client.session.freeStreams == 0)
        client.leave()
    }

    @Test func bytesThatNobodyAskedForEndTheConnection() {
        let client = MemoryHTTP1Client()
        client.receive("HTTP/1.1 408 Request Timeout\r\n\r\n")
        #expect(client.session.isFinished)
        client.leave()
    }

    @Test func aSecondResponseBehindTheFirstIsNobodys() {
        let client = MemoryHTTP1Client()
        let handler = get(client)
        client.receive("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\naHTTP/1.1 200 OK\r\n\r\n")
        #expect(handler.text == "a" && handler.error.name == "none")
        #expect(client.session.isFinished)
        client.leave()
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\na: " + String(repeating: "x", count: 200), "header_list_size"),
        ("HTTP/1.1 200 " + String(repeating: "x", count: 2000), "header_list_size"),
        ("HTTP/1.1 200 OK\r\na: b\r\na: b\r\na: b\r\na: b\r\n\r\n", "header_count"),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;" + String(repeating: "x", count: 200),
            "chunk_extensions"
        ),
    ])
    func whatIsTooLongIsCut(bytes: String, limit: String) {
        for cut in [1, Int.max] {
            let client = MemoryHTTP1Client {
                $0.maxHeaderListSize = 160
                $0.maxHeaderCount = 3
                $0.maxChunkExtensions = 100
            }
            let handler = get(client)
            client.receive(bytes, cut: cut)
            #expect(handler.error.name == "limit \(limit)")
            #expect(client.shared.counterSnapshot().limitsTripped.values.reduce(0, +) == 1)
            client.leave()
        }
    }

    @Test func aHeadWithoutEndIsGivenUp() {
        let client = MemoryHTTP1Client { $0.headerTimeout = .seconds(5) }
        let handler = get(client)
        client.receive("HTTP/1.1 200")
        client.clock.advance(by: .seconds(5))
        #expect(client.session.nextDeadline(now: client.clock.now) <= client.clock.now)
        client.session.expire(now: client.clock.now)
        #expect(handler.error.name == "limit header_timeout")
        #expect(client.session.isFinished)
        client.leave()
    }

    @Test func aServerThatDoesNotAnswerIsGivenUp() {
        let client = MemoryHTTP1Client { $0.responseTimeout = .seconds(5) }
        let handler = get(client)
        client.clock.advance(by: .seconds(5))
        client.session.expire(now: client.clock.now)
        #expect(handler.error.name == "limit response_timeout")
        client.leave()
    }

    @Test func anIdleConnectionIsClosed() {
        let client = MemoryHTTP1Client { $0.idleTimeout = .seconds(5) }
        client.clock.advance(by: .seconds(5))
        client.session.expire(now: client.clock.now)
        #expect(client.session.isFinished)
        client.leave()
    }

    // MARK: Retries

    @Test(arguments: [(HelioHTTP.Method.get, true), (.post, false)])
    func aUsedConnectionThatIsLostGivesBackWhatIsIdempotent(method: HelioHTTP.Method, comesBack: Bool) {
        let client = MemoryHTTP1Client()
        _ = get(client)
        client.receive("HTTP/1.1 204 No Content\r\n\r\n")
        let handler = get(client, method)
        client.close()
        #expect((client.returned.count == 1) == comesBack)
        if !comesBack { #expect(handler.error.name == "connection lost") }
        client.returned.first?.reset()
    }

    @Test func aFreshConnectionThatIsLostGivesNothingBack() {
        let client = MemoryHTTP1Client()
        let handler = get(client)
        client.close()
        #expect(client.returned.isEmpty && handler.error.name == "connection lost")
    }

    @Test func aResponseThatHasBegunIsNotAskedForAgain() {
        let client = MemoryHTTP1Client()
        _ = get(client)
        client.receive("HTTP/1.1 204 No Content\r\n\r\n")
        let handler = get(client)
        client.receive("HTTP/1.1 2")
        client.close()
        #expect(client.returned.isEmpty && handler.error.name == "connection lost")
    }

    // MARK: Tunnels

    @Test(arguments: cuts)
    func anUpgradeIsATunnel(cut: Int) {
        let client = MemoryHTTP1Client()
        let handler = RecordingClientHandler()
        var request = ClientRequest(authority: "a", target: "/ws")
        request.requestedProtocol = "websocket"
        let exchange = client.send(request, to: handler, isStreamed: true)
        #expect(
            client.output() == "GET /ws HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n")
        client.receive(
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\r\nraw", cut: cut)
        #expect(handler.status == 101 && handler.text == "raw" && exchange.isTunnel)
        exchange.write("back")
        #expect(client.output() == "back")
        #expect(client.session.endInput(now: client.clock.now))
        exchange.finish()
        _ = client.output()
        #expect(handler.events.last == "closed" && client.session.isFinished)
        client.leave()
    }

    @Test func aRefusedUpgradeIsAResponse() {
        let client = MemoryHTTP1Client()
        let handler = RecordingClientHandler()
        var request = ClientRequest(authority: "a")
        request.requestedProtocol = "websocket"
        client.send(request, to: handler, isStreamed: true)
        _ = client.output()
        client.receive("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno")
        #expect(handler.status == 403 && handler.text == "no" && handler.error.name == "none")
        #expect(client.session.freeStreams == 1)
        client.leave()
    }

    @Test(arguments: 0..<200)
    func anyBytesEndInOrder(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let client = MemoryHTTP1Client()
        let handler = get(client)
        let pieces = [
            "HTTP/1.1 ", "200 OK\r\n", "\r\n", "content-length: 3\r\n", "transfer-encoding: chunked\r\n", "3\r\n",
            "abc", "0\r\n",
            "\n", "x: y\r\n", ":", "103 E\r\n", "\u{0}",
        ]
        for _ in 0..<20 {
            let piece = pieces[Int.random(in: 0..<pieces.count, using: &generator)]
            client.receive(piece, cut: Int.random(in: 1...4, using: &generator))
        }
        client.leave()
        #expect(handler.ends == 1)
    }
}
