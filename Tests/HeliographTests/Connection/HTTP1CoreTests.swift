import HelioHTTP
import HelioTLS
import HeliographTesting
import Testing

@testable import Heliograph

/// Which version a connection gets, and how one of HTTP/1.1 ends: TLS and protocol together, in memory.
@Suite struct HTTP1CoreTests {
    private static let get = Array("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)
    private static let response =
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 13\r\n\r\nHello, World!"

    /// A client of HTTP/1.1, over TLS or not, and the core that it talks to.
    private final class Peer: ConnectionCoreOwner {
        let clock = ManualClock()
        let resources = LoopResources(limits: Limits())
        private(set) var core: ConnectionCore?
        private var tls: TLSEngine?
        private let clientIO = TLSRecordIO()
        private var wantsInput = false
        private(set) var received: [UInt8] = []

        init(
            handler: any Handler, isSecure: Bool, offers: [String] = ["http/1.1"],
            versions: HTTPVersions = [.http1, .http2]
        ) throws {
            let context = isSecure ? try Identity.shared.serverContext { $0.alpn = versions.alpn } : nil
            core = ConnectionCore(
                resources: resources, tls: context, options: ConnectionOptions(versions: versions), handler: handler,
                owner: self, now: clock.now)
            guard isSecure else { return }
            let engine = TLSEngine(
                client: try Identity.shared.clientContext(offers: offers), io: clientIO, serverName: "localhost")
            try engine.start()
            tls = engine
        }

        func coreNeedsDrain() {}
        func coreWantsInput() { wantsInput = true }

        var text: String { String(decoding: received, as: UTF8.self) }
        var isPeerClosed: Bool { tls?.isPeerClosed == true }

        func send(_ bytes: [UInt8], cut: Int = Int.max) throws {
            var rest = bytes[...]
            repeat {
                let piece = Array(rest.prefix(cut))
                rest = rest.dropFirst(piece.count)
                try deliver(piece)
            } while !rest.isEmpty
        }

        private func deliver(_ bytes: [UInt8]) throws {
            guard let tls else {
                give(bytes)
                return try read()
            }
            while !tls.isHandshakeComplete {
                give(try tls.sealed([]))
                try read()
            }
            give(try tls.sealed(bytes))
            try read()
        }

        private func give(_ bytes: [UInt8]) {
            unsafe bytes.withUnsafeBytes { unsafe core?.receive($0, now: clock.now) }
        }

        func read() throws {
            guard let core else { return }
            while core.wantsDrain || wantsInput {
                if wantsInput {
                    wantsInput = false
                    core.resumeInput(now: clock.now)
                }
                let count = unsafe core.drain(into: resources.outgoing, now: clock.now)
                let bytes = unsafe Array(resources.outgoing[..<count])
                if let tls { try tls.take(bytes) { received += $0 } } else { received += bytes }
                if count == 0, core.isFinished { return }
            }
        }

        /// The client says close_notify.
        func sayGoodbye() throws {
            guard let tls else { return }
            tls.close()
            give(try tls.sealed([]))
            try read()
        }

        func leave() {
            core?.close(.connectionLost)
            core = nil
        }
    }

    @Test(arguments: [true, false], [1, 5, Int.max])
    func aClientOfHTTP1IsServedBesideHTTP2(isSecure: Bool, cut: Int) throws {
        let peer = try Peer(handler: RecordingHandler(), isSecure: isSecure)
        for _ in 0..<2 { try peer.send(Self.get, cut: cut) }
        #expect(peer.text == Self.response + Self.response)
        peer.leave()
    }

    @Test func whoOffersNothingByALPNSpeaksHTTP1() throws {
        let peer = try Peer(handler: RecordingHandler(), isSecure: true, offers: [])
        try peer.send(Self.get)
        #expect(peer.text == Self.response)
        peer.leave()
    }

    @Test(arguments: [
        "P", "PRI * HTTP/2.0", "PRI * HTTP/1.1\r\nHost: h\r\n\r\n", "PUT /hello HTTP/1.1\r\nHost: h\r\n\r\n",
    ])
    func theFirstBytesDecideOnPlaintext(start: String) throws {
        let peer = try Peer(handler: RecordingHandler(), isSecure: false)
        try peer.send(Array(start.utf8), cut: 1)
        #expect(peer.text.hasPrefix("HTTP/1.1 ") == start.contains("HTTP/1.1"))
        peer.leave()
    }

    @Test func plaintextThatIsHeldToHTTP2AnswersNoRequestLine() throws {
        let peer = try Peer(handler: RecordingHandler(), isSecure: false, versions: .http2)
        try peer.send(Self.get)
        #expect(!peer.text.contains("HTTP/1.1 "))
        #expect(peer.core?.isFinished == true)
        peer.leave()
    }

    @Test func aPipelineGoesOnInTurns() throws {
        let handler = RecordingHandler()
        let peer = try Peer(handler: handler, isSecure: true)
        try peer.send(Array(repeatElement(Self.get, count: 250).joined()))
        #expect(peer.text == String(repeating: Self.response, count: 250))
        peer.leave()
    }

    @Test func theLastResponseIsFollowedByCloseNotify() throws {
        let peer = try Peer(handler: RecordingHandler(), isSecure: true)
        try peer.send(Array("GET /hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".utf8))
        #expect(peer.text.hasSuffix("Hello, World!"))
        #expect(peer.isPeerClosed)
        #expect(peer.core?.isFinished == true)
        peer.leave()
    }

    /// Starts, and breaks off or ends as told.
    private final class Streaming: Handler {
        var kept: Exchange?
        var closed: [CloseReason] = []
        func request(_ exchange: Exchange) {
            exchange.start(.ok)
            exchange.write("part")
            kept = exchange
        }
        func closed(_ exchange: Exchange, _ reason: CloseReason) {
            kept = nil
            closed.append(reason)
        }
    }

    @Test(arguments: [true, false])
    func aResponseThatEndsWithTheConnectionAndBreaksOffIsNotFollowedByCloseNotify(breaksOff: Bool) throws {
        let handler = Streaming()
        let peer = try Peer(handler: handler, isSecure: true)
        try peer.send(Array("GET / HTTP/1.0\r\n\r\n".utf8))
        #expect(peer.text.hasSuffix("\r\nconnection: close\r\n\r\npart"))
        if breaksOff { handler.kept?.reset() } else { handler.kept?.finish() }
        try peer.read()
        #expect(peer.core?.isFinished == true)
        #expect(peer.core?.endsAbruptly == breaksOff)
        #expect(peer.isPeerClosed == !breaksOff)
        peer.leave()
    }

    @Test func theEndOfTheClientsTLSEndsWhatIsNotBeingAnswered() throws {
        let handler = Streaming()
        let peer = try Peer(handler: handler, isSecure: true)
        try peer.send(Array("GET / HTTP/1.1\r\nHost: h\r\n\r\n".utf8))
        try peer.sayGoodbye()
        #expect(peer.core?.isFinished == true)
        peer.leave()
        #expect(handler.closed == [.connectionLost])
    }
}
