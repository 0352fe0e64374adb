/// A JSON text as a tree, for the few places that need all of one.
enum JSONValue: Hashable {
    case null
    case bool(Bool)
    /// As it is spelled.
    case number([UInt8])
    case string([UInt8])
    case array([JSONValue])
    case object([String: JSONValue])

    /// Strict: no field may come twice.
    init(parsing bytes: [UInt8]) throws(JSONError) {
        var scanner = JSONScanner(bytes, maxDepth: 64)
        self = try Self.read(&scanner, depth: 0)
        try scanner.expectEnd()
    }

    subscript(name: String) -> JSONValue? { if case .object(let fields) = self { fields[name] } else { nil } }

    var utf8: [UInt8]? { if case .string(let utf8) = self { utf8 } else { nil } }
    var text: String? { utf8.map { String(decoding: $0, as: UTF8.self) } }
    var integer: Int? { if case .number(let digits) = self { decimal(digits) } else { nil } }
    var elements: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }

    private static func read(_ scanner: inout JSONScanner, depth: Int) throws(JSONError) -> JSONValue {
        let first = try scanner.peek()
        guard depth < scanner.maxDepth else { throw JSONError(reason: .depth, offset: scanner.position) }
        switch first {
        case UInt8(ascii: "{"):
            var fields: [String: JSONValue] = [:]
            try scanner.object(maxMembers: 4096) { scanner, key, _ throws(JSONError) in
                fields[scanner.name(key)] = try read(&scanner, depth: depth + 1)
            }
            return .object(fields)
        case UInt8(ascii: "["):
            var elements: [JSONValue] = []
            try scanner.array { scanner throws(JSONError) in elements.append(try read(&scanner, depth: depth + 1)) }
            return .array(elements)
        case UInt8(ascii: "\""): return .string(scanner.decoded(try scanner.string()).utf8)
        case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"):
            try scanner.skipValue(depth: depth)
            return first == UInt8(ascii: "n") ? .null : .bool(first == UInt8(ascii: "t"))
        default: return .number(Array(scanner.bytes[try scanner.skipValue(depth: depth)]))
        }
    }
}
