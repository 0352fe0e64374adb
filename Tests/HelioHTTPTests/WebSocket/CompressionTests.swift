import HelioHTTP
import Heliograph
import HeliographTesting
import Testing

@Suite("permessage-deflate")
struct WebSocketCompressionTests {
    typealias Heard = WebSocketPeer.Heard

    private static let offer = [("sec-websocket-extensions", "permessage-deflate; client_max_window_bits")]
    private static let text = String(repeating: "the same again and again, ", count: 400)

    /// Compresses as a client that has agreed to keep no context.
    private func deflated(_ bytes: [UInt8], _ compression: ZlibWebSocketCompression? = nil) -> [UInt8] {
        var all: [UInt8] = []
        let compression = compression ?? ZlibWebSocketCompression(WebSocketCompressionParameters())
        unsafe compression.compress(bytes.span.bytes) { piece in
            unsafe piece.withUnsafeBytes { unsafe all.append(contentsOf: $0) }
        }
        return all
    }

    private func inflated(_ bytes: [UInt8], _ compression: ZlibWebSocketCompression? = nil) throws -> [UInt8] {
        var all: [UInt8] = []
        let compression = compression ?? ZlibWebSocketCompression(WebSocketCompressionParameters())
        try unsafe compression.decompress(bytes.span.bytes, limit: 1 << 20) { piece in
            unsafe piece.withUnsafeBytes { unsafe all.append(contentsOf: $0) }
        }
        return all
    }

    private static func compressing(_ options: inout WebSocketOptions) {
        options.compression = WebSocketCompressionOptions()
    }

    @Test("Large messages are compressed both ways, small ones are not")
    func bothWays() throws {
        let peer = WebSocketPeer(fields: Self.offer, Self.compressing)
        #expect(
            peer.answer["sec-websocket-extensions"]
                == "permessage-deflate; server_no_context_takeover; client_no_context_takeover")
        peer.send(.text, deflated(Array(Self.text.utf8)), isCompressed: true)
        peer.send("small")
        peer.send(.text, deflated(Array("small".utf8)), isCompressed: true)
        peer.send(Self.text)
        #expect(peer.heard.map(\.isCompressed) == [true, false, false, true])
        #expect(peer.heard[0].payload.count < 200)
        #expect(try inflated(peer.heard[0].payload) == Array(Self.text.utf8))
        #expect(peer.heard[0] == peer.heard[3])
        #expect(peer.heard[1] == .text("small") && peer.heard[2] == .text("small"))
        peer.leave()
    }

    @Test("A compressed message in fragments at every cut, with control frames between")
    func fragments() {
        let compressed = deflated(Array("hello, hello, hello".utf8))
        for cut in 0...compressed.count {
            let peer = WebSocketPeer(fields: Self.offer, Self.compressing)
            peer.send(.text, Array(compressed[..<cut]), isFinal: false, isCompressed: true)
            peer.send(.ping, [])
            peer.send(.continuation, Array(compressed[cut...]))
            #expect(peer.heard == [Heard(opcode: .pong, payload: []), .text("hello, hello, hello")])
            peer.leave()
        }
    }

    @Test("The examples of RFC 7692 section 7.2.3")
    func examples() throws {
        let hello: [UInt8] = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]
        #expect(try inflated(hello) == Array("Hello".utf8))
        #expect(deflated(Array("Hello".utf8)) == hello)
        // Stored; with a last block; of two blocks.
        #expect(
            try inflated([0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00]) == Array("Hello".utf8))
        #expect(try inflated([0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00]) == Array("Hello".utf8))
        #expect(
            try inflated([0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00])
                == Array("Hello".utf8))
        #expect(deflated([]) == [0x00])
        #expect(try inflated([0x00]) == [])
    }

    @Test("The tail is taken off whatever the pieces are")
    func tails() throws {
        var random = SeededGenerator(seed: 3)
        for count in [1, 100, 16_380, 16_384, 16_390, 40_000] {
            // What does not compress comes out in large pieces.
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(try inflated(deflated(bytes)) == bytes)
        }
    }

    @Test("A bomb is refused with 1009, and counted")
    func bomb() {
        let peer = WebSocketPeer(fields: Self.offer) {
            Self.compressing(&$0)
            $0.maxMessageSize = 100_000
        }
        peer.send(.binary, deflated(Array(repeating: 0, count: 10_000_000)), isCompressed: true)
        #expect(peer.heard == [.close(.messageTooBig)])
        #expect(peer.tripped(.webSocketMessageSize) == 1)
        peer.leave()
    }

    @Test("What is not compressed data, or is no text, is refused with 1007")
    func corrupt() {
        for bytes in [[0xff, 0xff, 0xff], deflated([0xc3, 0x28])] as [[UInt8]] {
            let peer = WebSocketPeer(fields: Self.offer, Self.compressing)
            peer.send(.text, bytes, isCompressed: true)
            #expect(peer.heard == [.close(.invalidPayload)])
            peer.leave()
        }
    }

    @Test("RSV1 without an agreement is a fault")
    func notAgreed() {
        for (fields, change) in [
            ([], Self.compressing), (Self.offer, { _ in }),
        ] as [([(String, String)], (inout WebSocketOptions) -> Void)] {
            let peer = WebSocketPeer(fields: fields, change)
            #expect(peer.answer["sec-websocket-extensions"] == nil)
            peer.send(.text, deflated([65]), isCompressed: true)
            #expect(peer.heard == [.close(.protocolError)])
            peer.leave()
        }
    }

    @Test("With context kept, later messages refer to earlier ones, both ways")
    func context() throws {
        var parameters = WebSocketCompressionParameters()
        parameters.keepsOutgoingContext = true
        parameters.keepsIncomingContext = true
        let client = ZlibWebSocketCompression(parameters)
        let peer = WebSocketPeer(fields: Self.offer) {
            Self.compressing(&$0)
            $0.compression?.keepsContext = true
            $0.compression?.threshold = 0
        }
        var random = SeededGenerator(seed: 5)
        let noise = (0..<1000).map { _ in UInt8.random(in: 0...255, using: &random) }
        for _ in 0..<3 { peer.send(.binary, deflated(noise, client), isCompressed: true) }
        #expect(peer.heard.count == 3)
        #expect(peer.heard[1].payload.count < 30)
        for heard in peer.heard { #expect(try inflated(heard.payload, client) == noise) }
        // A limit is each message's own.
        peer.send(.binary, deflated(Array(repeating: 0, count: 1 << 20), client), isCompressed: true)
        peer.send(.binary, deflated(Array(repeating: 0, count: 1 << 20), client), isCompressed: true)
        #expect(peer.heard.count == 5)
        peer.leave()
    }

    @Test("Messages are cut and changed at random, and end in messages or a close")
    func mutation() {
        var random = SeededGenerator(seed: 11)
        let good = deflated(Array(Self.text.utf8))
        for _ in 0..<300 {
            var bytes = good
            bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
            let peer = WebSocketPeer(fields: Self.offer) {
                Self.compressing(&$0)
                $0.maxMessageSize = 20_000
            }
            peer.send(.binary, bytes, isCompressed: true)
            #expect(peer.heard.count == 1)
            peer.leave()
        }
    }
}
