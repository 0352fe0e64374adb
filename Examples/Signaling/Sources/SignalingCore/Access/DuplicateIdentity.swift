/// How many sessions one subject may have, and what becomes of one more.
package enum DuplicateIdentity: Sendable, Hashable {
    /// One more is refused; nil for no bound.
    case allow(Int?)
    /// It takes the place of the one before.
    case replace

    /// How many there may be at a time; nil for any number.
    var most: Int? {
        switch self {
        case .allow(let most): most
        case .replace: 1
        }
    }
}

extension DuplicateIdentity: CustomStringConvertible {
    /// `allow`, `allow(3)`, `reject`, which is `allow(1)`, or `replace`; nil for anything else.
    package init?(_ text: String) {
        switch text {
        case "allow": self = .allow(nil)
        case "reject": self = .allow(1)
        case "replace": self = .replace
        default:
            guard text.hasPrefix("allow("), text.hasSuffix(")"), let most = Int(text.dropFirst(6).dropLast()),
                (1...1_000_000).contains(most)
            else { return nil }
            self = .allow(most)
        }
    }

    package var description: String {
        switch self {
        case .allow(nil): "allow"
        case .allow(1): "reject"
        case .allow(let most?): "allow(\(most))"
        case .replace: "replace"
        }
    }
}

extension Identifier {
    /// The loop that counts the sessions of the subject.
    func loop(of count: Int) -> Int { loopOfName(utf8, of: count) }
}
