import HelioHTTP
import Testing

@Suite("WebSocket frames")
struct WebSocketParserTests {
    /// What a parser has told of a stream: the opcode and the unmasked payload of each message and control frame.
    private struct Heard: Equatable {
        var opcode: WebSocketOpcode
        var isCompressed: Bool
        var payload: [UInt8]
    }

    private func parse(
        _ pieces: [[UInt8]], role: WebSocketRole = .server, allowsCompression: Bool = false,
        maxMessageSize: Int = 1 << 20, maxFragments: Int = 8
    ) throws(WebSocketFault) -> [Heard] {
        var parser = WebSocketParser(
            role: role, allowsCompression: allowsCompression, maxMessageSize: maxMessageSize,
            maxFragments: maxFragments)
        var heard: [Heard] = []
        var open: [Bool: Heard] = [:]
        for piece in pieces {
            var position = 0
            while let found = try parser.next(of: piece, from: &position) {
                let isControl = found.opcode == .close || found.opcode == .ping || found.opcode == .pong
                #expect((open[isControl] == nil) == found.isFirst)
                var item =
                    open[isControl] ?? Heard(opcode: found.opcode, isCompressed: found.isCompressed, payload: [])
                for (offset, byte) in piece[found.range].enumerated() {
                    item.payload.append(byte ^ UInt8(truncatingIfNeeded: found.key >> (UInt32(offset % 4) * 8)))
                }
                open[isControl] = found.isLast ? nil : item
                if found.isLast { heard.append(item) }
            }
            #expect(position == piece.count)
        }
        return heard
    }

    private static func stream(_ role: WebSocketRole) -> [UInt8] {
        var peer = WebSocketSerializer(role: role)
        return [
            peer.frame(.text, isFinal: true, isCompressed: false, Array("hello".utf8)),
            peer.frame(.binary, isFinal: false, isCompressed: true, [1, 2, 3]),
            peer.frame(.ping, isFinal: true, isCompressed: false, [9]),
            peer.frame(.continuation, isFinal: false, isCompressed: false, []),
            peer.frame(.pong, isFinal: true, isCompressed: false, []),
            peer.frame(.continuation, isFinal: true, isCompressed: false, Array(repeating: 7, count: 126)),
            peer.frame(.binary, isFinal: true, isCompressed: false, Array(repeating: 5, count: 300)),
            peer.frame(.text, isFinal: true, isCompressed: false, []),
            peer.frame(.close, isFinal: true, isCompressed: false, [3, 232]),
        ].flatMap { $0 }
    }

    private static let expected = [
        Heard(opcode: .text, isCompressed: false, payload: Array("hello".utf8)),
        Heard(opcode: .ping, isCompressed: false, payload: [9]),
        Heard(opcode: .pong, isCompressed: false, payload: []),
        Heard(opcode: .binary, isCompressed: true, payload: [1, 2, 3] + Array(repeating: 7, count: 126)),
        Heard(opcode: .binary, isCompressed: false, payload: Array(repeating: 5, count: 300)),
        Heard(opcode: .text, isCompressed: false, payload: []),
        Heard(opcode: .close, isCompressed: false, payload: [3, 232]),
    ]

    @Test("A stream says the same at every cut, to both ends", arguments: [WebSocketRole.server, .client])
    func everyCut(_ role: WebSocketRole) throws {
        let stream = Self.stream(role == .server ? .client : .server)
        for cut in 0...stream.count {
            let heard = try parse([Array(stream[..<cut]), Array(stream[cut...])], role: role, allowsCompression: true)
            #expect(heard == Self.expected, "cut at \(cut)")
        }
        #expect(try parse(stream.map { [$0] }, role: role, allowsCompression: true) == Self.expected)
    }

