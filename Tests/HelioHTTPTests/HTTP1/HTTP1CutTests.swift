import Testing

@testable import HelioHTTP

/// The same events whatever the cut, and those that a second parser finds.
@Suite("The parser of HTTP/1.1 by cuts and mutations")
struct HTTP1CutTests {
    static let pipeline = wire(
        "\nGET /one?x HTTP/1.1\nHost: example.org\nAccept: */*\n\nPOST /two HTTP/1.1\nHost:h\nContent-Length: 11\n"
            + "Expect: 100-continue\n\nhello\nworldPUT /three HTTP/1.1\nHost: [::1]:80\nTransfer-Encoding: chunked\n\n"
            + "6;a=\"b\"\nchunks\n1\n!\n000\nX-Sum: 42\nHost: no\n\nOPTIONS * HTTP/1.0\nConnection: keep-alive\n\n"
            + "GET http://example.org/four HTTP/1.1\nHost: other\nConnection: upgrade, close\nUpgrade: websocket\n\n"
            + "CONNECT example.org:443 HTTP/1.1\nHost: example.org:443\n\n")

    @Test("Two pieces, cut at every position")
    func everyCut() {
        let whole = ParserRun.events(Self.pipeline)
        #expect(whole.count == 14)
        #expect(whole == ReferenceParser.events(Self.pipeline))
        for cut in 1..<Self.pipeline.count {
            #expect(ParserRun.events(Self.pipeline, cuts: [cut]) == whole, "cut at \(cut)")
        }
        #expect(ParserRun.events(Self.pipeline, cuts: Array(1..<Self.pipeline.count)) == whole)
    }

    @Test("Every prefix is read as the reference reads it")
    func everyPrefix() {
        for count in 0..<Self.pipeline.count {
            let prefix = Array(Self.pipeline.prefix(count))
            #expect(ParserRun.events(prefix) == ReferenceParser.events(prefix), "the first \(count) bytes")
        }
    }

    @Test("Every byte in every place of a small request is read as the reference reads it")
    func everyByte() {
        let request = wire("PUT /a HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\n2;x=y\nab\n0\nT: v\n\n")
        for position in request.indices {
            for byte in UInt8.min...UInt8.max {
                var damaged = request
                damaged[position] = byte
                let found = ParserRun.events(damaged)
                if found != ReferenceParser.events(damaged) {
                    Issue.record("byte \(byte) at \(position): \(found), not \(ReferenceParser.events(damaged))")
                }
            }
        }
    }

    @Test("Random damage in random cuts is read as the reference reads it", arguments: [1, 2, 3, 4] as [UInt64])
    func mutations(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let limits = HelioHTTPTests.limits {
            $0.maxTargetLength = 60
            $0.maxHeaderListSize = 180
            $0.maxHeaderCount = 4
            $0.maxChunkExtensions = 12
        }
        var refused = 0
        for round in 0..<1_500 {
            var bytes = Self.pipeline
            for _ in 0..<Int.random(in: 1...4, using: &random) { Self.damage(&bytes, &random) }
            let bounds = round % 2 == 0 ? limits : Limits()
            let expected = ReferenceParser.events(bytes, limits: bounds)
            let cuts = (0..<Int.random(in: 0...12, using: &random))
                .map { _ in Int.random(in: 0...bytes.count, using: &random) }.sorted()
            let found = ParserRun.events(bytes, cuts: cuts, limits: bounds)
            if found != expected {
                Issue.record("seed \(seed), round \(round): \(found), not \(expected)\n\(bytes)\ncuts \(cuts)")
                return
            }
            if found.last?.hasPrefix("refused") == true { refused += 1 }
        }
        // Otherwise the damage does none.
        #expect((300..<1_500).contains(refused))
    }

    private static let splices: [String] = [
        "\r", "\n", "\r\n", "\0", " ", "\t", ":", ",", ";", "\"", "=", "0", "f", "+", "\u{7f}", "\u{e9}", "/", "?", "#",
        "*", "@",
        "Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip\r\n", "Host: x\r\n",
        "Connection: close\r\n", "Expect: tea\r\n", "\r\n\r\n", "0\r\n\r\n", "GET / HTTP/1.1\r\n", " HTTP/1.0\r\n",
        "chunked",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]

    static func damage(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
        let position = Int.random(in: 0..<max(1, bytes.count), using: &random)
        guard position < bytes.count else { return }
        switch Int.random(in: 0..<6, using: &random) {
        case 0: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: bytes[position] = UInt8.random(in: 0...255, using: &random)
        case 2: bytes.removeSubrange(position..<min(bytes.count, position + Int.random(in: 1...8, using: &random)))
        case 3: bytes.insert(contentsOf: bytes[position..<min(bytes.count, position + 20)], at: position)
        default: bytes.insert(contentsOf: (splices.randomElement(using: &random) ?? "").utf8, at: position)
        }
    }
}
