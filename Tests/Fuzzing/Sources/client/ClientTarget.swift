import FuzzSupport
import HeliographTesting

@testable import HelioHTTP

/// A client's session of HTTP/2 whose server sends any bytes.
///
/// An input is a byte of flags, a seed for the cuts, the requests, and then a server's bytes, or operations that make frames.
enum ClientTarget {
    static func run(_ input: [UInt8]) {
        var choices = Choices(input)
        let flags = choices.byte()
        let server = HostileServer(flags, Cuts(choices.byte()))
        for _ in 0..<choices.number(below: 5) { server.request(choices.byte()) }
        if flags & 1 == 0 {
            server.send(FrameBuilder.settings() + FrameBuilder.frame(.settings, flags: FrameBuilder.ack))
        }
        if flags & 2 == 0 {
            server.send(choices.rest())
        } else {
            while !choices.isAtEnd { step(&choices, server) }
        }
        server.finish()
    }

    private static func step(_ choices: inout Choices, _ server: HostileServer) {
        let stream = UInt32(choices.number(below: 8)) + 1
        let flags = choices.byte() & 5
        switch choices.number(below: 13) {
        case 0, 1:
            server.send(FrameBuilder.headers(stream: stream, [(":status", "200")] + fields(&choices), flags: flags | 4))
        case 2, 3: server.send(FrameBuilder.data(stream: stream, content(&choices), endsStream: flags & 1 != 0))
        case 4:
            server.send(
                FrameBuilder.headers(
                    stream: stream, [(":status", choices.pick(["100", "103", "101", "304", "x"]))], flags: flags | 4))
        case 5: server.send(FrameBuilder.headers(stream: stream, [("x-trailer", "t")] + fields(&choices)))
        case 6: server.send(FrameBuilder.reset(stream: stream, code: UInt32(choices.number(below: 15))))
        case 7:
            let block = FrameBuilder.headerBlock([
                (":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/p"),
            ])
            server.send(FrameBuilder.frame(.pushPromise, flags: 4, stream: stream, [0, 0, 0, choices.byte()] + block))
        case 8: server.send(FrameBuilder.frame(.goaway, [0, 0, 0, choices.byte(), 0, 0, 0, choices.byte()]))
        case 9:
            server.send(
                FrameBuilder.settings([
                    (id: UInt16(choices.number(below: 10)), value: choices.bool() ? choices.word() : 1)
                ]))
        case 10: server.send(FrameBuilder.windowUpdate(stream: flags & 1 == 0 ? 0 : stream, by: choices.word()))
        case 11:
            server.send(
                FrameBuilder.frame(type: choices.byte(), flags: choices.byte(), stream: stream, choices.counted()))
        default:
            server.advance(by: .milliseconds(Int64(choices.byte()) * 100))
            if flags & 1 != 0 { server.request(choices.byte()) }
            if flags & 4 != 0 { server.goOn() }
        }
    }

    private static func fields(_ choices: inout Choices) -> [(String, String)] {
        (0..<choices.number(below: 3)).map { _ in
            (choices.pick(["content-length", "x-a", "set-cookie", "connection"]), choices.pick(["5", "0", "a=b", ""]))
        }
    }

    private static func content(_ choices: inout Choices) -> [UInt8] {
        choices.bool() ? choices.counted() : Array(repeating: 7, count: Int(choices.byte()) * 64)
    }

    static var seeds: [(name: String, bytes: [UInt8])] {
        let head = FrameBuilder.headers(stream: 1, [(":status", "200"), ("content-length", "5")], flags: 4)
        let response = head + FrameBuilder.data(stream: 1, Array("hello".utf8), endsStream: true)
        let early = FrameBuilder.headers(stream: 1, [(":status", "103"), ("link", "</a>")], flags: 4)
        let trailers =
            FrameBuilder.headers(stream: 3, [(":status", "204")], flags: 4)
            + FrameBuilder.headers(stream: 3, [("x", "y")])
        let goAway = FrameBuilder.frame(.goaway, [0, 0, 0, 3, 0, 0, 0, 0])
        var seeds: [(name: String, bytes: [UInt8])] = []
        func add(_ name: String, _ head: [UInt8], _ frames: [UInt8] = []) { seeds.append((name, head + frames)) }
        add("response", [0, 0, 1, 0], response)
        add("early", [0, 5, 2, 0, 1], early + response + trailers)
        add("goaway", [0, 3, 3, 0, 1, 2], response + goAway)
        add("script", [2, 0, 3, 0, 1, 2, 0, 4, 0, 0, 0, 5, 2, 1, 3, 65, 66, 67, 2, 1, 7, 2, 7, 1, 12, 9])
        return seeds
    }
}
