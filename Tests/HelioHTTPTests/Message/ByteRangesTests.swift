import Testing

@testable import HelioHTTP

@Suite struct ByteRangesTests {
    @Test(
        arguments: [
            ("bytes=0-0", .parts([0..<1])), ("bytes=0-", .parts([0..<1000])), ("bytes=999-", .parts([999..<1000])),
            ("bytes=0-5000", .parts([0..<1000])), ("bytes=-1", .parts([999..<1000])),
            ("bytes=-5000", .parts([0..<1000])),
            ("Bytes=5-9", .parts([5..<10])), ("bytes= 5-9 , ,", .parts([5..<10])),
            ("bytes=0-99999999999999999999999", .parts([0..<1000])),
            ("bytes=-99999999999999999999999", .parts([0..<1000])),
            // Order stays; what overlaps, touches or nearly touches becomes one.
            ("bytes=500-599,0-99", .parts([500..<600, 0..<100])),
            ("bytes=0-99,50-199", .parts([0..<200])), ("bytes=0-99,100-199", .parts([0..<200])),
            ("bytes=0-99,180-199", .parts([0..<200])), ("bytes=0-99,181-199", .parts([0..<100, 181..<200])),
            ("bytes=0-9,900-909,200-209,5-205", .parts([0..<210, 900..<910])),
            ("bytes=0-9,400-409,800-809,5-805", .parts([0..<810])),
            ("bytes=5000-,0-9", .parts([0..<10])), ("bytes=0-,0-,0-,0-,0-", .parts([0..<1000])),
            // Nothing of it is there.
            ("bytes=1000-", .unsatisfiable), ("bytes=-0", .unsatisfiable), ("bytes=1000-2000,5000-", .unsatisfiable),
            // No ranges.
            ("", .whole), ("bytes", .whole), ("bytes=", .whole), ("bytes=,", .whole), ("items=0-5", .whole),
            ("bytes=-", .whole), ("bytes=5-4", .whole), ("bytes=a-b", .whole), ("bytes=0-5,x", .whole),
            ("bytes=0x5-9", .whole), ("bytes=--5", .whole), ("bytes=1-2-3", .whole), ("bytes 0-5", .whole),
            ("bytes=0 -5", .whole), ("bytes=+1-5", .whole),
            ("bytes=" + (0..<17).map { "\($0 * 50)-\($0 * 50)" }.joined(separator: ","), .tooMany),
        ] as [(String, ByteRanges)])
    func aFieldSelects(field: String, expected: ByteRanges) {
        #expect(ByteRanges.select(field, of: 1000, atMost: 16) == expected)
    }

    @Test func asManyAsAreAllowedAreAnswered() {
        let field = "bytes=" + (0..<16).map { "\($0 * 1000)-\($0 * 1000)" }.joined(separator: ",")
        #expect(
            ByteRanges.select(field, of: 100_000, atMost: 16) == .parts((0..<16).map { $0 * 1000..<$0 * 1000 + 1 }))
    }

    @Test func ofAnEmptyFileOnlyTheEndIsThere() {
        #expect(ByteRanges.select("bytes=0-", of: 0, atMost: 16) == .unsatisfiable)
        #expect(ByteRanges.select("bytes=-5", of: 0, atMost: 16) == .whole)
    }

    @Test func anythingSelectsOnlyWhatIsThere() {
        var generator = SystemRandomNumberGenerator()
        let bytes = Array("0123456789-, ".utf8)
        for _ in 0..<20_000 {
            let random = (0..<20).map { _ in bytes.randomElement(using: &generator) ?? 0 }
            let text = "bytes=" + String(decoding: random, as: UTF8.self)
            guard case .parts(let parts) = ByteRanges.select(text, of: 5000, atMost: 16) else { continue }
            let sorted = parts.sorted { $0.lowerBound < $1.lowerBound }
            let areApart = zip(sorted, sorted.dropFirst()).allSatisfy { $0.upperBound + 80 < $1.lowerBound }
            #expect(!parts.isEmpty && areApart && parts.allSatisfy { !$0.isEmpty && $0.upperBound <= 5000 }, "\(text)")
        }
    }
}