    @Test("Lengths of all three forms are read, each in its shortest alone")
    func lengths() throws {
        var peer = WebSocketSerializer(role: .client)
        for size in [0, 1, 125, 126, 127, 65535, 65536, 100_000] {
            let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
            let frame = peer.frame(.binary, isFinal: true, isCompressed: false, payload)
            #expect(try parse([frame]).map(\.payload) == [payload])
        }
        let mask: [UInt8] = [0, 0, 0, 0]
        #expect(throws: WebSocketFault.badLength) { try parse([[0x82, 0xfe, 0, 125] + mask]) }
        #expect(throws: WebSocketFault.badLength) { try parse([[0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff] + mask]) }
        #expect(throws: WebSocketFault.badLength) { try parse([[0x82, 0xff, 0x80, 0, 0, 0, 0, 1, 0, 0] + mask]) }
        #expect(throws: WebSocketFault.messageTooBig) {
            try parse([[0x82, 0xff, 0x7f] + Array(repeating: 0xff, count: 7) + mask])
        }
    }

    @Test(
        "What breaks a rule is refused at its first byte that does",
        arguments: [
            ([0x83, 0x80], WebSocketFault.reservedOpcode), ([0x87, 0x80], .reservedOpcode),
            ([0x8b, 0x80], .reservedOpcode), ([0x8f, 0x80], .reservedOpcode),
            ([0x91, 0x80], .reservedBits), ([0xa1, 0x80], .reservedBits), ([0xc1, 0x80], .reservedBits),
            ([0xc9, 0x80], .reservedBits), ([0x09, 0x80], .fragmentedControlFrame),
            ([0x08, 0x80], .fragmentedControlFrame), ([0x89, 0xfe], .oversizedControlFrame),
            ([0x88, 0xff], .oversizedControlFrame), ([0x81, 0x00], .wrongMasking), ([0x89, 0x01], .wrongMasking),
            ([0x80, 0x80], .badFragmentation),
            // A text that goes on, and then another one begins.
            ([0x01, 0x80, 0, 0, 0, 0, 0x81], .badFragmentation),
            // A message that ends, and then is continued.
            ([0x81, 0x80, 0, 0, 0, 0, 0x80], .badFragmentation),
        ] as [([UInt8], WebSocketFault)])
    func faults(_ bytes: [UInt8], _ fault: WebSocketFault) {
        #expect(throws: fault) { try parse([bytes]) }
        #expect(throws: fault) { try parse(bytes.map { [$0] }) }
        // And whole heads, which are read at once.
        #expect(throws: fault) { try parse([bytes + Array(repeating: 0, count: 16)]) }
    }

    @Test("A client takes no masked frame")
    func maskedFromServer() {
        #expect(throws: WebSocketFault.wrongMasking) { try parse([[0x81, 0x80, 1, 2, 3, 4]], role: .client) }
    }

    @Test("A message over the limit is refused by its head, over all of its fragments")
    func size() throws {
        var peer = WebSocketSerializer(role: .client)
        let half = Array(repeating: UInt8(0), count: 50)
        let first = peer.frame(.binary, isFinal: false, isCompressed: false, half)
        let last = peer.frame(.continuation, isFinal: true, isCompressed: false, half)
        #expect(try parse([first + last], maxMessageSize: 100).count == 1)
        #expect(throws: WebSocketFault.messageTooBig) { try parse([first + last.prefix(6)], maxMessageSize: 99) }
        // The next message begins anew.
        #expect(try parse([first + last + first + last], maxMessageSize: 100).count == 2)
    }

    @Test("A message in too many fragments is refused")
    func fragments() throws {
        var peer = WebSocketSerializer(role: .client)
        let first = peer.frame(.binary, isFinal: false, isCompressed: false, [])
        let next = peer.frame(.continuation, isFinal: false, isCompressed: false, [])
        let last = peer.frame(.continuation, isFinal: true, isCompressed: false, [])
        #expect(try parse([first + next + last], maxFragments: 3).count == 1)
        #expect(throws: WebSocketFault.tooManyFragments) { try parse([first + next + next + last], maxFragments: 3) }
    }

    @Test("RSV1 stands on the first frame of a message alone")
    func compressionBit() throws {
        let compressed: [UInt8] = [0x41, 0x80, 0, 0, 0, 0]
        #expect(throws: WebSocketFault.reservedBits) { try parse([compressed]) }
        #expect(throws: WebSocketFault.reservedBits) {
            try parse([compressed + [0xc0, 0x80]], allowsCompression: true)
        }
        #expect(throws: WebSocketFault.reservedBits) { try parse([[0xc9, 0x80]], allowsCompression: true) }
    }

    @Test("A fault stays")
    func faultStays() {
        var parser = WebSocketParser(role: .server, allowsCompression: false, maxMessageSize: 10, maxFragments: 1)
        for bytes in [[0x83], [0x81, 0x80, 0, 0, 0, 0]] as [[UInt8]] {
            #expect(throws: WebSocketFault.reservedOpcode) {
                var position = 0
                _ = try parser.next(of: bytes, from: &position)
            }
        }
    }

    @Test("Random changes of a stream end in a fault or in messages, never past the bounds")
    func mutation() {
        var random = SeededGenerator(seed: 7)
        let stream = Self.stream(.client)
        for _ in 0..<5000 {
            var bytes = stream
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            let cut = Int.random(in: 0...bytes.count, using: &random)
            let pieces = [Array(bytes[..<cut]), Array(bytes[cut...])]
            let whole = Result { () throws(WebSocketFault) in
                try parse([bytes], allowsCompression: true, maxMessageSize: 400)
            }
            let parted = Result { () throws(WebSocketFault) in
                try parse(pieces, allowsCompression: true, maxMessageSize: 400)
            }
            #expect(whole == parted)
            if case .success(let heard) = whole { #expect(heard.allSatisfy { $0.payload.count <= 470 }) }
        }
    }
}

extension WebSocketParser {
    /// The next run of payload of an array.
    mutating func next(of bytes: [UInt8], from position: inout Int) throws(WebSocketFault) -> Piece? {
        var found: Result<Piece?, WebSocketFault> = .success(nil)
        unsafe bytes.withUnsafeBytes { bytes in
            do throws(WebSocketFault) {
                found = .success(try unsafe next(in: bytes, from: &position))
            } catch {
                found = .failure(error)
            }
        }
        return try found.get()
    }
}
