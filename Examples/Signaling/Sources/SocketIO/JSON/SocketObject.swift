/// The members of a JSON object, in their order. Of those with one name, the last counts, as in JavaScript.
///
/// A list and no dictionary: a peer who sends a hundred thousand names has them neither hashed nor compared.
public struct SocketObject: Sendable, Hashable, ExpressibleByDictionaryLiteral {
    public private(set) var members: [Member]

    public struct Member: Sendable, Hashable {
        public let name: String
        public var value: SocketValue

        public init(_ name: String, _ value: SocketValue) {
            self.name = name
            self.value = value
        }
    }

    public init(_ members: [(String, SocketValue)] = []) { self.members = members.map(Member.init) }

    public init(dictionaryLiteral elements: (String, SocketValue)...) { self.init(elements) }

    /// The value of that name, or nil; setting nil removes it. It looks at one member after the other.
    public subscript(name: String) -> SocketValue? {
        get { members.last { $0.name == name }?.value }
        set {
            guard let newValue else { return members.removeAll { $0.name == name } }
            if let index = members.lastIndex(where: { $0.name == name }) {
                members[index].value = newValue
            } else {
                members.append(Member(name, newValue))
            }
        }
    }

    mutating func append(_ name: String, _ value: SocketValue) { members.append(Member(name, value)) }
}
