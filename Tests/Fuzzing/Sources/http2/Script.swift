import FuzzSupport
import HeliographTesting

/// Frames that are well formed as such, in an order and with a content of the input's.
struct Script {
    private var choices: Choices
    /// Sent together, and so cut at any place.
    private var pending: [UInt8] = []

    init(_ choices: Choices) { self.choices = choices }

    /// - Returns: whether there may be more.
    mutating func step(_ peer: Peer) -> Bool {
        guard !choices.isAtEnd else {
            flush(peer)
            return false
        }
        let operation = choices.number(below: 20)
        switch operation {
        case 0...8: pending += frame(operation)
        case 9...13: pending += rareFrame(operation)
        default:
            flush(peer)
            act(operation, peer)
        }
        return true
    }

    private mutating func flush(_ peer: Peer) {
        peer.send(pending)
        pending = []
    }

    private mutating func stream() -> UInt32 { UInt32(choices.number(below: 12)) * 2 + 1 }

    private mutating func frame(_ operation: Int) -> [UInt8] {
        switch operation {
        case 0: return FrameBuilder.request(stream: stream(), path: path(), fields())
        case 1: return FrameBuilder.request(stream: stream(), method: "POST", path: path(), fields(), endsStream: false)
        case 2: return FrameBuilder.data(stream: stream(), content(), endsStream: choices.bool())
        case 3: return FrameBuilder.headers(stream: stream(), [("x-trailer", "t")] + fields())
        case 4: return FrameBuilder.reset(stream: stream(), code: UInt32(choices.number(below: 15)))
        case 5:
            let target = choices.bool() ? 0 : stream()
            return FrameBuilder.windowUpdate(stream: target, by: choices.bool() ? choices.word() : 100_000)
        case 6:
            let value = choices.bool() ? choices.word() : UInt32(choices.byte()) * 100
            return FrameBuilder.settings([(id: UInt16(choices.number(below: 12)), value: value)])
        case 7:
            return FrameBuilder.ping(choices.bool() ? Array("helioend".utf8) : choices.take(8), isAck: choices.bool())
        default:
            return FrameBuilder.request(
                stream: stream(), method: "CONNECT", path: "/",
                [(":protocol", "websocket"), ("sec-websocket-version", "13")],
                endsStream: false)
        }
    }

    private mutating func rareFrame(_ operation: Int) -> [UInt8] {
        switch operation {
        case 9: return FrameBuilder.priorityUpdate(stream: stream(), choices.bool() ? "u=1, i" : text())
        case 10:
            return FrameBuilder.frame(
                type: choices.byte(), flags: choices.byte(), stream: UInt32(choices.byte()), choices.counted())
        case 11:
            let stream = stream()
            return FrameBuilder.frame(.headers, flags: choices.byte() & 1, stream: stream, choices.counted())
                + FrameBuilder.frame(.continuation, flags: choices.byte() & 4, stream: stream, choices.counted())
        case 12: return FrameBuilder.frame(.goaway, choices.take(8))
        default: return choices.counted()
        }
    }

    private mutating func act(_ operation: Int, _ peer: Peer) {
        switch operation {
        case 14: peer.advance(by: .milliseconds(Int64(choices.byte()) * 100))
        case 15: peer.readOnce()
        case 16: peer.read()
        case 17: peer.goOn()
        case 18: if choices.byte() == 7 { peer.shutDown() }
        default: break
        }
    }

    private mutating func path() -> String {
        let behaviour = choices.pick(Behaviour.allCases)
        return choices.bool() ? behaviour.path : behaviour.path + "?" + (choices.bool() ? "bye" : text())
    }

    private mutating func fields() -> [(String, String)] {
        (0..<choices.number(below: 4)).map { _ in
            let name = choices.pick([
                "x-a", "cookie", "expect", "priority", "content-length", "host", "te", "connection", "x-b", "",
            ])
            let value = choices.pick(["", "a=b", "100-continue", "u=0", "5", "trailers", "0", "close"])
            return (choices.byte() == 9 ? text() : name, choices.byte() == 9 ? text() : value)
        }
    }

    /// What is asked for in bytes of the input, or much more.
    private mutating func content() -> [UInt8] {
        switch choices.number(below: 4) {
        case 0: choices.counted()
        case 1: Array(repeating: 7, count: 16_384)
        default: Array(repeating: 7, count: Int(choices.byte()) * 4)
        }
    }

    private mutating func text() -> String { String(decoding: choices.counted(), as: UTF8.self) }
}
