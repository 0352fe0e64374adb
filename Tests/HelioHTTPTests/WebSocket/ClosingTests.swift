import HelioHTTP
import HeliographTesting
import Testing

@Suite("The ends of a WebSocket")
struct WebSocketClosingTests {
    typealias Heard = WebSocketPeer.Heard

    @Test("The peer's close is answered with its code, and the stream ends")
    func peerCloses() {
        let handler = EchoWebSocket()
        let peer = WebSocketPeer(handler)
        peer.send(.close, [3, 232] + Array("bye".utf8))
        #expect(peer.heard == [.close(.normal)])
        #expect(handler.closed == [.init(code: .normal, reason: "bye", wasClean: true)])
        #expect(peer.answer.isComplete)
        peer.end()
        #expect(peer.answer.closeCode == 0)
        #expect(peer.server.webSockets?.openCount == 0)
        peer.leave()
    }

    @Test("A close without a code is answered so", arguments: [nil, 1000, 1001, 1003, 1007, 1011, 1014, 3000, 4999])
    func codes(_ number: UInt16?) {
        let handler = EchoWebSocket()
        let code = number.map(WebSocketCloseCode.init(rawValue:))
        let peer = WebSocketPeer(handler)
        peer.send(.close, Heard.close(code).payload)
        #expect(peer.heard == [.close(code)])
        #expect(handler.closed == [.init(code: code ?? .noStatus, wasClean: true)])
        peer.leave()
    }

    @Test("Our close waits for the peer's, takes no more messages, and then ends the stream")
    func weClose() {
        let handler = EchoWebSocket()
        handler.onMessage = { webSocket, _ in
            webSocket.close(WebSocketCloseCode(rawValue: 4000), reason: "enough")
            #expect(!webSocket.isOpen)
            #expect(!webSocket.send("no more") && !webSocket.ping())
        }
        let peer = WebSocketPeer(handler)
        peer.send("one")
        peer.send("two")
        peer.send(.ping, [1])
        #expect(peer.heard == [.close(WebSocketCloseCode(rawValue: 4000), "enough")])
        #expect(handler.closed.isEmpty)
        peer.send(.close, Heard.close(WebSocketCloseCode(rawValue: 4000)).payload)
        #expect(handler.closed == [.init(code: WebSocketCloseCode(rawValue: 4000), wasClean: true)])
        #expect(peer.heard.count == 1)
        #expect(peer.answer.isComplete)
        peer.leave()
    }

    @Test("A reason over 123 bytes is cut between characters")
    func longReason() {
        let handler = EchoWebSocket()
        handler.onOpened = { $0.close(reason: String(repeating: "é", count: 100)) }
        let peer = WebSocketPeer(handler)
        #expect(peer.heard == [.close(.normal, String(repeating: "é", count: 61))])
        peer.leave()
    }

    @Test("A peer that does not answer our close is reset after the time for it, and counted")
    func closeTimeout() {
        let handler = EchoWebSocket()
        handler.onOpened = { $0.close() }
        let peer = WebSocketPeer(handler) { $0.closeTimeout = .seconds(3) }
        peer.advance(by: .seconds(2))
        #expect(handler.closed.isEmpty)
        peer.advance(by: .seconds(2))
        #expect(handler.closed == [.init(code: .abnormal)])
        #expect(peer.answer.resetCode == HTTP2ErrorCode.cancel.rawValue)
        #expect(peer.tripped(.webSocketCloseTimeout) == 1)
        peer.leave()
    }

    @Test("A peer that closes and does not end its side is reset after the time for it")
    func halfOpen() {
        let handler = EchoWebSocket()
        let peer = WebSocketPeer(handler) { $0.closeTimeout = .seconds(3) }
        peer.send(.close, [])
        // What it still sends is thrown away.
        peer.send("more")
        #expect(handler.closed == [.init(code: .noStatus, wasClean: true)])
        #expect(peer.answer.closeCode == nil)
        peer.advance(by: .seconds(4))
        #expect(peer.answer.closeCode != nil)
        #expect(peer.server.webSockets?.openCount == 0)
        peer.leave()
    }

    @Test("The end of the stream without a close frame is 1006")
    func abnormal() {
        let handler = EchoWebSocket()
        let peer = WebSocketPeer(handler)
        peer.end()
        #expect(handler.closed == [.init(code: .abnormal)])
        #expect(peer.answer.isComplete && peer.heard.isEmpty)
        peer.leave()

        let lost = EchoWebSocket()
        WebSocketPeer(lost).leave()
        #expect(lost.closed == [.init(code: .abnormal)])
    }

    @Test("The end of the stream in the middle of a message frees what was gathered of it")
    func endsWithinMessage() {
        let handler = EchoWebSocket()
        let peer = WebSocketPeer(handler)
        peer.send(.text, Array(repeating: 65, count: 10_000), isFinal: false)
        peer.sendBytes(Array(peer.frame(.ping, [1, 2, 3]).prefix(7)))
        peer.end()
        #expect(handler.closed == [.init(code: .abnormal)])
        peer.leave()
    }

    @Test("A server that stops says 1001 to all")
    func goingAway() {
        let handler = EchoWebSocket()
        let peer = WebSocketPeer(handler)
        peer.server.webSockets?.closeAll(.goingAway)
        peer.settle()
        #expect(peer.heard == [.close(.goingAway)])
        peer.send(.close, [3, 233])
        #expect(handler.closed == [.init(code: .goingAway, wasClean: true)])
        peer.leave()
    }
}
