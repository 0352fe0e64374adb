import Testing

@testable import SocketIO

@Suite("Sessions of Engine.IO")
struct EngineSessionTests {
    private let handshake = "\"pingInterval\":25000,\"pingTimeout\":20000,\"maxPayload\":1000000}"

    @Test("A session of long polling begins with a handshake that offers the upgrade")
    func beginsPolling() {
        let rig = EngineRig()
        #expect(rig.answers[1] == "0{\"sid\":\"\(rig.session.id)\",\"upgrades\":[\"websocket\"],\(handshake)")
    }

    @Test("A WebSocket that begins a session has nothing to upgrade to")
    func beginsWebSocket() {
        let rig = EngineRig(isWebSocket: true)
        #expect(rig.frames[1] == ["0{\"sid\":\"\(rig.session.id)\",\"upgrades\":[],\(handshake)"])
    }

    // MARK: Long polling

    @Test("A POST is answered ok and its packets arrive in order")
    func upload() {
        let rig = EngineRig()
        rig.post(2, "4test1\u{1E}4test2\u{1E}bAQIDBA==")
        #expect(rig.answers[2] == "ok")
        #expect(rig.received == [.text(bytes("test1")), .text(bytes("test2")), .binary([1, 2, 3, 4])])
    }

    @Test("What is sent waits for a GET, and a GET for what is sent")
    func poll() {
        let rig = EngineRig()
        rig.say("a", "b")
        rig.poll(2)
        #expect(rig.answers[2] == "4a\u{1E}4b")
        rig.poll(3)
        #expect(rig.answers[3] == nil)
        rig.say("c")
        #expect(rig.answers[3] == "4c")
    }

    @Test("An answer has no more packets than clients take; the rest goes with the next")
    func manyPackets() {
        let rig = EngineRig { $0.maxPacketsPerResponse = 2 }
        rig.say("a", "b", "c")
        rig.poll(2)
        rig.poll(3)
        #expect(rig.answers[2] == "4a\u{1E}4b" && rig.answers[3] == "4c")
    }

    @Test("A second GET ends the session: the first is told so, the second refused")
    func overlappingPolls() {
        let rig = EngineRig()
        rig.poll(2)
        rig.poll(3)
        #expect(rig.answers[2] == "1")
        #expect(rig.answers[3] == "400")
        #expect(rig.end == .transportError)
    }

    @Test("A second POST while one is read ends the session")
    func overlappingUploads() {
        let rig = EngineRig()
        rig.session.uploadBegan(rig.key(2))
        rig.session.uploadBegan(rig.key(3))
        #expect(rig.answers[3] == "400")
        #expect(rig.end == .transportError)
    }

    @Test("A GET that is cut off ends the session, and so does an answer that was lost")
    func cutOff() {
        let rig = EngineRig()
        rig.poll(2)
        rig.session.transportEnded(rig.key(2), isLost: false)
        #expect(rig.end == .transportClose)
        let other = EngineRig()
        other.session.transportEnded(other.key(1), isLost: true)
        #expect(other.end == .transportError)
    }

    @Test("A payload that is none ends the session", arguments: ["abc", "", "4a\u{1E}\u{1E}4b", "bA"])
    func badPayload(payload: String) {
        let rig = EngineRig()
        rig.post(2, payload)
        #expect(rig.answers[2] == "400")
        #expect(rig.end == .parseError)
    }

    @Test("A client that closes has its GET answered by noop")
    func closesPolling() {
        let rig = EngineRig()
        rig.poll(2)
        rig.post(3, "1")
        #expect(rig.answers[2] == "6" && rig.answers[3] == "ok")
        #expect(rig.end == .transportClose)
    }

    // MARK: WebSocket

    @Test("A WebSocket carries a packet in each message")
    func webSocket() {
        let rig = EngineRig(isWebSocket: true)
        rig.frame(1, "4hello")
        rig.session.framed(rig.key(1), .binary([1, 2]), now: rig.now)
        rig.say("a", "b")
        #expect(rig.received == [.text(bytes("hello")), .binary([1, 2])])
        #expect(rig.frames[1]?.dropFirst() == ["4a", "4b"])
    }

    @Test("A message that is no packet ends the session, and so does a ping of the client's", arguments: ["abc", "2"])
    func badFrame(text: String) {
        let rig = EngineRig(isWebSocket: true)
        rig.frame(1, text)
        #expect(rig.end == (text == "2" ? .transportError : .parseError))
        #expect(rig.closed == [1])
    }

