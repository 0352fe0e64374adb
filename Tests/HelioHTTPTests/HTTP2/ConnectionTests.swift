import HelioHTTP
import HeliographTesting
import Testing

/// What concerns a connection beside its streams.
@Suite("HTTP/2 connections as a whole")
struct ConnectionTests {
    /// Keeps the connection of the first request, and what is told of it.
    private final class Site: HTTP2ConnectionHandler {
        var connection: HTTP2Connection?
        var exchange: Exchange?
        var told: [String] = []

        func request(_ exchange: Exchange) {
            self.exchange = exchange
            connection = exchange.http2
            exchange.start(.ok)
        }

        func settingsReceived(_ connection: HTTP2Connection) {
            told.append("settings \(connection.remoteSettings?.initialWindowSize ?? 0)")
        }
        func settingsAcknowledged(_ connection: HTTP2Connection) {
            told.append("acknowledged \(connection.localSettings?.maxConcurrentStreams ?? 0)")
        }
        func goAwayReceived(_ connection: HTTP2Connection, _ goAway: HTTP2GoAway) {
            told.append("goaway \(goAway.lastStream) \(goAway.code) \(String(decoding: goAway.data, as: UTF8.self))")
        }
    }

    private func open(_ site: Site, limits: Limits = Limits()) throws -> (peer: RawPeer, connection: HTTP2Connection) {
        let peer = RawPeer(handler: site, limits: limits)
        peer.get(1)
        return (peer, try #require(site.connection))
    }

    // MARK: PING

    @Test("A ping tells the time from its sending to its return")
    func ping() throws {
        let (peer, connection) = try open(Site())
        var times: [Duration?] = []
        connection.ping { times.append($0) }
        // It waits for the socket: that is not the peer's time.
        peer.server.clock.advance(by: .seconds(5))
        peer.read()
        let frame = try #require(peer.last(.ping))
        #expect(frame.flags == 0)
        #expect(connection.state?.unansweredPings == 1)
        peer.server.clock.advance(by: .milliseconds(30))
        peer.send(FrameBuilder.ping(isAck: true))
        #expect(times.isEmpty)
        peer.send(FrameBuilder.ping(frame.payload, isAck: true))
        #expect(times == [.milliseconds(30)])
        peer.send(FrameBuilder.ping(frame.payload, isAck: true))
        #expect(times.count == 1)
        #expect(connection.state?.unansweredPings == 0)
        peer.leave()
    }

    @Test("A peer that answers what was not sent yet has only guessed")
    func guessedPing() throws {
        let (peer, connection) = try open(Site())
        var times: [Duration?] = []
        connection.ping { times.append($0) }
        peer.read()
        let first = try #require(peer.last(.ping))
        connection.ping { times.append($0) }
        var next = first.payload
        next[7] += 1
        peer.sendWithoutReading(FrameBuilder.ping(next, isAck: true))
        #expect(times.isEmpty)
        peer.read()
        #expect(peer.last(.ping)?.payload == next)
        peer.send(FrameBuilder.ping(next, isAck: true))
        #expect(times.count == 1)
        peer.leave()
    }

    @Test("Pings without an answer are bounded, and end with the connection")
    func pingBound() throws {
        let (peer, connection) = try open(Site(), limits: limits { $0.maxUnansweredFrames = 3 })
        var ends = 0
        for _ in 0..<3 {
            let isSent = connection.ping { time in if time == nil { ends += 1 } }
            #expect(isSent)
        }
        let isFourthSent = connection.ping { _ in ends += 100 }
        #expect(!isFourthSent)
        #expect(peer.tripped(.unansweredFrames) == 1)
        peer.leave()
        #expect(ends == 3)
        #expect(!connection.isOpen)
        let isLastSent = connection.ping { _ in ends += 100 }
        #expect(!isLastSent)
    }

    @Test("A ping that is awaited has no time when the connection is gone")
    func awaitedPing() async throws {
        let (peer, connection) = try open(Site())
        peer.leave()
        let time = await connection.ping()
        #expect(time == nil)
    }

    // MARK: SETTINGS

    @Test("What each side has said is there to read")
    func settings() throws {
        let site = Site()
        let peer = RawPeer(
            handler: site,
            settings: [(1, 8192), (2, 0), (3, 7), (4, 70_000), (5, 20_000), (6, 9_999)].map {
                (id: $0.0, value: $0.1)
            })
        peer.get(1)
        let connection = try #require(site.connection)
        let remote = try #require(connection.remoteSettings)
        #expect(remote.headerTableSize == 8192)
        #expect(!remote.allowsPush)
        #expect(remote.maxConcurrentStreams == 7)
        #expect(remote.initialWindowSize == 70_000)
        #expect(remote.maxFrameSize == 20_000)
        #expect(remote.maxHeaderListSize == 9_999)
        let local = try #require(connection.localSettings)
        #expect(local.maxConcurrentStreams == 100)
        #expect(local.initialWindowSize == 256 * 1024)
        #expect(local.maxHeaderListSize == 16 * 1024)
        #expect(local.headerTableSize == 4096)
        #expect(local.allowsConnectProtocol)
        #expect(site.told == ["settings 70000", "acknowledged 100"])
        peer.leave()
        #expect(connection.remoteSettings == nil)
        #expect(connection.localSettings == nil)
    }

    @Test("Settings are changed, and count once the peer has acknowledged them")
    func update() throws {
        let site = Site()
        let (peer, connection) = try open(site)
        var changes = HTTP2Settings.Changes()
        changes.maxConcurrentStreams = 1
        changes.initialWindowSize = 100_000
        changes.maxFrameSize = 32_768
        changes.maxHeaderListSize = 1 << 30
        changes.headerTableSize = 0
        #expect(connection.updateSettings(changes))
        peer.read()
        let payload = try #require(peer.last(.settings)).payload
        let entries = stride(from: 0, to: payload.count, by: 6).map {
            [Int(payload[$0 + 1])] + [payload[$0 + 2..<$0 + 6].reduce(0) { $0 << 8 | Int($1) }]
        }
        #expect(entries == [[1, 0], [3, 1], [4, 100_000], [5, 32_768], [6, 16 * 1024]])
        #expect(connection.localSettings?.maxConcurrentStreams == 100)
        #expect(connection.state?.unacknowledgedSettings == 1)
        peer.send(FrameBuilder.frame(.settings, flags: FrameBuilder.ack))
        #expect(connection.localSettings?.maxConcurrentStreams == 1)
        #expect(connection.localSettings?.initialWindowSize == 100_000)
        #expect(connection.state?.unacknowledgedSettings == 0)
        #expect(site.told.last == "acknowledged 1")
        peer.get(3)
        #expect(peer.goaway == .protocolError)
        peer.leave()
    }

    @Test("Settings that a peer does not acknowledge are bounded")
    func updateBound() throws {
        let (peer, connection) = try open(Site(), limits: limits { $0.maxUnansweredFrames = 2 })
        var changes = HTTP2Settings.Changes()
        changes.initialWindowSize = 70_000
        #expect(connection.updateSettings(changes))
        #expect(connection.updateSettings(changes))
        #expect(!connection.updateSettings(changes))
        #expect(peer.tripped(.unansweredFrames) == 1)
        peer.send(FrameBuilder.frame(.settings, flags: FrameBuilder.ack))
        #expect(connection.updateSettings(changes))
        peer.leave()
        #expect(!connection.updateSettings(changes))
    }

    @Test("The tables' sizes are said and kept to")
    func tables() throws {
        var connection: HTTP2Connection?
        let handler = RecordingHandler { exchange in
            connection = exchange.http2
            for index in 0..<20 { exchange.addHeader("x-\(index)", "value \(index)") }
            exchange.respond(.noContent)
        }
        let peer = RawPeer(
            handler: handler,
            limits: limits {
                $0.headerTableSize = 0
                $0.encoderTableSize = 256
            })
        peer.read()
        #expect(peer.frames.first?.payload.suffix(6) == [0, 1, 0, 0, 0, 0])
        // The peer's compressor says that it follows (RFC 7541 section 6.3).
        let request = FrameBuilder.headerBlock([
            (":method", "GET"), (":scheme", "https"), (":authority", "localhost"), (":path", "/"),
        ])
        peer.send(FrameBuilder.frame(.headers, flags: 5, stream: 1, [0x20] + request))
        let state = try #require(connection?.state)
        #expect(state.decoderTableSize == 0)
        #expect(state.encoderTableSize > 0)
        #expect(state.encoderTableSize <= 256)
        peer.leave()
    }

    @Test("The connection's window is made larger and smaller")
    func receiveWindow() throws {
        let (peer, connection) = try open(Site())
        #expect(connection.state?.receiveWindowSize == 1024 * 1024)
        #expect(connection.setReceiveWindow(4 * 1024 * 1024))
        peer.read()
        #expect(peer.last(.windowUpdate)?.number() == UInt32(3 * 1024 * 1024))
        #expect(connection.state?.receiveWindow == 4 * 1024 * 1024)
        let updates = peer.frames.count
        #expect(connection.setReceiveWindow(65_535))
        peer.read()
        #expect(peer.frames.count == updates)
        #expect(connection.state?.receiveWindowSize == 65_535)
        peer.leave()
        #expect(!connection.setReceiveWindow(65_535))
    }

    // MARK: GOAWAY

    @Test("A goodbye says its code and data; what is open finishes")
    func goAway() throws {
        let site = Site()
        let (peer, connection) = try open(site)
        #expect(connection.goAway(.enhanceYourCalm, data: Array("too much".utf8)))
        #expect(!connection.goAway(), "one goodbye is enough")
        peer.sendWithoutReading(FrameBuilder.request(stream: 3))
        peer.read()
        let frame = try #require(peer.last(.goaway))
        #expect(frame.number() == 1)
        #expect(frame.number(at: 4) == HTTP2ErrorCode.enhanceYourCalm.rawValue)
        #expect(String(decoding: frame.payload[8...], as: UTF8.self) == "too much")
        #expect(peer.reset(3) == .refusedStream)
        #expect(connection.state?.isLeaving == true)
        #expect(!peer.server.session.isFinished)
        site.exchange?.finish()
        peer.read()
        #expect(peer.server.session.isFinished)
        peer.leave()
        #expect(!connection.goAway())
    }

    @Test("A goodbye to streams that a handler has begun resets them")
    func goAwayEarlier() throws {
        let handler = RecordingHandler { $0.start(.ok) }
        let peer = RawPeer(handler: handler)
        var connection: HTTP2Connection?
        handler.onRequest = { exchange in
            connection = exchange.http2
            exchange.start(.ok)
        }
        peer.get(1)
        peer.get(3)
        #expect(connection?.goAway(lastStream: 2) == false, "an even stream is not the peer's")
        #expect(connection?.goAway(lastStream: -1) == false)
        #expect(connection?.goAway(data: [UInt8](repeating: 0, count: 16_377)) == false)
        #expect(connection?.goAway(lastStream: 1) == true)
        peer.read()
        #expect(peer.last(.goaway)?.number() == 1)
        #expect(handler.closed == [.reset(.refusedStream)])
        peer.leave()
    }

    @Test("A peer's goodbye is told with its code and data")
    func peerGoesAway() throws {
        let site = Site()
        let (peer, _) = try open(site)
        peer.send(FrameBuilder.frame(.goaway, [0, 0, 0, 0, 0, 0, 0, 0xb] + Array("enough".utf8)))
        #expect(site.told.last == "goaway 0 ENHANCE_YOUR_CALM enough")
        peer.send(FrameBuilder.frame(.goaway, [0, 0, 0, 0, 0, 0, 0, 0]))
        #expect(site.told.last == "goaway 0 NO_ERROR ")
        peer.leave()
    }

    // MARK: ORIGIN and ALTSVC

    @Test("Origins are told as RFC 8336 section 2 has them")
    func origins() throws {
        let (peer, connection) = try open(Site())
        #expect(connection.sendOrigins(["https://a.example", "https://b.example:8443"]))
        peer.read()
        let frame = try #require(peer.last(.origin))
        #expect(frame.stream == 0 && frame.flags == 0)
        let expected = [0, 17] + Array("https://a.example".utf8) + [0, 22] + Array("https://b.example:8443".utf8)
        #expect(frame.payload == expected)
        #expect(connection.sendOrigins([]))
        peer.read()
        #expect(peer.last(.origin)?.payload == [])
        #expect(!connection.sendOrigins([String(repeating: "x", count: 20_000)]))
        peer.leave()
        #expect(!connection.sendOrigins([]))
    }

    @Test("Alternative services are told for an origin and for a stream (RFC 7838 section 4)")
    func alternativeServices() throws {
        let site = Site()
        let (peer, connection) = try open(site)
        #expect(connection.sendAlternativeService("h2=\":443\"", origin: "https://a.example"))
        peer.read()
        #expect(
            peer.last(.altsvc)?.payload == [0, 17] + Array("https://a.exampleh2=\":443\"".utf8))
        #expect(peer.last(.altsvc)?.stream == 0)
        let exchange = try #require(site.exchange)
        #expect(connection.sendAlternativeService("clear", for: exchange))
        peer.read()
        #expect(peer.last(.altsvc)?.payload == [0, 0] + Array("clear".utf8))
        #expect(peer.last(.altsvc)?.stream == 1)
        #expect(!connection.sendAlternativeService("clear", origin: ""))
        #expect(!connection.sendAlternativeService(String(repeating: "x", count: 17_000), origin: "https://a"))
        peer.leave()
        #expect(!connection.sendAlternativeService("clear", for: exchange))
    }

