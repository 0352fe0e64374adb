/// How many texts make a value.
enum SettingShape: Sendable {
    case one
    /// On or off: a flag without a value.
    case onOff
    case list
}

/// A text that is no value of a setting. Without a reason, what the setting takes says enough.
struct BadValue: Error {
    var reason: String?
}

/// How a value is written in text, and what of it is allowed.
struct SettingFormat<Value: Sendable>: Sendable {
    let allowed: String
    var shape = SettingShape.one
    /// What stands for no value.
    var unset = "none"
    let read: @Sendable (_ texts: [String]) throws(BadValue) -> Value
    let write: @Sendable (Value) -> [String]

    /// One text for a value.
    init(
        _ allowed: String, shape: SettingShape = .one, read: @escaping @Sendable (String) throws(BadValue) -> Value,
        write: @escaping @Sendable (Value) -> String
    ) {
        self.allowed = allowed
        self.shape = shape
        self.read = { texts throws(BadValue) in
            guard texts.count == 1 else { throw BadValue() }
            return try read(texts[0])
        }
        self.write = { [write($0)] }
    }

    init(
        allowed: String, shape: SettingShape, unset: String,
        read: @escaping @Sendable (_ texts: [String]) throws(BadValue) -> Value,
        write: @escaping @Sendable (Value) -> [String]
    ) {
        self.allowed = allowed
        self.shape = shape
        self.unset = unset
        self.read = read
        self.write = write
    }

    /// A value that need not be there.
    ///
    /// - Parameter unset: what is the case then.
    func optional(_ unset: String = "none") -> SettingFormat<Value?> {
        SettingFormat<Value?>(
            allowed: allowed, shape: shape, unset: unset,
            read: { texts throws(BadValue) in try read(texts) },
            write: { value in value.map(write) ?? [] })
    }

    /// Any number of values.
    func list(_ unset: String = "none") -> SettingFormat<[Value]> {
        SettingFormat<[Value]>(
            allowed: "any number of: " + allowed, shape: .list, unset: unset,
            read: { texts throws(BadValue) in
                var values: [Value] = []
                for text in texts { values.append(try read([text])) }
                return values
            },
            write: { values in values.flatMap(write) })
    }
}

extension SettingFormat where Value == String {
    /// Anything but nothing.
    static let text = SettingFormat("a text", read: notEmpty, write: { $0 })

    /// Where a file is.
    static let path = SettingFormat("the path of a file", read: notEmpty, write: { $0 })

    private static func notEmpty(_ text: String) throws(BadValue) -> String {
        guard !text.isEmpty else { throw BadValue() }
        return text
    }
}

extension SettingFormat where Value: FixedWidthInteger {
    static func integer(_ range: ClosedRange<Value>) -> SettingFormat {
        SettingFormat(
            "a whole number from \(range.lowerBound) to \(range.upperBound)",
            read: { text throws(BadValue) in
                guard let number = Value(text), range.contains(number) else { throw BadValue() }
                return number
            }, write: { "\($0)" })
    }
}

extension SettingFormat where Value == Bool {
    static let onOff = SettingFormat(
        "true or false", shape: .onOff,
        read: { text throws(BadValue) in
            switch text.lowercased() {
            case "true", "yes", "on", "1": return true
            case "false", "no", "off", "0": return false
            default: throw BadValue()
            }
        }, write: { "\($0)" })
}

extension SettingFormat where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of an enum's cases.
    static var choice: SettingFormat {
        let names = Value.allCases.map(\.rawValue)
        return SettingFormat(
            "one of " + names.joined(separator: ", "),
            read: { text throws(BadValue) in
                guard let value = Value(rawValue: text.lowercased()) else { throw BadValue() }
                return value
            }, write: { $0.rawValue })
    }
}
