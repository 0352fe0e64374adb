import HeliographTesting
import Testing

@testable import Heliograph
@testable import HelioReactor

extension LiveTests {
    /// WebSockets of real loops, over HTTP/2 and TLS.
    @Suite struct WebSocketTests {
        /// A WebSocket at a live client, frame by frame.
        private struct Socket {
            let client: LiveClient
            let stream: Int32
            private var serializer = WebSocketSerializer(role: .client)

            init(_ client: LiveClient, _ fields: [(String, String)] = []) throws {
                self.client = client
                let head = [(":protocol", "websocket"), ("sec-websocket-version", "13")] + fields
                let stream = client.http.request("CONNECT", "/ws", head, isOpen: true)
                self.stream = stream
                try client.handshake()
                try #require(try client.run { $0.http[stream].status == 200 })
            }

            mutating func send(_ opcode: WebSocketOpcode, _ payload: [UInt8], isCompressed: Bool = false) {
                let frame = serializer.frame(opcode, isFinal: true, isCompressed: isCompressed, payload)
                client.http.send(frame, on: stream)
            }

            mutating func send(_ text: String) { send(.text, Array(text.utf8)) }

            /// Whether exactly these bytes have come in the end.
            func gets(_ bytes: [UInt8]) throws -> Bool {
                let stream = stream
                return try client.run { $0.http[stream].body.count >= bytes.count }
                    && client.http[stream].body == bytes
            }

            var isEnded: Bool {
                get throws {
                    let stream = stream
                    return try client.run { $0.http[stream].isComplete }
                }
            }
        }

        private static func text(_ text: String) -> [UInt8] { [0x81, UInt8(text.utf8.count)] + Array(text.utf8) }
        private static func close(_ code: UInt16) -> [UInt8] { [0x88, 2, UInt8(code >> 8), UInt8(code & 255)] }

        private final class Echo: Handler, WebSocketHandler {
            let options: WebSocketOptions
            let ends: Shared<[String]>?

            init(_ options: WebSocketOptions = WebSocketOptions(), _ ends: Shared<[String]>? = nil) {
                self.options = options
                self.ends = ends
            }
            func request(_ exchange: Exchange) { exchange.acceptWebSocket(options, handler: self) }
            func closed(_ exchange: Exchange, _ reason: CloseReason) { ends?.change { $0.append("exchange") } }
            func message(_ webSocket: WebSocket, _ message: RawSpan, _ kind: WebSocketKind) {
                webSocket.send(message, kind)
            }
            func closed(_ webSocket: WebSocket, _ code: WebSocketCloseCode, _ reason: String, wasClean: Bool) {
                ends?.change { $0.append("\(code) \(wasClean)") }
            }
        }

        @Test func anAsyncHandlerEchoesOnItsLoopAndClosesWhenItReturns() async throws {
            try await withAsyncServer { exchange in
                let loop = try #require(exchange.connection?.eventLoop)
                let webSocket = try #require(exchange.acceptWebSocket())
                for try await message in webSocket.messages {
                    #expect(loop.isCurrent)
                    guard case .text(let text) = message else { continue }
                    try await webSocket.send(text)
                    if text == "last" { return }
                }
            } _: { live in
                var socket = try Socket(live.connect())
                socket.send("first")
                #expect(try socket.gets(Self.text("first")))
                socket.send("last")
                #expect(try socket.gets(Self.text("first") + Self.text("last") + Self.close(1000)))
                socket.send(.close, [3, 232])
                #expect(try socket.isEnded)
            }
        }

        @Test func anAsyncHandlerThatThrowsClosesWith1011AndIsLogged() async throws {
            struct Broken: Error {}
            let (configuration, log) = try LiveServer.configuration()
            let server = Server(configuration) { exchange in
                _ = try await exchange.acceptWebSocket()?.nextMessage()
                throw Broken()
            }
            let live = try LiveServer(server, log)
            var socket = try Socket(live.connect())
            socket.send("one")
            #expect(try socket.gets(Self.close(1011)))
            #expect(log.lines.filter { $0.hasPrefix("error") } == ["error a handler threw error=Broken"])
            await live.server.stop(within: .zero)
        }

        @Test func anAsyncHandlerIsToldThatThePeerIsGoneAndThatIsNoError() async throws {
            let thrown = Shared<[String]>([])
            let (configuration, log) = try LiveServer.configuration()
            let server = Server(configuration) { exchange in
                do {
                    _ = try await exchange.acceptWebSocket()?.nextMessage()
                } catch {
                    thrown.change { $0.append("\(error)") }
                    throw error
                }
            }
            let live = try LiveServer(server, log)
            try Socket(live.connect()).client.close()
            #expect(try await thrown.settled { $0 == ["the WebSocket is closed (1006)"] })
            #expect(log.lines.filter { $0.hasPrefix("error") }.isEmpty)
            await live.server.stop(within: .zero)
        }

        @Test func aServerThatStopsSays1001AndWaitsForTheAnswer() async throws {
            let ends = Shared<[String]>([])
            try await withServer {
                _ in
                Echo(WebSocketOptions(), ends)
            } _: { live in
                var socket = try Socket(live.connect())
                async let stopping: Void = live.server.stop(within: .seconds(30))
                #expect(try socket.gets(Self.close(1001)))
                socket.send(.close, [3, 233])
                #expect(try socket.isEnded)
                socket.client.http.send([], on: socket.stream, finished: true)
                #expect(try socket.client.run { $0.isClosed })
                await stopping
                #expect(ends.value == ["1001 true", "exchange"])
            }
        }

        @Test func thePeerIsSentPingsByTheLoopsTimerAndNoTimerIsLeft() async throws {
            var options = WebSocketOptions()
            options.pingInterval = .milliseconds(200)
            options.pongTimeout = .milliseconds(200)
            let accepted = options
            try await withServer {
                _ in
                Echo(accepted)
            } _: { live in
                let before = try await live.snapshot()
                let socket = try Socket(live.connect())
                // A ping, and as nobody answers, a reset.
                #expect(try socket.gets([0x89, 8] + [0, 0, 0, 0, 0, 0, 0, 1]))
                let stream = socket.stream
                #expect(try socket.client.run { $0.http[stream].resetCode == HTTP2ErrorCode.cancel.rawValue })
                socket.client.close()
                let after = try #require(await live.settled { $0.connections.open == 0 && $0.timers == before.timers })
                #expect(after.http.limitsTripped[.webSocketPongTimeout] == 1)
            }
        }

        @Test func allThatKeepNoContextShareOneCompressor() async throws {
            var options = WebSocketOptions()
            options.compression = WebSocketCompressionOptions()
            let accepted = options
            try await withServer {
                _ in
                Echo(accepted)
            } _: { live in
                let client = try live.connect()
                let offer = [("sec-websocket-extensions", "permessage-deflate")]
                var sockets = try (0..<3).map { _ in try Socket(client, offer) }
                let text = Array(String(repeating: "again and again ", count: 100).utf8)
                var compressed: [UInt8] = []
                unsafe ZlibWebSocketCompression(WebSocketCompressionParameters()).compress(text.span.bytes) { piece in
                    unsafe piece.withUnsafeBytes { unsafe compressed.append(contentsOf: $0) }
                }
                let answer = [0xc1, UInt8(compressed.count)] + compressed
                for round in 1...3 {
                    for index in sockets.indices { sockets[index].send(.text, compressed, isCompressed: true) }
                    for socket in sockets {
                        #expect(try socket.gets(Array(repeatElement(answer, count: round).joined())))
                    }
                }
            }
        }
    }
}