    @Test("A WebSocket that takes no more is sent no more until it drains, and what is volatile would not go")
    func congestion() {
        let rig = EngineRig(isWebSocket: true)
        rig.isCongested = true
        rig.say("a")
        #expect(!rig.session.isWritable)
        rig.say("b")
        #expect(rig.frames[1]?.last == "4a")
        rig.isCongested = false
        rig.session.drained(rig.key(1))
        rig.session.flush()
        #expect(rig.frames[1]?.last == "4b" && rig.session.isWritable)
    }

    @Test("A client that takes nothing is not sent without bound")
    func overflow() {
        let rig = EngineRig { $0.maxBufferedBytes = 100 }
        rig.say(String(repeating: "x", count: 50))
        #expect(rig.end == nil)
        rig.say(String(repeating: "x", count: 50))
        #expect(rig.end == .transportError && rig.limits == [.bufferedBytes])
    }

    // MARK: Upgrade

    @Test("A probe is answered, the GET ends by noop, and the WebSocket takes over")
    func upgrade() {
        let rig = EngineRig()
        rig.poll(2)
        rig.session.webSocketAsked(rig.key(3), now: rig.now)
        #expect(rig.accepted == [3])
        rig.frame(3, "2probe")
        #expect(rig.frames[3] == ["3probe"] && rig.answers[2] == "6")
        rig.poll(4)
        #expect(rig.answers[4] == "6")
        rig.say("late")
        rig.frame(3, "5")
        rig.frame(3, "4hello")
        rig.session.flush()
        #expect(rig.frames[3] == ["3probe", "4late"] && rig.received == [.text(bytes("hello"))])
        rig.poll(5)
        rig.post(6, "4x")
        rig.session.webSocketAsked(rig.key(7), now: rig.now)
        #expect(rig.answers[5] == "400" && rig.answers[6] == "400" && rig.answers[7] == "400" && rig.end == nil)
    }

    @Test("A WebSocket that probes with anything else is closed, and the session stays")
    func badProbe() {
        let rig = EngineRig()
        rig.session.webSocketAsked(rig.key(3), now: rig.now)
        rig.frame(3, "4hello")
        #expect(rig.closed == [3] && rig.end == nil && rig.received.isEmpty)
    }

    @Test("One WebSocket may probe at a time, for as long as an upgrade may take")
    func probeBounds() {
        let rig = EngineRig()
        rig.session.webSocketAsked(rig.key(3), now: rig.now)
        rig.session.webSocketAsked(rig.key(4), now: rig.now)
        #expect(rig.answers[4] == "400")
        rig.advance(seconds: 10)
        #expect(rig.closed == [3] && rig.end == nil)
        rig.session.webSocketAsked(rig.key(5), now: rig.now)
        rig.session.transportEnded(rig.key(5), isLost: false)
        #expect(rig.end == nil && rig.accepted == [3, 5])
    }

    // MARK: Time

    @Test("The server pings, and a client that answers stays")
    func heartbeat() {
        let rig = EngineRig(isWebSocket: true)
        for _ in 0..<3 {
            rig.advance(seconds: 25)
            #expect(rig.frames[1]?.last == "2")
            rig.frame(1, "3")
        }
        #expect(rig.end == nil)
    }

    @Test("One that is silent goes; one that says something else meanwhile stays a while longer")
    func timeout() {
        let rig = EngineRig()
        rig.advance(seconds: 25)
        rig.poll(2)
        #expect(rig.answers[2] == "2")
        rig.advance(seconds: 19)
        rig.post(3, "4still here")
        rig.advance(seconds: 19)
        #expect(rig.end == nil)
        rig.advance(seconds: 1)
        #expect(rig.end == .pingTimeout)
    }

    @Test("A session that the server closes sends what waits first, and does not wait for ever")
    func serverCloses() {
        let rig = EngineRig()
        rig.say("last")
        rig.session.close(now: rig.now)
        rig.session.flush()
        rig.poll(2)
        rig.session.flush()
        #expect(rig.answers[2] == "4last")
        rig.poll(3)
        rig.session.flush()
        #expect(rig.answers[3] == "1" && rig.end == .forced)
        let other = EngineRig()
        other.session.close(now: other.now)
        other.session.flush()
        other.advance(seconds: 30)
        #expect(other.end == .forced)
    }
}
