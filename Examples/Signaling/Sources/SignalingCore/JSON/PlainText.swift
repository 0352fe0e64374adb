extension [UInt8] {
    /// Where, from `start` on, the first byte is that does not stand for itself in a JSON string: a quote, a backslash, a control
    /// character, or one beyond ASCII. Descriptions are kilobytes of what does, so it is looked at eight bytes at a time.
    func endOfPlainText(from start: Int) -> Int {
        end(from: start) { word in
            let quotes = word ^ Self.every(UInt8(ascii: "\""))
            let backslashes = word ^ Self.every(UInt8(ascii: "\\"))
            // A byte's highest bit is set where it is below 0x20, zero after either comparison, or above 0x7F; also in some that
            // follow such a byte, never in one before it.
            let below = (word &- Self.every(0x20)) | (quotes &- Self.every(1)) | (backslashes &- Self.every(1))
            return (below | word) & Self.every(0x80)
        }
    }

    /// Where the first backslash from `start` on is.
    func firstBackslash(from start: Int) -> Int {
        end(from: start) { word in
            let backslashes = word ^ Self.every(UInt8(ascii: "\\"))
            return (backslashes &- Self.every(1)) & ~backslashes & Self.every(0x80)
        }
    }

    /// - Parameter marks: the highest bits of the bytes of a word, in the order of memory from the lowest, of which the first tells
    ///   where to stop; those after it mean nothing.
    @inline(__always)
    private func end(from start: Int, _ marks: (UInt64) -> UInt64) -> Int {
        unsafe withUnsafeBytes { buffer in
            var index = start
            while index + 8 <= buffer.count {
                let word = unsafe UInt64(littleEndian: buffer.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                let found = marks(word)
                if found != 0 { return index + found.trailingZeroBitCount / 8 }
                index += 8
            }
            // A byte alone, as the lowest of a word whose others are plain.
            while index < buffer.count {
                let word = unsafe UInt64(buffer[index]) | Self.every(UInt8(ascii: "a")) << 8
                if marks(word) & 0x80 != 0 { return index }
                index += 1
            }
            return index
        }
    }

    private static func every(_ byte: UInt8) -> UInt64 { 0x0101_0101_0101_0101 &* UInt64(byte) }
}
