/// What opens a room. It is kept in memory as long as the room, and no text shows it.
package struct RoomPassword: Sendable {
    private let utf8: [UInt8]

    /// Nil unless it has 1 to `maxSize` bytes.
    package init?(_ utf8: [UInt8], maxSize: Int) {
        guard (1...max(1, maxSize)).contains(utf8.count) else { return nil }
        self.utf8 = utf8
    }

    var size: Int { utf8.count }

    /// How long it takes depends on the length of the guess alone.
    func matches(_ guess: RoomPassword) -> Bool {
        var difference = utf8.count ^ guess.utf8.count
        for (index, byte) in guess.utf8.enumerated() { difference |= Int(utf8[index % utf8.count] ^ byte) }
        return difference == 0
    }
}

extension RoomPassword: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "[redacted]" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Whose guesses of a room's password are counted together.
enum Guesser: Hashable, Sendable {
    case subject(Identifier)
    case address(ClientAddress)
    case session(SessionID)
}

/// A room, and who tries to open it.
struct GuessedRoom: Hashable, Sendable {
    let room: RoomName
    let guesser: Guesser
}

extension ServiceLimitName {
    package static let passwordGuesses = ServiceLimitName("password_guesses")
    package static let keptOut = ServiceLimitName("kept_out")
}
