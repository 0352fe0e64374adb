/// A short text that a client chose: the id of a message or of a call. Compared byte by byte, as clients do, where `String`
/// takes different spellings of a character for the same.
package struct Identifier: Hashable, Sendable {
    package let utf8: [UInt8]

    /// Nil unless it has 1 to `maxSize` bytes and no control characters.
    package init?(_ utf8: [UInt8], maxSize: Int) {
        guard (1...maxSize).contains(utf8.count), utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { return nil }
        self.utf8 = utf8
    }
}

/// The name of a room. Same rules as for an ``Identifier``.
package struct RoomName: Hashable, Sendable {
    package let utf8: [UInt8]

    /// Nil unless it has 1 to `maxSize` bytes and no control characters.
    package init?(_ utf8: [UInt8], maxSize: Int) {
        guard let identifier = Identifier(utf8, maxSize: maxSize) else { return nil }
        self.utf8 = identifier.utf8
    }

    /// The loop on which the room lives, the same for all loops of a service of `count` loops (FNV-1a, 64 bits).
    package func loop(of count: Int) -> Int {
        loopOfName(utf8, of: count)
    }
}

/// The loop on which what has this name lives.
func loopOfName(_ utf8: [UInt8], of count: Int) -> Int {
    let hash = utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x0100_0000_01B3 }
    return Int((hash ^ hash >> 32) % UInt64(count))
}
