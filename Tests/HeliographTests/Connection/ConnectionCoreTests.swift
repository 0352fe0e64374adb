import HelioTLS
import HeliographTesting
import Testing

@testable import Heliograph

/// TLS and HTTP/2 together, in memory.
@Suite struct ConnectionCoreTests {
    private let handler = RecordingHandler()

    @Test(arguments: [TLSVersion.tls12, .tls13]) func aRequestIsAnsweredOverEachVersion(version: TLSVersion) throws {
        let context = try Identity.shared.clientContext(versions: version...version)
        let peer = try MemoryPeer(handler: handler, client: context)
        let stream = peer.client.request("GET", "/hello")
        try peer.exchange()
        #expect(peer.client[stream].text == "Hello, World!")
        #expect(peer.tls?.negotiatedProtocol == "h2")
        #expect(peer.resources.counters.handshakes == 1)
        #expect(peer.core.engine?.version == (version == .tls12 ? "TLSv1.2" : "TLSv1.3"))
    }

    @Test func theOwnerIsAskedToDrainOnceUntilItDoes() throws {
        let peer = try MemoryPeer(handler: handler, isSecure: false)
        #expect(peer.drainRequests == 1, "for the SETTINGS")
        for _ in 0..<3 { peer.client.request("GET", "/hello") }
        peer.deliver(try peer.clientOutput())
        #expect(peer.drainRequests == 1)
        _ = peer.drainOnce()
        #expect(!peer.core.wantsDrain)
        peer.client.request("GET", "/hello")
        peer.deliver(try peer.clientOutput())
        #expect(peer.drainRequests == 2)
    }

    // MARK: Time

    @Test func aHandshakeThatTakesTooLongIsEnded() throws {
        let peer = try MemoryPeer(handler: handler)
        let hello = try peer.clientOutput()
        peer.deliver(Array(hello.dropLast()))
        #expect(peer.core.nextDeadline(now: peer.clock.now) == peer.clock.now + 10_000_000_000)
        peer.advance(by: .milliseconds(9_999))
        #expect(!peer.core.isFinished)
        peer.advance(by: .milliseconds(1))
        #expect(peer.core.isFinished)
        #expect(peer.resources.counters.limitsTripped == [.handshakeTimeout: 1])
        #expect(peer.resources.counters.handshakeFailures == 1)
    }

