/// A media type with its parameters (RFC 9110 section 8.3.1): `text/html; charset=utf-8`.
///
/// Type, subtype and the names of parameters are in lower case; values are as they came, without quotes. Its text is made
/// once, with the value: to send it costs nothing.
///
/// ```swift
/// let type = try MediaType(parsing: "multipart/form-data; boundary=\"a b\"")
/// if type.isMultipart, let boundary = type["boundary"] { print(boundary) }
/// exchange.respond(.ok, contentType: MediaType.json.description, "{}")
/// ```
public struct MediaType: Hashable, Sendable, CustomStringConvertible {
    /// One parameter; its name is in lower case.
    public struct Parameter: Hashable, Sendable {
        public let name: String
        public let value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// What stands before the slash.
    public let type: String
    /// What stands behind it.
    public let subtype: String
    /// In the order in which they came.
    public let parameters: [Parameter]
    /// The text for a field: values that are no tokens are quoted.
    public let description: String

    /// - Precondition: type, subtype and the names of parameters are tokens.
    public init(_ type: String, _ subtype: String, parameters: [Parameter] = []) {
        precondition(FieldScanner.isToken(type) && FieldScanner.isToken(subtype), "a media type is two tokens")
        self.type = type.lowercased()
        self.subtype = subtype.lowercased()
        self.parameters = parameters.map { parameter in
            precondition(FieldScanner.isToken(parameter.name), "'\(parameter.name)' is no name of a parameter")
            return Parameter(parameter.name.lowercased(), parameter.value)
        }
        var text = "\(self.type)/\(self.subtype)"
        for parameter in self.parameters { text += "; \(parameter.name)=\(FieldScanner.serialized(parameter.value))" }
        description = text
    }

    /// The media type that a field's value holds.
    ///
    /// - Throws: for anything that is not a media type, for a parameter that comes twice, for more than 32 parameters.
    public init(parsing text: String) throws(FieldSyntaxError) {
        self = try FieldScanner.scan(text) { (scanner: inout FieldScanner) throws(FieldSyntaxError) in
            scanner.skipBlanks()
            let type = scanner.lowercased(try scanner.token("a type"))
            try scanner.take(UInt8(ascii: "/"), "'/'")
            let subtype = scanner.lowercased(try scanner.token("a subtype"))
            let parameters = try scanner.parameters()
            try scanner.expectEnd()
            return MediaType(type, subtype, parameters: parameters.map { Parameter($0.name, $0.value) })
        }
    }

    /// The value of a parameter. `name` is in lower case.
    public subscript(name: String) -> String? { parameters.first { $0.name == name }?.value }

    /// The charset in lower case, if one is named.
    public var charset: String? { self["charset"]?.lowercased() }

    /// `type/subtype`, without parameters.
    public var essence: String { "\(type)/\(subtype)" }

    public var isMultipart: Bool { type == "multipart" }

    /// Whether both are the same but for their parameters.
    public func isSameKind(as other: MediaType) -> Bool { type == other.type && subtype == other.subtype }

    /// The type with this parameter in place of one of its name.
    public func with(_ name: String, _ value: String) -> MediaType {
        let others = parameters.filter { $0.name != name.lowercased() }
        return MediaType(type, subtype, parameters: others + [Parameter(name, value)])
    }

    // The text holds all of it.
    public static func == (left: MediaType, right: MediaType) -> Bool { left.description == right.description }
    public func hash(into hasher: inout Hasher) { hasher.combine(description) }
}
