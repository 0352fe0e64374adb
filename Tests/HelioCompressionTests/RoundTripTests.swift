import HelioCompression
import Testing

@Suite struct RoundTripTests {
    static let formats: [CompressionFormat] = [.gzip, .deflate, .raw]

    @Test(arguments: formats) func whatIsCompressedComesBackAtEveryCut(_ format: CompressionFormat) throws {
        let text = sampleBytes(700)
        let deflater = Deflater(format: format, outputSize: 64)
        let inflater = Inflater(format: format, outputLimit: text.count, outputSize: 64)
        for cut in 0...text.count {
            deflater.reset()
            inflater.reset()
            let compressed = deflater.collect(text[..<cut], .none) + deflater.collect(text[cut...], .finish)
            #expect(try inflater.collect(compressed) == text)
            try inflater.finish()
        }
        let compressed = deflater.resetAndCollect(text)
        for cut in 0...compressed.count {
            inflater.reset()
            let plain = try inflater.collect(compressed[..<cut]) + inflater.collect(compressed[cut...])
            #expect(plain == text)
            try inflater.finish()
        }
    }

    @Test(arguments: formats) func aSyncFlushLetsTheReceiverReadAllThatWasWritten(_ format: CompressionFormat) throws {
        let deflater = Deflater(format: format)
        let inflater = Inflater(format: format, outputLimit: 1000)
        for word in ["one", "two", "three"] {
            let flushed = deflater.collect(word.utf8, .sync)
            #expect(flushed.suffix(4) == [0, 0, 0xff, 0xff])
            #expect(try inflater.collect(flushed) == Array(word.utf8))
        }
        #expect(throws: InflateError.truncated) { try inflater.finish() }
        #expect(try inflater.collect(deflater.collect([], .finish)).isEmpty)
        try inflater.finish()
    }

    @Test func levelsAndWindowsOfAllSizesComeBack() throws {
        let text = sampleBytes(100_000)
        for level in 0...9 {
            let bits = 9 + level % 7
            let deflater = Deflater(format: .raw, level: level, windowBits: bits, memoryLevel: max(1, level))
            let inflater = Inflater(format: .raw, windowBits: bits, outputLimit: text.count)
            #expect(try inflater.collect(deflater.collect(text, .finish)) == text)
            try inflater.finish()
        }
    }

    @Test func membersOfAGzipFileFollowOneAnother() throws {
        let deflater = Deflater(format: .gzip)
        let first = deflater.collect("first ".utf8, .finish)
        let second = deflater.resetAndCollect(Array("second".utf8))
        let inflater = Inflater(format: .gzip, outputLimit: 100)
        #expect(try inflater.collect(first + second) == Array("first second".utf8))
        try inflater.finish()
    }

    @Test func aRawStreamGoesOnBehindItsLastBlockWithTheSameWindow() throws {
        // The second "Hello" is a reference into the first.
        let deflater = Deflater(format: .raw)
        let hello = Array("Hello, Hello, Hello".utf8)
        let final = deflater.collect(hello, .finish)
        let inflater = Inflater(format: .raw, outputLimit: 100)
        #expect(try inflater.collect(final + [0, 0, 0, 0xff, 0xff]) == hello)
        #expect(try inflater.collect(final) == hello)
    }

    @Test func memoryIsAsStated() {
        #expect(Deflater(format: .raw).memorySize == 128 * 1024 + 128 * 1024 + 6 * 1024 + 16 * 1024)
        #expect(Inflater(format: .raw, outputLimit: 1).memorySize == 32 * 1024 + 7 * 1024 + 16 * 1024)
    }
}

extension Deflater {
    func resetAndCollect(_ bytes: [UInt8]) -> [UInt8] {
        reset()
        return collect(bytes, .finish)
    }
}
