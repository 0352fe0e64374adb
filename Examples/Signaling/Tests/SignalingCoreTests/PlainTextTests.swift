import Testing

@testable import SignalingCore

@Suite("Bytes that are looked at eight at a time")
struct PlainTextTests {
    private var random = SeededGenerator(seed: 7)

    @Test("Plain text ends where it does byte by byte, wherever that is in a word")
    mutating func theEndOfPlainText() {
        for byte in UInt8.min...UInt8.max {
            for offset in 0..<20 {
                var bytes = Array(repeating: UInt8(ascii: "a"), count: 27)
                bytes[offset] = byte
                let isPlain = (0x20..<0x80).contains(byte) && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
                for start in 0...offset { #expect(bytes.endOfPlainText(from: start) == (isPlain ? 27 : offset)) }
            }
        }
        for _ in 0..<2000 {
            let bytes = (0..<Int.random(in: 0..<40, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            let start = Int.random(in: 0...bytes.count, using: &random)
            let isSpecial = { (byte: UInt8) in byte < 0x20 || byte >= 0x80 || byte == 0x22 || byte == 0x5C }
            #expect(bytes.endOfPlainText(from: start) == bytes[start...].firstIndex(where: isSpecial) ?? bytes.count)
            #expect(bytes.firstBackslash(from: start) == bytes[start...].firstIndex(of: 0x5C) ?? bytes.count)
        }
    }

    @Test(
        "A ufrag is found however its description is escaped",
        arguments: [
            #""v=0\r\na=ice-ufrag:abcd\r\na=x""#, #""a=ice-ufrag:abcd""#, #""v=0\na=ice-ufrag:abcd""#,
            #""v=0\u000aa=ice-ufrag:abcd\r\n""#, #""v=0\r\n\u0061=ice-ufrag:abcd\r\n""#,
            #""v=\"0\r\na=ice-ufrag:ab\u0063d\r\n""#,
            #""\r\n\r\na=ice-ufrag:abcd\r""#,
        ])
    func ufragsAreFound(sdp: String) throws {
        #expect(try ufrags(sdp) == [Array("abcd".utf8)])
    }

    @Test(
        "What only looks like one is none",
        arguments: [
            #""v=0 a=ice-ufrag:abcd""#, #""xa=ice-ufrag:abcd""#, #""\\na=ice-ufrag:abcd""#, #""""#, #""a=ice-ufrag""#,
            #""a=ice-\r\nufrag:abcd""#,
        ])
    func othersAreNone(sdp: String) throws {
        #expect(try ufrags(sdp) == nil)
    }

    private func ufrags(_ sdp: String) throws -> Set<[UInt8]>? {
        let text = Array("{\"sdp\":\(sdp)}".utf8)
        var scanner = JSONScanner(text, maxDepth: 4)
        try scanner.skipValue(depth: 0)
        var body = MessageBody(range: 0..<text.count)
        body.values["sdp"] = 7..<text.count - 1
        return body.ufrags(scanner, max: 4)
    }

    @Test("Party ids are in the order of their texts, and read what they write")
    mutating func partyIDs() {
        let loops = [0, 1, 9, 10, 35, 36, 37, 71, 1295, 1296, 46655]
        let ids = loops.flatMap { loop in (0..<3).map { _ in SessionID(loop: loop, random: &random) } }
        for one in ids {
            #expect(SessionID(one.description) == one && SessionID(bytes: one.bytes[...]) == one)
            for other in ids {
                let isBefore = one.description.utf8.lexicographicallyPrecedes(other.description.utf8)
                #expect(one.precedes(other) == isBefore)
            }
        }
        let text = ids[0].description
        let others = [
            "", "-", text.uppercased(), "0" + text, "+" + text, text + "0", String(text.dropLast()),
            String(text.dropFirst()),
            "-" + text.dropFirst(), "0_" + text.dropFirst(2), "zzzzzzz" + text.dropFirst(), " " + text,
        ]
        for other in others where other != text { #expect(SessionID(other) == nil, "\(other)") }
    }

    @Test("Numbers are written as Swift writes them", arguments: [0, 7, 10, 99, 100, 1 << 53, UInt64.max])
    func numbers(number: UInt64) {
        var bytes: [UInt8] = [1]
        appendDecimal(number, to: &bytes)
        #expect(bytes == [1] + Array("\(number)".utf8))
    }
}
