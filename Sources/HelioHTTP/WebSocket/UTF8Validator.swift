/// Checks UTF-8 as it comes, in any cut, and fails at the first byte that no valid text has there (RFC 3629 section 4;
/// RFC 6455 section 8.1).
struct UTF8Validator {
    /// Bytes that the character still needs.
    private var needed: UInt8 = 0
    /// What the next one of them must lie in: E0, ED, F0 and F4 bound the byte behind them.
    private var low: UInt8 = 0x80
    private var high: UInt8 = 0xbf

    /// Whether a character is complete, or none has begun.
    var isComplete: Bool { needed == 0 }

    /// - Returns: false when the text cannot become UTF-8 any more.
    mutating func accept(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        let count = bytes.count
        while index < count {
            if needed == 0 {
                unsafe Self.skipASCII(bytes, &index)
                guard index < count else { break }
                guard begin(unsafe bytes[index]) else { return false }
            } else {
                let byte = unsafe bytes[index]
                guard byte >= low, byte <= high else { return false }
                low = 0x80
                high = 0xbf
                needed -= 1
            }
            index += 1
        }
        return true
    }

    mutating func reset() { self = UTF8Validator() }

    private static func skipASCII(_ bytes: UnsafeRawBufferPointer, _ index: inout Int) {
        while bytes.count - index >= 16 {
            let first = unsafe bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let second = unsafe bytes.loadUnaligned(fromByteOffset: index + 8, as: UInt64.self)
            guard (first | second) & 0x8080_8080_8080_8080 == 0 else { break }
            index += 16
        }
        while index < bytes.count, unsafe bytes[index] < 0x80 { index += 1 }
    }

    /// The first byte of a character of more than one.
    private mutating func begin(_ byte: UInt8) -> Bool {
        switch byte {
        case 0xc2...0xdf: needed = 1
        case 0xe0: (needed, low) = (2, 0xa0)
        case 0xed: (needed, high) = (2, 0x9f)
        case 0xe1...0xef: needed = 2
        case 0xf0: (needed, low) = (3, 0x90)
        case 0xf1...0xf3: needed = 3
        case 0xf4: (needed, high) = (3, 0x8f)
        default: return false
        }
        return true
    }
}
