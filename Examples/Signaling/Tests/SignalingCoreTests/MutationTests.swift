import Foundation
import Testing

@testable import SignalingCore

/// What comes out of the scanner for damaged messages is still JSON, and says what the client said.
@Suite struct MutationTests {
    private static let corpus = [
        #"{"t":"offer","id":"c1-17","to":{"peer":"PEER"},"room":"r","call":"k","neg":3,"ttl":30000,"#
            + #""body":{"sdp":"v=0\r\no=- 1 2"}}"#,
        #"{"seq":1,"t":"candidates","to":{"peer":"PEER","x":[]},"room":"é\u00e9","from":{"a":[1,{}]},"#
            + #""body":{"candidates":[{"candidate":"a","sdpMid":null},{}],"ufrag":"u","end":true},"ts":5}"#,
        #"[{"t":"ping"},{"t":"join","room":"r","body":{"name":"Ada \ud83d\ude00"}},{"t":"ack","seq":12}]"#,
        "{\n \"t\" : \"hangup\" ,\n \"to\":{\"peer\":\"PEER\"},\r\n\"room\":\"r\", \"body\":{\"reason\":\"bye\"} }",
    ].map { Array($0.replacing("PEER", with: "1-00000000000000000000000000000002").utf8) }

    private static let alphabet =
        Array("{}[]\",:\\u0123456789eE+-.truefalsn \n\tds".utf8) + [0x00, 0x80, 0xC3, 0xED, 0xF0, 0xFF]

    private func mutate(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let position = Int.random(in: 0..<max(bytes.count, 1), using: &random)
            let byte = Self.alphabet.randomElement(using: &random) ?? 0
            switch Int.random(in: 0..<5, using: &random) {
            case 0 where !bytes.isEmpty: bytes[position] = byte
            case 1: bytes.insert(byte, at: min(position, bytes.count))
            case 2 where !bytes.isEmpty: bytes.remove(at: position)
            case 3: bytes.removeSubrange(position..<min(position + Int.random(in: 1...9, using: &random), bytes.count))
            default:
                let end = min(position + Int.random(in: 1...30, using: &random), bytes.count)
                bytes.insert(contentsOf: bytes[position..<end], at: Int.random(in: 0...bytes.count, using: &random))
            }
        }
        return bytes
    }

    private func check(_ bytes: [UInt8]) throws {
        guard let messages = try? read(bytes) else { return }
        // Foundation does not take halves of surrogate pairs.
        guard let whole = parse(bytes) else {
            #expect(String(decoding: bytes, as: UTF8.self).contains("\\u"), "\(String(decoding: bytes, as: UTF8.self))")
            return
        }
        let originals = whole as? [Any] ?? [whole]
        try #require(originals.count == messages.count)
        for (original, message) in zip(originals, messages) {
            guard let relayed = message.relayed, var expected = original as? JSONFields else { continue }
            expected["seq"] = nil
            expected["ts"] = nil
            expected["from"] = ["peer": "0-00000000000000000000000000000001"]
            #expect(areEqual(relayed, expected), "\(String(decoding: bytes, as: UTF8.self))")
        }
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func damagedMessagesAreRefusedOrRelayedFaithfully(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2_500 {
            let base = Self.corpus.randomElement(using: &random) ?? []
            try check(mutate(base, &random))
        }
    }

    @Test func theCorpusItselfIsTaken() throws {
        for bytes in Self.corpus {
            #expect(try read(bytes).allSatisfy { $0.errorCode == nil })
            try check(bytes)
        }
    }

    @Test func messagesCutAtAnyPlaceAreRefused() {
        for bytes in Self.corpus {
            for length in 0..<bytes.count {
                #expect(throws: MessageReader.Refusal.self) { try read(Array(bytes[..<length])) }
            }
        }
    }
}
