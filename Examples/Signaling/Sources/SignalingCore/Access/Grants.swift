/// What an identity may do, in the rooms that it names.
package struct Grants: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Come into a room, be seen there, and see who else is.
    package static let join = Grants(rawValue: 1)
    /// Set up calls: `invite`, `offer`, `answer`, `candidates` and what belongs to them.
    package static let call = Grants(rawValue: 2)
    /// Tell others anything: `msg` and `presence_set`.
    package static let publish = Grants(rawValue: 4)
    /// See which rooms there are.
    package static let list = Grants(rawValue: 8)
    /// Moderate its rooms.
    package static let admin = Grants(rawValue: 16)

    /// What a token that names no grants gives.
    package static let usual: Grants = [.join, .call, .publish]
    package static let all: Grants = [.join, .call, .publish, .list, .admin]

    private static let names: [(String, Grants)] = [
        ("join", .join), ("call", .call), ("publish", .publish), ("list", .list), ("admin", .admin),
    ]

    /// Nil when there is no grant of that name.
    package init?(name: String) {
        guard let grant = Self.names.first(where: { $0.0 == name })?.1 else { return nil }
        self = grant
    }

    package var names: [String] { Self.names.filter { contains($0.1) }.map(\.0) }

    /// What the grant of a message's type is; nil when everyone with a session may send it.
    static func needed(for type: MessageType) -> Grants? {
        switch type {
        case .join: .join
        case .invite, .offer, .answer, .pranswer, .candidates, .select, .reject, .hangup, .restartICE: .call
        case .msg, .presenceSet: .publish
        default: nil
        }
    }
}
