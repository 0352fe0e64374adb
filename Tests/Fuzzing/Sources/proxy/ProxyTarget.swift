import FuzzSupport

@testable import Heliograph

/// The PROXY header in front of a connection: in any cut the same, and not a byte too many taken.
enum ProxyTarget {
    static func run(_ input: [UInt8]) {
        var choices = Choices(input)
        var cuts = Cuts(choices.byte())
        let limit = choices.bool() ? 536 : 64
        let bytes = choices.rest()
        let whole = outcome([bytes], limit)
        check(whole == outcome(cuts.pieces(of: bytes), limit), "a cut changes the header: \(whole)")
        check(whole == outcome(bytes.map { [$0] }, limit), "byte by byte the header is another: \(whole)")
        guard case .header(_, let taken) = whole else { return }
        check(taken <= 16 + max(limit, 107), "more is taken than is allowed")
        check(outcome([Array(bytes[..<taken])], limit) == whole, "what follows the header changes it")
        check(outcome([Array(bytes[..<(taken - 1)])], limit) == .incomplete, "it was whole a byte before")
    }

    private static func outcome(_ pieces: [[UInt8]], _ limit: Int) -> ProxyHeaderParser.Step {
        var parser = ProxyHeaderParser(limit: limit)
        var before = 0
        for piece in pieces {
            switch withExactCopy(of: piece, { parser.take($0) }) {
            case .incomplete: before += piece.count
            case .header(let header, let taken): return .header(header, taken: before + taken)
            case .failed(let error): return .failed(error)
            }
        }
        return .incomplete
    }

    static var seeds: [(name: String, bytes: [UInt8])] {
        let signature: [UInt8] = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]
        let addresses: [UInt8] = [192, 0, 2, 1, 198, 51, 100, 2, 0xdc, 4, 1, 187]
        let tls: [UInt8] = [0x20, 0, 15, 7, 0, 0, 0, 0, 0x21, 0, 7] + Array("TLSv1.3".utf8)
        let name: [UInt8] = [0x02, 0, 6] + Array("a.test".utf8)
        let six = [UInt8](repeating: 0x20, count: 36)
        func binary(_ head: [UInt8], _ body: [UInt8]) -> [UInt8] {
            [5, 1] + signature + head + [UInt8(body.count >> 8), UInt8(body.count & 0xff)] + body
        }
        return [
            ("text-4", [0, 1] + Array("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\nGET /".utf8)),
            ("text-6", [7, 0] + Array("PROXY TCP6 2001:db8::1 ::1 1 65535\r\n".utf8)),
            ("text-unknown", [7, 0] + Array("PROXY UNKNOWN any thing\r\n".utf8)),
            ("binary-4", binary([0x21, 0x11], addresses + name + tls)), ("binary-6", binary([0x21, 0x21], six)),
            ("binary-unix", binary([0x21, 0x31], [UInt8](repeating: 65, count: 216))),
            ("local", binary([0x20, 0x00], [])),
            ("checksum", binary([0x21, 0x11], addresses + [0x03, 0, 4, 1, 2, 3, 4, 0x05, 0, 2, 9, 9])),
        ]
    }
}
