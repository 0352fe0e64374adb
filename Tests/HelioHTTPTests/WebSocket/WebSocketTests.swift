import HelioHTTP
import Heliograph
import HeliographTesting
import Testing

@Suite("A WebSocket over HTTP/2")
struct WebSocketTests {
    typealias Heard = WebSocketPeer.Heard

    // MARK: Opening

    @Test("It opens with status 200, and without what is HTTP/1.1's")
    func opens() {
        let peer = WebSocketPeer(
            fields: [("sec-websocket-protocol", "other, chat"), ("origin", "https://localhost")]
        ) { $0.subprotocols = ["chat", "echo"] }
        #expect(peer.answer.status == 200)
        #expect(peer.answer["sec-websocket-protocol"] == "chat")
        for name in ["sec-websocket-accept", "upgrade", "connection", "sec-websocket-extensions"] {
            #expect(peer.answer[name] == nil)
        }
        #expect(peer.webSocket?.subprotocol == "chat")
        peer.leave()
    }

    @Test("A page of another origin is refused with 403")
    func origin() {
        let peer = WebSocketPeer(fields: [("origin", "https://evil.org")])
        #expect(peer.webSocket === nil)
        #expect(peer.answer.status == 403)
        peer.leave()
    }

    @Test("Another version than 13 is refused, and told so", arguments: ["12", "013", "13, 8", ""])
    func version(_ version: String) {
        let peer = WebSocketPeer(fields: [("sec-websocket-version", version)])
        #expect(peer.webSocket === nil)
        #expect(peer.answer.status == 400)
        #expect(peer.answer["sec-websocket-version"] == "13")
        peer.leave()
    }

    @Test("A malformed list of extensions or subprotocols is refused")
    func malformed() {
        for field in [("sec-websocket-extensions", "a;"), ("sec-websocket-protocol", "a, a"), ("origin", "null")] {
            let peer = WebSocketPeer(fields: [field])
            #expect(peer.answer.status == (field.0 == "origin" ? 403 : 400))
            peer.leave()
        }
    }

    // MARK: Messages

    @Test("Messages come back, of every size of length and at every cut")
    func echo() {
        let peer = WebSocketPeer()
        let messages = [0, 1, 125, 126, 4096, 4097, 65_535, 65_536, 70_000].map { size in
            (0..<size).map { UInt8(truncatingIfNeeded: $0) }
        }
        for message in messages { peer.send(.binary, message) }
        peer.send("häl€o")
        #expect(peer.heard == messages.map(Heard.binary) + [.text("häl€o")])
        peer.leave()

        let bytes = peer.frame(.text, Array("hé".utf8)) + peer.frame(.binary, [1, 2]) + peer.frame(.ping, [3, 4])
        for cut in 1...bytes.count {
            let peer = WebSocketPeer()
            peer.sendBytes(Array(bytes[..<cut]))
            peer.sendBytes(Array(bytes[cut...]))
            #expect(peer.heard == [.text("hé"), .binary([1, 2]), Heard(opcode: .pong, payload: [3, 4])])
            peer.leave()
        }
        let whole = WebSocketPeer()
        whole.sendBytes(bytes, cut: 1)
        #expect(whole.heard.count == 3)
        whole.leave()
    }

    @Test("A message in fragments is one, with control frames between them")
    func fragments() {
        let peer = WebSocketPeer()
        peer.send(.text, Array("a€".utf8.prefix(2)), isFinal: false)
        peer.send(.ping, [1])
        peer.send(.continuation, Array("a€".utf8.dropFirst(2)), isFinal: false)
        peer.send(.continuation, [])
        #expect(peer.heard == [Heard(opcode: .pong, payload: [1]), .text("a€")])
        peer.leave()
    }

    @Test("Pieces come as they do, for who asks for them")
    func pieces() {
        final class Pieces: WebSocketHandler {
            var all: [String] = []
            func piece(_ webSocket: WebSocket, _ piece: RawSpan, _ kind: WebSocketKind, isLast: Bool) {
                all.append("\(kind) \(piece.byteCount) \(isLast)")
            }
        }
        let handler = Pieces()
        let peer = WebSocketPeer(handler) { $0.deliversPieces = true }
        peer.send(.text, Array("ab€".utf8.prefix(3)), isFinal: false)
        peer.send(.continuation, Array("ab€".utf8.dropFirst(3)))
        peer.send(.binary, [])
        #expect(handler.all == ["text 3 false", "text 2 true", "binary 0 true"])
        // A text is checked all the same.
        peer.send(.text, [0xff], isFinal: false)
        #expect(peer.heard == [.close(.invalidPayload)])
        peer.leave()
    }