    @Test func aClientThatSaysNothingAfterItsHandshakeIsEnded() throws {
        let peer = try MemoryPeer(handler: handler)
        // The client's preface stays unsent: only TLS is spoken.
        for _ in 0..<4 {
            peer.deliver(try #require(peer.tls).sealed([]))
            let bytes = peer.drainOnce()
            try #require(peer.tls).take(bytes) { _ in }
        }
        #expect(peer.core.engine?.isHandshakeComplete == true)
        peer.advance(by: .milliseconds(9_999))
        #expect(!peer.core.wantsDrain)
        peer.advance(by: .milliseconds(1))
        var sent: [UInt8] = []
        try #require(peer.tls).take(peer.drainOnce()) { sent += $0 }
        let goaway = try #require(RawFrame.parse(sent).last)
        #expect(goaway.isType(.goaway) && goaway.number(at: 4) == HTTP2ErrorCode.settingsTimeout.rawValue)
        #expect(peer.core.isFinished)
        #expect(peer.resources.http.counterSnapshot().limitsTripped == [.prefaceTimeout: 1])
    }

    // MARK: Faults

    @Test func plainHTTPOnATLSPortIsAFault() throws {
        let peer = try MemoryPeer(handler: handler)
        peer.deliver(Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
        guard case .peer(.plainHTTP)? = peer.core.fault else {
            Issue.record("\(String(describing: peer.core.fault))")
            return
        }
        _ = peer.drainOnce()
        #expect(peer.core.isFinished)
        #expect(!peer.core.isHandshaking)
        #expect(peer.resources.counters.handshakeFailures == 1)
        peer.advance(by: .seconds(60))
        #expect(peer.resources.counters.limitsTripped.isEmpty, "it is counted once, for what it was")
    }

    @Test func aDamagedRecordIsAnsweredByAnAlertAndEndsAllStreams() throws {
        let peer = try MemoryPeer(handler: handler)
        let stream = peer.client.request("GET", "/waits")
        try peer.exchange()
        peer.client.request("GET", "/hello")
        var bytes = try peer.clientOutput()
        bytes[bytes.count - 1] ^= 1
        peer.deliver(bytes)
        #expect(!peer.core.isFinished, "the alert is still to be sent")
        #expect(peer.core.wantsDrain)
        peer.clientTakes(peer.drainOnce())
        #expect("\(String(describing: peer.clientFault))".contains("bad record mac"))
        #expect(peer.core.isFinished)
        peer.core.close(.connectionLost)
        #expect(handler.reasons == [stream: .connectionLost])
        #expect(peer.resources.http2.liveBlocks == 0)
    }

    @Test func aFloodOfKeyUpdatesIsCountedAndEndsTheConnection() throws {
        let server = try Identity.shared.serverContext { $0.keyUpdateLimit = KeyUpdateLimit(burst: 3, perSecond: 1) }
        let peer = try MemoryPeer(handler: handler, server: server)
        let stream = peer.client.request("GET", "/waits")
        try peer.exchange()
        for _ in 0..<3 {
            try #require(peer.tls).updateKeys()
            peer.client.ping([1, 2, 3, 4, 5, 6, 7, 8])
            try peer.exchange()
        }
        #expect(peer.core.fault == nil)
        #expect(peer.client.pongs.count == 3)
        try #require(peer.tls).updateKeys()
        peer.client.ping([1, 2, 3, 4, 5, 6, 7, 8])
        try peer.exchange()
        #expect(peer.core.fault != nil)
        #expect(peer.resources.counters.limitsTripped == [.keyUpdates: 1])
        peer.core.close(.connectionLost)
        #expect(handler.reasons == [stream: .limit(.keyUpdates)])
    }

    // MARK: The end

    @Test func aShutdownIsAnnouncedInTwoStepsAndEndsWithCloseNotify() throws {
        let peer = try MemoryPeer(handler: handler)
        let open = peer.client.request("POST", "/echo", isOpen: true)
        try peer.exchange()
        peer.core.beginShutdown(now: peer.clock.now)
        try peer.exchange()
        #expect(peer.client.goaways.map(\.code) == [0, 0])
        #expect(peer.client.goaways.map(\.lastStream) == [Int32.max, open])
        #expect(!peer.core.isFinished)
        peer.client.send(pattern(10), on: open, finished: true)
        try peer.exchange()
        #expect(peer.client[open].body == pattern(10))
        #expect(peer.client[open].isComplete)
        #expect(peer.core.isFinished)
        #expect(peer.tls?.isPeerClosed == true, "close_notify")
    }

    @Test(arguments: [true, false]) func anIdleConnectionIsShutDownInTwoStepsToo(hasServed: Bool) throws {
        let peer = try MemoryPeer(handler: handler)
        if hasServed { peer.client.request("GET", "/hello") }
        try peer.exchange()
        peer.core.beginShutdown(now: peer.clock.now)
        // The client's nghttp2 takes nothing more once it has a GOAWAY and no stream: the frames are looked at here.
        let tls = try #require(peer.tls)
        var frames: [RawFrame] = []
        for _ in 0..<2 {
            try tls.take(peer.drainOnce()) {
                frames += RawFrame.parse($0)
                peer.client.receive($0)
            }
            peer.deliver(try peer.clientOutput())
        }
        let goaways = frames.filter { $0.isType(.goaway) }
        #expect(goaways.map { $0.number() } == [UInt32(Int32.max), hasServed ? 1 : 0])
        #expect(goaways.allSatisfy { $0.number(at: 4) == 0 })
        #expect(peer.core.isFinished)
        #expect(peer.tls?.isPeerClosed == true)
    }

    @Test func aShutdownDuringTheHandshakeEndsItAtOnceAndIsNoFaultOfThePeer() throws {
        let peer = try MemoryPeer(handler: handler)
        peer.core.beginShutdown(now: peer.clock.now)
        #expect(peer.core.isFinished)
        #expect(peer.resources.counters.handshakeFailures == 0)
    }

    @Test func aClientThatClosesIsAnsweredByCloseNotify() throws {
        let peer = try MemoryPeer(handler: handler)
        let stream = peer.client.request("GET", "/waits")
        try peer.exchange()
        let tls = try #require(peer.tls)
        tls.close()
        peer.deliver(try tls.sealed([]))
        #expect(peer.core.isFinished)
        try tls.take(peer.drainOnce()) { _ in }
        #expect(tls.isPeerClosed)
        #expect(peer.core.fault == nil)
        #expect(peer.drainOnce().isEmpty)
        peer.core.close(.connectionLost)
        #expect(handler.reasons == [stream: .connectionLost])
    }

    @Test func nothingIsLeftWhenACoreIsClosedInTheMiddle() throws {
        let resources = LoopResources(limits: Limits())
        weak var freed: ConnectionCore?
        for count in stride(from: 0, to: 3_000, by: 37) {
            let peer = try MemoryPeer(handler: handler, resources: resources)
            peer.client.request("POST", "/echo", body: pattern(1000))
            peer.client.request("GET", "/big")
            var left = count
            // As much of the client's bytes as the round allows, then the end.
            for _ in 0..<6 {
                let bytes = try peer.clientOutput()
                peer.deliver(Array(bytes.prefix(left)))
                left -= min(left, bytes.count)
                peer.clientTakes(peer.drainOnce())
            }
            freed = peer.core
            peer.core.close(.connectionLost)
        }
        #expect(freed == nil)
        #expect(resources.http2.liveBlocks == 0)
        #expect(resources.http.counterSnapshot().openStreams == 0)
    }
}
