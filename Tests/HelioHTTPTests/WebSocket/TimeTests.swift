import HelioHTTP
import HeliographTesting
import Testing

@Suite("Pings, pongs and backpressure of a WebSocket")
struct WebSocketTimeTests {
    typealias Heard = WebSocketPeer.Heard

    @Test("A silent peer is sent a ping, lives while it answers, and is reset when it does not")
    func pings() {
        let handler = EchoWebSocket()
        let peer = WebSocketPeer(handler) {
            $0.pingInterval = .seconds(10)
            $0.pongTimeout = .seconds(5)
        }
        peer.advance(by: .seconds(9))
        #expect(peer.heard.isEmpty)
        peer.advance(by: .seconds(2))
        #expect(peer.heard.map(\.opcode) == [.ping])
        peer.advance(by: .milliseconds(250))
        peer.send(.pong, peer.heard[0].payload)
        #expect(handler.pongs == [.milliseconds(250)])
        peer.advance(by: .seconds(6))
        #expect(handler.closed.isEmpty)
        // Silent again.
        peer.advance(by: .seconds(11))
        #expect(peer.heard.map(\.opcode) == [.ping, .ping])
        peer.advance(by: .seconds(6))
        #expect(handler.closed == [.init(code: .abnormal)])
        #expect(peer.answer.resetCode == HTTP2ErrorCode.cancel.rawValue)
        #expect(peer.tripped(.webSocketPongTimeout) == 1)
        peer.leave()
    }

    @Test("A peer that speaks is sent no ping")
    func noPing() {
        let peer = WebSocketPeer { $0.pingInterval = .seconds(10) }
        for _ in 0..<10 {
            peer.advance(by: .seconds(8))
            peer.send(.pong, [])
        }
        #expect(peer.heard.isEmpty)
        peer.leave()
    }

    @Test("A ping of ours measures the round trip; other pongs do not")
    func roundTrip() {
        let handler = EchoWebSocket()
        let peer = WebSocketPeer(handler) { $0.pingInterval = nil }
        peer.webSocket?.ping()
        peer.settle()
        peer.advance(by: .milliseconds(40))
        peer.send(.pong, [1, 2, 3, 4, 5, 6, 7, 8])
        peer.send(.pong, [])
        #expect(handler.pongs.isEmpty)
        peer.send(.pong, peer.heard[0].payload)
        peer.send(.pong, peer.heard[0].payload)
        #expect(handler.pongs == [.milliseconds(40)])
        #expect(peer.webSocket?.roundTripTime == .milliseconds(40))
        peer.leave()
    }

    @Test("Far deadlines are met too, and near ones among them")
    func wheel() {
        let far = EchoWebSocket()
        let peer = WebSocketPeer(far) { $0.pingInterval = .seconds(300) }
        for _ in 0..<29 { peer.advance(by: .seconds(10)) }
        #expect(peer.heard.isEmpty)
        peer.advance(by: .seconds(11))
        #expect(peer.heard.map(\.opcode) == [.ping])
        peer.leave()
        // One step over many turns of the wheel.
        let late = WebSocketPeer { $0.pingInterval = .seconds(300) }
        late.advance(by: .seconds(3600))
        #expect(late.heard.map(\.opcode) == [.ping])
        late.leave()
    }

    @Test("A peer that does not read stops the echo, which goes on when it reads")
    func backpressure() {
        let handler = EchoWebSocket()
        var drained = 0
        let peer = WebSocketPeer(
            handler, limits: limits { $0.responseHighWaterMark = 4096 }, window: 1024)
        let message = [UInt8](repeating: 65, count: 1000)
        handler.onMessage = { _, _ in drained += 1 }
        for _ in 0..<50 { peer.send(.text, message) }
        // Only so many were taken as fit; the rest waits within the stream's window.
        #expect((5..<10).contains(drained))
        #expect(peer.heard.count <= 2)
        while peer.answer.body.count < 50 * 1004 {
            let before = peer.answer.body.count
            peer.take()
            if peer.answer.body.count == before { break }
        }
        #expect(peer.heard == Array(repeating: Heard(opcode: .text, payload: message), count: 50))
        #expect(peer.webSocket?.isOpen == true)
        peer.leave()
    }

