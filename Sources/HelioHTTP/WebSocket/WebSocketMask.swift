/// The masking of frames (RFC 6455 section 5.3): XOR with four bytes, over and over.
enum WebSocketMask {
    /// Copies `count` bytes masked, or unmasked, which is the same. Both ends at any alignment; `source` and `target` are
    /// the same or do not overlap.
    ///
    /// - Parameter key: its first byte, the lowest, goes with the first byte.
    static func copy(
        from source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, count: Int, key: UInt32
    ) {
        let word = UInt64(key) << 32 | UInt64(key)
        let wide = SIMD4<UInt64>(repeating: word.littleEndian)
        var done = 0
        while count - done >= 32 {
            let piece = unsafe source.loadUnaligned(fromByteOffset: done, as: SIMD4<UInt64>.self)
            unsafe target.storeBytes(of: piece ^ wide, toByteOffset: done, as: SIMD4<UInt64>.self)
            done += 32
        }
        while count - done >= 8 {
            let piece = unsafe source.loadUnaligned(fromByteOffset: done, as: UInt64.self)
            unsafe target.storeBytes(of: piece ^ word.littleEndian, toByteOffset: done, as: UInt64.self)
            done += 8
        }
        var rest = word
        while done < count {
            let byte = unsafe source.load(fromByteOffset: done, as: UInt8.self)
            unsafe target.storeBytes(of: byte ^ UInt8(truncatingIfNeeded: rest), toByteOffset: done, as: UInt8.self)
            rest >>= 8
            done += 1
        }
    }

    /// The key for what follows `count` bytes.
    static func key(_ key: UInt32, after count: Int) -> UInt32 {
        let bits = UInt32(count & 3) * 8
        return bits == 0 ? key : key >> bits | key << (32 - bits)
    }
}
