import FuzzSupport

@testable import HelioHTTP

/// The parser's finds: messages and control frames, unmasked byte by byte.
enum FrameRun {
    fileprivate struct Found: Equatable {
        var opcode: WebSocketOpcode
        var isCompressed: Bool
        var payload: [UInt8]
    }

    fileprivate struct Outcome: Equatable {
        var found: [Found] = []
        /// What has come of a message that is open.
        var open: Found?
        var openControl: Found?
        var fault: WebSocketFault?
    }

    static func compare(_ choices: inout Choices, bytes make: (inout Choices) -> [UInt8]) {
        let flags = choices.byte()
        let seed = choices.byte()
        let bytes = make(&choices)
        let whole = run([bytes], flags)
        var cuts = Cuts(seed)
        let cut = run(cuts.pieces(of: bytes), flags)
        check(whole == cut, "a cut changes what is found: \(whole), not \(cut)")
        let bytewise = run(bytes.map { [$0] }, flags)
        check(whole == bytewise, "byte by byte other things are found: \(whole), not \(bytewise)")
        let bound = flags & 4 == 0 ? 1 << 20 : 64
        for item in whole.found + [whole.open].compactMap({ $0 }) where !item.opcode.isControl && !item.isCompressed {
            check(item.payload.count <= bound, "a message is larger than is allowed")
        }
    }

    private static func run(_ pieces: [[UInt8]], _ flags: UInt8) -> Outcome {
        var parser = WebSocketParser(
            role: flags & 2 == 0 ? .server : .client, allowsCompression: flags & 1 != 0,
            maxMessageSize: flags & 4 == 0 ? 1 << 20 : 64, maxFragments: flags & 4 == 0 ? 1000 : 3)
        var outcome = Outcome()
        for piece in pieces {
            withExactCopy(of: piece) { bytes in
                var position = 0
                do throws(WebSocketFault) {
                    while let found = try parser.next(in: bytes, from: &position) { outcome.add(found, bytes) }
                    check(position == bytes.count, "bytes are left")
                } catch {
                    outcome.fault = error
                }
            }
            if outcome.fault != nil { break }
        }
        return outcome
    }
}

extension FrameRun.Outcome {
    fileprivate mutating func add(_ piece: WebSocketParser.Piece, _ bytes: UnsafeRawBufferPointer) {
        let place = piece.opcode.isControl ? \Self.openControl : \Self.open
        check((self[keyPath: place] == nil) == piece.isFirst, "the first piece is none")
        var item = self[keyPath: place] ?? .init(opcode: piece.opcode, isCompressed: piece.isCompressed, payload: [])
        check(item.opcode == piece.opcode, "a message changes its kind")
        let masked = bytes[piece.range].enumerated().map { offset, byte in
            byte ^ UInt8(truncatingIfNeeded: piece.key >> (UInt32(offset % 4) * 8))
        }
        check(Self.unmasked(bytes, piece) == masked, "the fast way to unmask is another")
        item.payload += masked
        self[keyPath: place] = piece.isLast ? nil : item
        if piece.isLast { found.append(item) }
    }

    private static func unmasked(_ bytes: UnsafeRawBufferPointer, _ piece: WebSocketParser.Piece) -> [UInt8] {
        let count = piece.range.count
        guard count > 0, let base = bytes.baseAddress else { return [] }
        let target = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
        defer { target.deallocate() }
        guard let start = target.baseAddress else { return [] }
        WebSocketMask.copy(from: base + piece.range.lowerBound, to: start, count: count, key: piece.key)
        return Array(target)
    }
}
