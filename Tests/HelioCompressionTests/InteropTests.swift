import HelioCompression
import Testing

@Suite struct InteropTests {
    @Test(arguments: [
        (CompressionFormat.gzip, Vectors.gzip), (.deflate, Vectors.deflate), (.raw, Vectors.raw),
    ])
    func whatPythonCompressesIsRead(_ format: CompressionFormat, _ compressed: [UInt8]) throws {
        let inflater = Inflater(format: format, outputLimit: Vectors.text.count)
        #expect(try inflater.collect(compressed) == Vectors.text)
        try inflater.finish()
    }

    /// The same library on both sides gives the same bytes; gzip's header names the system and the level.
    @Test(arguments: [(CompressionFormat.deflate, Vectors.deflate), (.raw, Vectors.raw)])
    func whatIsCompressedIsWhatPythonMakes(_ format: CompressionFormat, _ compressed: [UInt8]) {
        #expect(Deflater(format: format, level: 9).resetAndCollect(Vectors.text) == compressed)
    }

    @Test func theExamplesOfRFC7692AreRead() throws {
        let inflater = Inflater(format: .raw, outputLimit: 100)
        let hello = Array("Hello".utf8)
        // Section 7.2.3.1, and 7.2.3.2 where the second message refers to the first.
        let first: [UInt8] = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00, 0x00, 0xff, 0xff]
        let second: [UInt8] = [0xf2, 0x00, 0x11, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff]
        #expect(try inflater.collect(first) == hello)
        #expect(try inflater.collect(second) == hello)
        // Section 7.2.3.4: a last block, then an empty one.
        inflater.reset()
        let final: [UInt8] = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff]
        #expect(try inflater.collect(final) == hello)
    }
}
