import HelioHTTP
import Testing

@Suite("Random multipart bodies")
struct MultipartRandomTests {
    /// A part of a random tree.
    private indirect enum Tree {
        case leaf([UInt8], TransferEncoding)
        case parts([Tree])

        static func random(_ depth: Int, _ random: inout SeededGenerator) -> Tree {
            if depth > 0, Int.random(in: 0..<3, using: &random) == 0 {
                return .parts((0..<Int.random(in: 0..<4, using: &random)).map { _ in .random(depth - 1, &random) })
            }
            let alphabet: [UInt8] = [13, 10, 0x2d, 0x2d, 0x62, 0x31, 0x32, 0]
            let data = (0..<Int.random(in: 0..<60, using: &random)).map { _ in
                alphabet.randomElement(using: &random) ?? 0
            }
            return .leaf(data, [.binary, .base64, .quotedPrintable].randomElement(using: &random) ?? .binary)
        }

        /// The data of all parts in the order in which they come; nil for one that has parts.
        var flat: [[UInt8]?] {
            switch self {
            case .leaf(let data, _): [data]
            case .parts(let parts): [nil] + parts.flatMap(\.flat)
            }
        }

        func write(to serializer: inout MultipartSerializer, _ emit: (RawSpan) -> Void) {
            switch self {
            case .leaf(let data, let encoding):
                serializer.beginPart(encoding: encoding, emit)
                unsafe serializer.write(data.span.bytes, emit)
            case .parts(let parts):
                serializer.beginMultipart(.mixed, emit)
                for part in parts { part.write(to: &serializer, emit) }
                serializer.endMultipart(emit)
            }
        }
    }

    @Test("What the serializer writes the parser reads, in any cut, with stops or without")
    func roundTrip() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let trees = (0..<Int.random(in: 0..<5, using: &random)).map { _ in Tree.random(3, &random) }
            var serializer = MultipartSerializer(.mixed)
            var body: [UInt8] = []
            let gather: (RawSpan) -> Void = { piece in unsafe piece.withUnsafeBytes { unsafe body += $0 } }
            for tree in trees { tree.write(to: &serializer, gather) }
            serializer.finish(gather)
            let (found, error) = parse(
                body, type: serializer.contentType.description, cut: Int.random(in: 1...100, using: &random),
                stops: Bool.random(using: &random))
            #expect(error == nil, "seed \(seed)")
            let isSame = found.parts.map(\.data) == trees.flatMap(\.flat).map { $0 ?? [] }
            #expect(isSame, "seed \(seed)")
            #expect(found.parts.allSatisfy { $0.isComplete })
            #expect(found.objects.map(\.isMultipart) == trees.flatMap(\.flat).map { $0 == nil }, "seed \(seed)")
        }
    }

    /// What a body without parts in parts consists of, found by splitting it whole; nil when it is malformed.
    private func reference(_ body: [UInt8]) -> [[UInt8]]? {
        let pieces = split(Array("\r\n".utf8) + body, by: Array("\r\n--b".utf8))
        var parts: [[UInt8]] = []
        for (index, piece) in pieces.enumerated().dropFirst() {
            if piece.starts(with: Array("--".utf8)) {
                let rest = piece.dropFirst(2).drop { $0 == 32 || $0 == 9 }
                // Boundaries behind the last are none.
                let isLast = index == pieces.count - 1
                return (rest.isEmpty && isLast) || rest.first == 13 || (rest.isEmpty && !isLast) ? parts : nil
            }
            let line = piece.drop { $0 == 32 || $0 == 9 }
            guard line.starts(with: [13, 10]) else { return nil }
            // The fields end in an empty line, which may be the end of the line before the next boundary.
            let content = Array(line.dropFirst(2)) + [13, 10]
            guard let end = fieldsEnd(content) else { return nil }
            for line in unfolded(split(Array(content[..<end]), by: [13, 10]).filter { !$0.isEmpty }) {
                let name = line.prefix { $0 != 0x3a }
                guard !name.isEmpty, name.count < line.count, !name.starts(with: [0x2d, 0x2d]),
                    name.allSatisfy({ $0 == 0x2d || (0x61...0x7a).contains($0) }),
                    !line.contains(13), !line.contains(10), !line.contains(0)
                else { return nil }
            }
            let data = content[end...]
            parts.append(Array(data.dropLast(min(2, data.count))))
        }
        return nil
    }

    /// A line that begins with a blank goes on with the one before.
    private func unfolded(_ lines: [[UInt8]]) -> [[UInt8]] {
        var joined: [[UInt8]] = []
        for line in lines {
            if line.first == 0x20, let last = joined.popLast() {
                joined.append(last + line)
            } else {
                joined.append(line)
            }
        }
        return joined
    }

    private func fieldsEnd(_ content: [UInt8]) -> Int? {
        if content.starts(with: [13, 10]) { return 2 }
        let end = Array("\r\n\r\n".utf8)
        for index in content.indices where content[index...].starts(with: end) { return index + 4 }
        return nil
    }

    private func split(_ bytes: [UInt8], by separator: [UInt8]) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var start = 0
        var index = 0
        while index < bytes.count {
            if bytes[index...].starts(with: separator) {
                pieces.append(Array(bytes[start..<index]))
                index += separator.count
                start = index
            } else {
                index += 1
            }
        }
        return pieces + [Array(bytes[start...])]
    }

    @Test("A mutated body is refused, or consists of what a parser that splits it whole finds; in any cut the same")
    func mutations() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        let original = Array(
            "--b\r\nx: y\r\n\r\none\r\n--b\r\n\r\ntwo\r\n\r\n--b \r\nx: \r\nxx: z\r\n\r\n--b--\r\nrest".utf8)
        let alphabet: [UInt8] = [13, 10, 0x2d, 0x62, 0x78, 0x3a, 0x20, 0]
        var accepted = 0
        for _ in 0..<4000 {
            var body = original
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let index = Int.random(in: 0..<body.count, using: &random)
                let byte = alphabet.randomElement(using: &random) ?? 0
                switch Int.random(in: 0..<4, using: &random) {
                case 0: body[index] = byte
                case 1: body.insert(byte, at: index)
                case 2: body.remove(at: index)
                default: body.insert(contentsOf: Array("\r\n--b".utf8), at: index)
                }
            }
            let whole = parse(body)
            let cut = Int.random(in: 1...20, using: &random)
            let pieces = parse(body, cut: cut, stops: Bool.random(using: &random))
            #expect(whole.error == pieces.error, "seed \(seed)")
            #expect(whole.recorder.parts == pieces.recorder.parts, "seed \(seed) cut \(cut)")
            let expected = reference(body)
            if whole.error == nil {
                accepted += 1
                #expect(
                    whole.recorder.parts.map(\.data) == expected,
                    "\(String(decoding: body, as: UTF8.self).debugDescription)")
            } else {
                #expect(
                    expected == nil,
                    "\(String(decoding: body, as: UTF8.self).debugDescription) \(whole.error ?? .truncated)")
            }
        }
        #expect(accepted > 200)
    }

    @Test("A body of random bytes ends in an error, never in a trap")
    func noise() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            let body = (0..<300).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(parse(body, cut: Int.random(in: 1...64, using: &random)).error != nil, "seed \(seed)")
            #expect(parse(Array("--b\r\n".utf8) + body).error != nil, "seed \(seed)")
        }
    }
}