    @Test("Both are told at the start where the listener says so")
    func configured() {
        var options = SessionOptions()
        options.origins = ["https://a.example"]
        options.alternativeServices = [.init(origin: "https://b.example", value: "clear")]
        let server = MemorySession(handler: hello(), options: options)
        let frames = RawFrame.parse(server.output())
        #expect(frames.first?.isType(.settings) == true)
        #expect(frames.contains { $0.isType(.origin) && $0.payload.count == 19 })
        #expect(frames.contains { $0.isType(.altsvc) && $0.payload.count == 2 + 17 + 5 })
        server.close()
    }

    // MARK: Inspection

    @Test("Connection and streams are there to be looked at")
    func inspection() throws {
        let site = Site()
        let peer = RawPeer(handler: site, settings: [(id: 4, value: 1000)])
        peer.post(1, [("priority", "u=5, i")])
        let connection = try #require(site.connection)
        let exchange = try #require(site.exchange)
        exchange.pauseBody()
        exchange.write([UInt8](repeating: 1, count: 3000))
        peer.send(FrameBuilder.data(stream: 1, [1, 2, 3]))
        let state = try #require(connection.state)
        #expect(state.openStreams == 1)
        #expect(state.openPushes == 0)
        #expect(state.lastStream == 1)
        #expect(state.nextPushedStream == 2)
        #expect(state.sendWindow == 65_535 - 1000)
        #expect(state.receiveWindow == 1024 * 1024 - 3)
        #expect(state.heldBytes == 3)
        #expect(state.queuedBytes == 2000)
        #expect(!state.isLeaving)
        let stream = try #require(connection.state(of: exchange))
        #expect(stream.phase == .open)
        #expect(stream.sendWindow == 0)
        #expect(stream.receiveWindow == 256 * 1024 - 3)
        #expect(stream.queuedBytes == 2000)
        #expect(stream.priority == Priority(urgency: 5, incremental: true))
        peer.send(FrameBuilder.data(stream: 1, [], endsStream: true))
        #expect(connection.state(of: exchange)?.phase == .halfClosedRemote)
        let pushed = exchange.promise("/p")
        #expect(pushed.flatMap { connection.state(of: $0) }?.phase == .reserved)
        #expect(connection.state?.openPushes == 1)
        peer.leave()
        #expect(connection.state == nil)
        #expect(connection.state(of: exchange) == nil)
        #expect(exchange.http2 == nil)
    }
}
