import HelioHTTP
import HeliographTesting
import Testing

@Suite("The async face of a WebSocket")
@MainActor struct AsyncWebSocketTests {
    private func end(_ peer: WebSocketPeer) throws -> WebSocket { try #require(peer.webSocket) }

    @Test("Messages come in order, those from before too, and end when both sides have closed")
    func messages() async throws {
        let peer = WebSocketPeer(nil)
        peer.send("one")
        peer.send(.binary, [1, 2])
        let webSocket = try end(peer)
        #expect(try await webSocket.nextMessage() == .text("one"))
        let task = Task { @MainActor in
            var all: [WebSocketMessage] = []
            for try await message in webSocket.messages { all.append(message) }
            return all
        }
        await Task.yield()
        peer.send("later")
        peer.send(.close, [3, 232])
        #expect(try await task.value == [.binary([1, 2]), .text("later")])
        #expect(webSocket.closeCode == .normal && webSocket.isClean)
        peer.leave()
    }

    @Test("Another end is thrown, with its code")
    func throwsAtOtherEnds() async throws {
        let peer = WebSocketPeer(nil)
        let webSocket = try end(peer)
        peer.send("last")
        peer.end()
        #expect(try await webSocket.nextMessage() == .text("last"))
        await #expect(throws: WebSocketError.closed(.abnormal, reason: "")) { try await webSocket.nextMessage() }
        await #expect(throws: WebSocketError.closed(.abnormal, reason: "")) { try await webSocket.send("late") }
        peer.leave()
    }

    @Test("A sender waits while the peer does not read")
    func sendWaits() async throws {
        let peer = WebSocketPeer(nil, limits: limits { $0.responseHighWaterMark = 4096 }, window: 1024)
        let webSocket = try end(peer)
        var sent = 0
        let task = Task { @MainActor in
            for _ in 0..<20 {
                try await webSocket.send([UInt8](repeating: 1, count: 1000))
                sent += 1
            }
        }
        await Task.yield()
        #expect((4..<8).contains(sent))
        while sent < 20 {
            peer.take()
            await Task.yield()
        }
        try await task.value
        peer.leave()
    }

    @Test("A peer whose messages nobody takes has to wait")
    func receiveWaits() async throws {
        let peer = WebSocketPeer(nil, limits: limits { $0.streamWindow = 65_535 })
        let webSocket = try end(peer)
        let message = [UInt8](repeating: 1, count: 10_000)
        for _ in 0..<100 { peer.send(.binary, message) }
        // 64 KiB of messages, and one window of the stream.
        #expect(peer.unsent > 800_000)
        for _ in 0..<100 {
            #expect(try await webSocket.nextMessage() == .binary(message))
            peer.settle()
        }
        #expect(peer.unsent == 0)
        peer.leave()
    }
}