    @Test("Messages go out by pieces, as fragments")
    func sendsPieces() {
        let handler = EchoWebSocket()
        handler.onOpened = { webSocket in
            for (index, text) in ["one ", "two ", "three"].enumerated() {
                unsafe webSocket.send(piece: Array(text.utf8).span.bytes, .text, isLast: index == 2)
            }
            webSocket.send("whole")
        }
        let peer = WebSocketPeer(handler)
        #expect(peer.heard == [.text("one two three"), .text("whole")])
        peer.leave()
    }

    // MARK: Faults

    @Test("A fault of the peer's is told with its code, and the stream ends")
    func faults() {
        let table: [([UInt8], WebSocketCloseCode)] = [
            ([0x81, 0x02, 0x41, 0x41], .protocolError),
            ([0x83, 0x80, 0, 0, 0, 0], .protocolError),
            ([0x81, 0x81, 0, 0, 0, 0, 0xff], .invalidPayload),
            ([0x82, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 1, 0, 0, 0, 0], .messageTooBig),
            // Close frames: of one byte; of a code that is not to be sent; with a reason that is not UTF-8.
            ([0x88, 0x81, 0, 0, 0, 0, 3], .protocolError),
            ([0x88, 0x82, 0, 0, 0, 0, 3, 237], .protocolError),
            ([0x88, 0x82, 0, 0, 0, 0, 3, 238], .protocolError),
            ([0x88, 0x82, 0, 0, 0, 0, 0, 0], .protocolError),
            ([0x88, 0x82, 0, 0, 0, 0, 0x13, 0x88], .protocolError),
            ([0x88, 0x83, 0, 0, 0, 0, 3, 232, 0xff], .invalidPayload),
        ]
        for (bytes, code) in table {
            let handler = EchoWebSocket()
            let peer = WebSocketPeer(handler)
            // What follows is not read.
            peer.sendBytes(bytes + peer.frame(.text, [65]))
            #expect(peer.heard == [.close(code)], "\(bytes)")
            #expect(handler.closed.map(\.code) == [code])
            #expect(handler.closed.first?.wasClean == false)
            #expect(peer.answer.isComplete)
            peer.leave()
        }
    }

    @Test("A text fails at its first bad byte, in the middle of a frame")
    func failsFast() {
        let peer = WebSocketPeer()
        peer.send(.text, Array("ok".utf8), isFinal: false)
        let rest = peer.frame(.continuation, [0xc3, 0x28] + Array(repeating: 65, count: 1000))
        peer.sendBytes(Array(rest.prefix(10)))
        #expect(peer.heard == [.close(.invalidPayload)])
        peer.leave()
    }

    @Test("A text that ends within a character is none")
    func cutCharacter() {
        let peer = WebSocketPeer()
        peer.send(.text, [0xe2, 0x82])
        #expect(peer.heard == [.close(.invalidPayload)])
        peer.leave()
    }

    @Test("A message over the limit is refused and counted")
    func tooBig() {
        let peer = WebSocketPeer { $0.maxMessageSize = 10 }
        peer.send(.binary, Array(repeating: 1, count: 10))
        peer.send(.binary, Array(repeating: 1, count: 6), isFinal: false)
        peer.send(.continuation, Array(repeating: 1, count: 5))
        #expect(peer.heard == [.binary(Array(repeating: 1, count: 10)), .close(.messageTooBig)])
        #expect(peer.tripped(.webSocketMessageSize) == 1)
        peer.leave()
    }

    @Test("Too many fragments are refused and counted")
    func tooManyFragments() {
        let peer = WebSocketPeer { $0.maxFragments = 2 }
        peer.send(.text, [65], isFinal: false)
        peer.send(.continuation, [65], isFinal: false)
        peer.send(.continuation, [65])
        #expect(peer.heard == [.close(.policyViolation)])
        #expect(peer.tripped(.webSocketFragments) == 1)
        peer.leave()
    }

    // MARK: Prepared messages

    @Test("A prepared message is sent to many as it is, small or large")
    func prepared() {
        let large = String(repeating: "large ", count: 1000)
        let compression = ZlibWebSocketCompression(WebSocketCompressionParameters())
        let small = PreparedWebSocketMessage("small", compressedBy: compression)
        let big = PreparedWebSocketMessage(large, compressedBy: compression)
        let bytes = PreparedWebSocketMessage([1, 2, 3])
        for offer in [[], [("sec-websocket-extensions", "permessage-deflate")]] {
            let handler = EchoWebSocket()
            handler.onOpened = { for message in [small, big, bytes] { $0.send(message) } }
            let peer = WebSocketPeer(handler, fields: offer) { $0.compression = WebSocketCompressionOptions() }
            #expect(peer.heard.map(\.opcode) == [.text, .text, .binary])
            #expect(peer.heard.map(\.isCompressed) == [false, !offer.isEmpty, false])
            #expect(offer.isEmpty == (peer.heard[1] == .text(large)))
            peer.leave()
        }
    }
}
