/// A value of an event, of an acknowledgement or of what a client says when it connects: JSON, and bytes.
///
/// ```swift
/// let value: SocketValue = ["name": "Ada", "tags": ["a", "b"], "age": 36]
/// let name = value["name"].string
/// ```
public enum SocketValue: Sendable, Hashable {
    case null
    case bool(Bool)
    /// A number without a fraction and an exponent that fits.
    case integer(Int)
    case number(Double)
    case string(String)
    case array([SocketValue])
    case object(SocketObject)
    /// Bytes: they travel beside the JSON, as an attachment of the packet.
    case binary([UInt8])
    /// JSON that is passed on as it is.
    case json(SocketJSON)
}

extension SocketValue {
    /// The same, with JSON that was to be passed on read.
    public var decoded: SocketValue { if case .json(let json) = self { json.value } else { self } }

    public var isNull: Bool { decoded == .null }

    public var bool: Bool? { if case .bool(let value) = decoded { value } else { nil } }

    /// A number that is whole and in the range of `Int`.
    public var integer: Int? {
        switch decoded {
        case .integer(let value): value
        case .number(let value): Int(exactly: value)
        default: nil
        }
    }

    public var number: Double? {
        switch decoded {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    public var string: String? { if case .string(let value) = decoded { value } else { nil } }

    public var array: [SocketValue]? { if case .array(let value) = decoded { value } else { nil } }

    public var object: SocketObject? { if case .object(let value) = decoded { value } else { nil } }

    public var binary: [UInt8]? { if case .binary(let value) = decoded { value } else { nil } }

    /// A member of an object; null where there is none, or no object.
    public subscript(name: String) -> SocketValue { object?[name] ?? .null }

    /// An element of an array; null where there is none, or no array.
    public subscript(index: Int) -> SocketValue {
        guard let array, array.indices.contains(index) else { return .null }
        return array[index]
    }
}

extension SocketValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByStringInterpolation, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    public init(nilLiteral: ()) { self = .null }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int) { self = .integer(value) }
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(arrayLiteral elements: SocketValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, SocketValue)...) { self = .object(SocketObject(elements)) }
}
