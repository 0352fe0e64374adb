import HelioCompression
import Testing

@Suite struct HostileInputTests {
    @Test func aBombIsRefusedAtTheLimitAndNotAByteMoreComesOut() {
        let zeros = [UInt8](repeating: 0, count: 4 << 20)
        let bomb = Deflater(format: .gzip, level: 9).resetAndCollect(zeros)
        #expect(bomb.count < 8192)
        for limit in [0, 1, 1000, 16384, 16385, zeros.count - 1] {
            let inflater = Inflater(format: .gzip, outputLimit: limit)
            var produced = 0
            #expect(throws: InflateError.outputLimit(limit)) {
                try unsafe inflater.write(bomb.span.bytes) { produced += $0.byteCount }
            }
            #expect(produced <= limit)
            #expect(inflater.outputCount == produced)
            // It stays refused.
            #expect(throws: InflateError.outputLimit(limit)) { try inflater.collect([0]) }
            #expect(throws: InflateError.outputLimit(limit)) { try inflater.finish() }
        }
        let inflater = Inflater(format: .gzip, outputLimit: zeros.count)
        #expect(throws: Never.self) { try inflater.collect(bomb) }
    }

    @Test func aBombOfManyMembersIsCountedAsOneStream() {
        let member = Deflater(format: .gzip).resetAndCollect([UInt8](repeating: 0, count: 1000))
        let bomb = Array(repeatElement(member, count: 11).joined())
        let inflater = Inflater(format: .gzip, outputLimit: 10_000)
        #expect(throws: InflateError.outputLimit(10_000)) { try inflater.collect(bomb) }
    }

    @Test(arguments: RoundTripTests.formats)
    func aTruncatedStreamIsNoticedAtEveryCut(_ format: CompressionFormat) throws {
        let compressed = Deflater(format: format).resetAndCollect(sampleBytes(300))
        let inflater = Inflater(format: format, outputLimit: 300)
        for cut in 0..<compressed.count {
            inflater.reset()
            _ = try inflater.collect(compressed[..<cut])
            #expect(throws: InflateError.truncated) { try inflater.finish() }
        }
    }

    @Test(arguments: [CompressionFormat.gzip, .deflate]) func aFlippedBitIsNoticed(_ format: CompressionFormat) {
        let text = sampleBytes(300)
        let compressed = Deflater(format: format).resetAndCollect(text)
        let inflater = Inflater(format: format, outputLimit: 10_000)
        // The lowest bit, as the highest ones behind the last block are padding. The header of gzip has fields that mean
        // nothing to the data: time, extra flags, system.
        for index in (format == .gzip ? 10 : 0)..<compressed.count {
            var damaged = compressed
            damaged[index] ^= 0x01
            inflater.reset()
            #expect(throws: InflateError.self, "byte \(index)") {
                _ = try inflater.collect(damaged)
                try inflater.finish()
            }
        }
    }

    @Test func bytesBehindTheEndAreAnError() {
        let compressed = Deflater(format: .deflate).resetAndCollect([1, 2, 3])
        let inflater = Inflater(format: .deflate, outputLimit: 10)
        #expect(throws: InflateError.trailingData) { try inflater.collect(compressed + [0]) }
        let gzip = Deflater(format: .gzip).resetAndCollect([1, 2, 3])
        let reader = Inflater(format: .gzip, outputLimit: 10)
        #expect(throws: InflateError.corrupt) { try reader.collect(gzip + Array("no member".utf8)) }
    }

    @Test func aLargerWindowThanAgreedIsRefused() {
        let compressed = Deflater(format: .deflate, windowBits: 15).resetAndCollect([1, 2, 3])
        let inflater = Inflater(format: .deflate, windowBits: 9, outputLimit: 10)
        #expect(throws: InflateError.corrupt) { try inflater.collect(compressed) }
    }

    @Test func aResetForgetsTheFault() throws {
        let inflater = Inflater(format: .deflate, outputLimit: 10)
        #expect(throws: InflateError.corrupt) { try inflater.collect([0xff, 0xff]) }
        inflater.reset()
        #expect(try inflater.collect(Deflater(format: .deflate).resetAndCollect([1, 2, 3])) == [1, 2, 3])
    }
}
