/// A JSON text, known to be valid, that is sent as it stands: a relay does not build what it only passes on.
public struct SocketJSON: Sendable, Hashable {
    /// The text, in UTF-8.
    public let bytes: [UInt8]

    /// Takes a text that is valid by how it was made: it is not looked at.
    public init(valid bytes: [UInt8]) { self.bytes = bytes }

    /// The text of a value.
    ///
    /// - Returns: nil when it has bytes, which are no JSON.
    public init?(_ value: SocketValue) {
        var writer = SocketJSONWriter()
        writer.value(value)
        guard writer.attachments.isEmpty else { return nil }
        bytes = writer.bytes
    }

    /// - Throws: ``SocketJSONError`` when it is no JSON, or is nested more than `maxDepth` deep.
    public init(_ text: [UInt8], maxDepth: Int = 32) throws(SocketJSONError) {
        var reader = SocketJSONReader(text, maxDepth: maxDepth)
        try reader.skipValue()
        try reader.expectEnd()
        bytes = text
    }

    /// What it says.
    public var value: SocketValue {
        var reader = SocketJSONReader(bytes, maxDepth: .max)
        // It was checked when it was made.
        return (try? reader.value()) ?? .null
    }
}

/// Why a text is not JSON that is taken, and where.
public struct SocketJSONError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Reason: String, Sendable {
        case truncated = "the text ends too early"
        case unexpected = "unexpected byte"
        case control = "control character in a string"
        case escape = "bad escape sequence"
        case encoding = "not UTF-8"
        case number = "bad number"
        case depth = "nested too deeply"
        case size = "too many values"
        case attachment = "a placeholder without its attachment"
    }

    public let reason: Reason
    /// In bytes from the start of the text.
    public let offset: Int

    public var description: String { "\(reason.rawValue) at byte \(offset)" }
}

extension SocketJSON {
    /// A member of an object, as it stands: a relay takes out what it passes on. Of those with one name, the last.
    ///
    /// - Returns: nil when there is none, or no object.
    public func member(_ name: String) -> SocketJSON? {
        var reader = SocketJSONReader(bytes, maxDepth: .max)
        guard let range = try? reader.range(ofMember: name) else { return nil }
        return SocketJSON(valid: Array(bytes[range]))
    }

    /// The elements of an array, as they stand; nil when it is none.
    public var elements: [SocketJSON]? {
        var reader = SocketJSONReader(bytes, maxDepth: .max)
        guard let ranges = try? reader.elementRanges() else { return nil }
        return ranges.map { SocketJSON(valid: Array(bytes[$0])) }
    }

    /// The same object with one more member at its end, which counts before one of the same name. The rest stays byte for byte.
    ///
    /// - Returns: nil when it is no object.
    public func adding(_ name: String, _ value: SocketValue) -> SocketJSON? {
        guard bytes.first == UInt8(ascii: "{"), bytes.last == UInt8(ascii: "}") else { return nil }
        let isEmpty = bytes.dropFirst().dropLast().allSatisfy { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
        var writer = SocketJSONWriter(Array(bytes.dropLast()) + (isEmpty ? [] : [UInt8(ascii: ",")]))
        writer.member(name, value)
        return SocketJSON(valid: writer.bytes + [UInt8(ascii: "}")])
    }
}
