import FuzzSupport

/// What a peer sends over a WebSocket: to the parser of frames by itself, to the check of text, and to a whole WebSocket. In any
/// cut each finds the same.
enum WebSocketTarget {
    static func run(_ input: [UInt8]) {
        var choices = Choices(input)
        switch choices.number(below: 4) {
        case 0: FrameRun.compare(&choices, bytes: { $0.rest() })
        case 1: FrameRun.compare(&choices, bytes: Frames.make)
        case 2: TextRun.compare(&choices)
        default: EndpointRun.compare(&choices)
        }
    }

    static var seeds: [(name: String, bytes: [UInt8])] {
        let key: [UInt8] = [1, 2, 3, 4]
        func frame(_ first: UInt8, _ payload: [UInt8]) -> [UInt8] {
            let masked = payload.enumerated().map { $1 ^ key[$0 % 4] }
            return [first, 0x80 | UInt8(payload.count)] + key + masked
        }
        let messages =
            frame(0x81, Array("hello é".utf8)) + frame(0x01, Array("he".utf8)) + frame(0x89, [9])
            + frame(0x80, Array("llo".utf8)) + frame(0x82, [1, 2, 3])
        let end = frame(0x88, [3, 232] + Array("bye".utf8))
        // "hello", compressed (RFC 7692 section 7.2.3.1).
        let compressed = frame(0xc1, [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00])
        let long = [0x82, 0xfe, 0, 200] + key + [UInt8](repeating: 5, count: 200)
        return [
            ("frames", [0, 0, 7] + messages + end), ("frames-compressed", [0, 1, 1] + compressed + messages),
            ("frames-long", [0, 0, 3] + long),
            ("made", [1, 0, 5, 0, 0, 3, 65, 66, 67, 9, 0, 1, 0, 1, 2, 9, 9, 0, 8, 0, 0]),
            ("text", [2, 3] + Array("plain, é, 字, 🛰".utf8)),
            ("endpoint", [3, 0, 9] + messages + end), ("endpoint-compressed", [3, 1, 5] + compressed + messages + end),
            ("endpoint-pieces", [3, 2, 1] + messages + end),
        ]
    }
}
