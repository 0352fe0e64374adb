/// Names rooms: `*` stands for any bytes or none, all else for itself.
package struct RoomPattern: Hashable, Sendable {
    package let utf8: [UInt8]

    private static let star = UInt8(ascii: "*")

    /// Nil unless it has 1 to `maxSize` bytes and no control characters.
    package init?(_ utf8: [UInt8], maxSize: Int) {
        guard let name = Identifier(utf8, maxSize: maxSize) else { return nil }
        self.utf8 = name.utf8
    }

    package static let any = RoomPattern(unchecked: [star])

    private init(unchecked utf8: [UInt8]) { self.utf8 = utf8 }

    /// Takes no more steps than the product of both lengths: the last star is the only one that needs to be tried again.
    package func matches(_ room: RoomName) -> Bool {
        let name = room.utf8
        var (index, position) = (0, 0)
        var lastStar: (pattern: Int, name: Int)?
        while position < name.count {
            if index < utf8.count, utf8[index] == Self.star {
                lastStar = (index, position)
                index += 1
            } else if index < utf8.count, utf8[index] == name[position] {
                index += 1
                position += 1
            } else if let star = lastStar {
                lastStar = (star.pattern, star.name + 1)
                index = star.pattern + 1
                position = star.name + 1
            } else {
                return false
            }
        }
        return utf8[index...].allSatisfy { $0 == Self.star }
    }
}
