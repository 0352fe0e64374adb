import HelioCompression

/// A long text with some order in it, the same in each run.
func sampleBytes(_ count: Int) -> [UInt8] {
    var state: UInt64 = 88_172_645_463_325_252
    return (0..<count).map { index in
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return index % 3 == 0 ? UInt8(truncatingIfNeeded: state >> 40) & 0x3f : UInt8(index / 7 & 0x7f)
    }
}

extension Deflater {
    func collect(_ bytes: some Collection<UInt8>, _ flush: Flush) -> [UInt8] {
        var all: [UInt8] = []
        unsafe write(Array(bytes).span.bytes, flush: flush) { piece in
            unsafe piece.withUnsafeBytes { unsafe all.append(contentsOf: $0) }
        }
        return all
    }
}

extension Inflater {
    func collect(_ bytes: some Collection<UInt8>) throws(InflateError) -> [UInt8] {
        var all: [UInt8] = []
        try unsafe write(Array(bytes).span.bytes) { piece in
            unsafe piece.withUnsafeBytes { unsafe all.append(contentsOf: $0) }
        }
        return all
    }
}