    @Test("Of many pings to which no answer can be sent, the last is answered")
    func pongsAreBounded() {
        let handler = EchoWebSocket()
        handler.onOpened = { $0.send([UInt8](repeating: 1, count: 8000)) }
        let peer = WebSocketPeer(handler, limits: limits { $0.responseHighWaterMark = 4096 }, window: 1024)
        for index in 0..<100 { peer.send(.ping, [UInt8(index)]) }
        for _ in 0..<20 { peer.take() }
        #expect(peer.heard.map(\.opcode) == [.binary, .pong])
        #expect(peer.heard.last == Heard(opcode: .pong, payload: [99]))
        peer.leave()
    }

    @Test("A handler that pauses in the middle of what came gets the rest later, in order")
    func pauses() {
        let handler = EchoWebSocket()
        var texts: [String] = []
        handler.onMessage = { webSocket, text in
            texts.append(text)
            webSocket.pause()
        }
        let peer = WebSocketPeer(handler)
        peer.sendBytes(["one", "two", "three"].flatMap { peer.frame(.text, Array($0.utf8)) })
        #expect(texts == ["one"])
        peer.send("four")
        peer.webSocket?.resume()
        #expect(texts == ["one", "two"])
        peer.webSocket?.resume()
        peer.webSocket?.resume()
        peer.webSocket?.resume()
        #expect(texts == ["one", "two", "three", "four"])
        peer.leave()
    }

    @Test("A handler that pauses and resumes within a message gets in order what waited for it")
    func pausesAndResumes() {
        let handler = EchoWebSocket()
        var sizes: [Int] = []
        handler.onMessage = { webSocket, text in
            sizes.append(text.utf8.count)
            webSocket.pause()
            webSocket.resume()
        }
        let peer = WebSocketPeer(handler)
        peer.webSocket?.pause()
        // More than the exchange hands over at once.
        for size in 20_000..<20_005 { peer.send(.text, [UInt8](repeating: 65, count: size)) }
        #expect(sizes.isEmpty)
        peer.webSocket?.resume()
        peer.settle()
        #expect(sizes == Array(20_000..<20_005))
        peer.leave()
    }

    @Test("A handler may resume, close and send from within a message")
    func reentrance() {
        let handler = EchoWebSocket()
        var count = 0
        handler.onMessage = { webSocket, _ in
            webSocket.pause()
            webSocket.resume()
            count += 1
            if count == 3 { webSocket.close() }
        }
        let peer = WebSocketPeer(handler)
        peer.sendBytes(["one", "two", "three", "four"].flatMap { peer.frame(.text, Array($0.utf8)) })
        #expect(count == 3)
        #expect(peer.heard == [.text("one"), .text("two"), .close(.normal)])
        peer.leave()
    }

    @Test("One WebSocket that makes another go on does not change the message at which it looks")
    func crossed() {
        let second = EchoWebSocket()
        var other: WebSocket?
        var seen: [[UInt8]] = []
        final class Looks: WebSocketHandler {
            var look: (RawSpan) -> Void = { _ in }
            func message(_ webSocket: WebSocket, _ message: RawSpan, _ kind: WebSocketKind) { look(message) }
        }
        let looks = Looks()
        second.onMessage = { _, text in seen.append(Array(text.utf8)) }
        let client = TestClient()
        let server = MemorySession(
            handler: RecordingHandler { exchange in
                if exchange.path == "/other" {
                    other = exchange.acceptWebSocket(handler: second)
                    other?.pause()
                } else {
                    exchange.acceptWebSocket(handler: looks)
                }
            })
        let head = [(":protocol", "websocket"), ("sec-websocket-version", "13")]
        let streams = ["/other", "/looks"].map { client.request("CONNECT", $0, head, isOpen: true) }
        server.exchange(with: client)
        looks.look = { message in
            other?.resume()
            unsafe message.withUnsafeBytes { unsafe seen.append(Array($0)) }
        }
        var serializer = WebSocketSerializer(role: .client)
        client.send(serializer.frame(.text, isFinal: true, isCompressed: false, Array("ZZZZ".utf8)), on: streams[0])
        server.exchange(with: client)
        client.send(serializer.frame(.text, isFinal: true, isCompressed: false, Array("AAAA".utf8)), on: streams[1])
        server.exchange(with: client)
        #expect(seen == [Array("ZZZZ".utf8), Array("AAAA".utf8)])
        server.close()
    }
}
