/// How a response or a part is to be presented, and under which name (RFC 6266; RFC 7578 section 4.2).
///
/// ```swift
/// exchange.addHeader("content-disposition", ContentDisposition.attachment(filename: "naïve.txt").description)
/// let sent = try ContentDisposition(parsing: "form-data; name=\"photo\"; filename=\"../cat.jpg\"")
/// print(sent.name ?? "", sent.safeFilename ?? "")  // photo cat.jpg
/// ```
public struct ContentDisposition: Hashable, Sendable, CustomStringConvertible {
    /// `inline`, `attachment`, `form-data`, in lower case. One that is not known is to be taken for `attachment`.
    public let type: String
    /// The form's field.
    public let name: String?
    /// The file's name as the sender gives it: any text, with paths, control characters or nothing in it. Of
    /// `filename*` where that can be read, else of `filename`.
    public let filename: String?

    /// - Precondition: `type` is a token.
    public init(_ type: String, name: String? = nil, filename: String? = nil) {
        precondition(FieldScanner.isToken(type), "'\(type)' is no type of a disposition")
        self.type = type.lowercased()
        self.name = name
        self.filename = filename
    }

    /// To be saved rather than shown.
    public static func attachment(filename: String? = nil) -> ContentDisposition {
        ContentDisposition("attachment", filename: filename)
    }

    public static func inline(filename: String? = nil) -> ContentDisposition {
        ContentDisposition("inline", filename: filename)
    }

    /// A field of a form.
    public static func formData(name: String, filename: String? = nil) -> ContentDisposition {
        ContentDisposition("form-data", name: name, filename: filename)
    }

    /// - Throws: for anything that is not a disposition, and for a parameter that comes twice.
    public init(parsing text: String) throws(FieldSyntaxError) {
        let (type, parameters) = try FieldScanner.scan(text) { (scanner: inout FieldScanner) throws(FieldSyntaxError) in
            scanner.skipBlanks()
            let type = scanner.lowercased(try scanner.token("a disposition"))
            let parameters = try scanner.parameters(keepsBackslashes: true)
            try scanner.expectEnd()
            return (type, parameters)
        }
        let plain = parameters.first { $0.name == "filename" }?.value
        var filename = plain
        if let extended = parameters.first(where: { $0.name == "filename*" }) {
            // What cannot be read is ignored where there is another (RFC 6266 section 4.3).
            filename = ExtendedValue.decode(extended.value) ?? plain
            guard filename != nil else { throw .invalidExtendedValue("filename*") }
        }
        self.init(type, name: parameters.first { $0.name == "name" }?.value, filename: filename)
    }

    /// The last component of the file's name as a name for a file here: without control characters, slashes, a leading dot,
    /// blanks at its ends, at most 200 bytes of UTF-8 with its extension kept; nil where nothing is left.
    public var safeFilename: String? {
        guard let filename else { return nil }
        let last = filename.split(whereSeparator: { $0 == "/" || $0 == "\\" }).last ?? ""
        var scalars = String.UnicodeScalarView()
        scalars.append(contentsOf: last.unicodeScalars.filter { Self.isSafe($0) })
        var name = String(scalars)[...]
        while let first = name.unicodeScalars.first, first == "." || first.properties.isWhitespace {
            name.unicodeScalars.removeFirst()
        }
        while let last = name.unicodeScalars.last, last == "." || last.properties.isWhitespace {
            name.unicodeScalars.removeLast()
        }
        guard !name.isEmpty else { return nil }
        return Self.shortened(name)
    }

    private static let longestName = 200

    private static func isSafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        // Formats turn a name's direction round, so that its extension seems to be another.
        case .control, .format, .surrogate, .lineSeparator, .paragraphSeparator, .unassigned, .privateUse: false
        default: !":*?\"<>|".unicodeScalars.contains(scalar)
        }
    }

    private static func shortened(_ name: Substring) -> String {
        guard name.utf8.count > longestName else { return String(name) }
        var end = ""
        if let dot = name.lastIndex(of: "."), name[dot...].utf8.count <= 20 { end = String(name[dot...]) }
        var start = name.unicodeScalars
        while start.isEmpty == false, String(start).utf8.count + end.utf8.count > longestName {
            start.removeLast(max(1, (String(start).utf8.count + end.utf8.count - longestName) / 4))
        }
        return String(start) + end
    }

    /// The text for a field. A name that is not ASCII comes twice, as `filename` for those who read no other, and as
    /// `filename*` (RFC 8187), but for `form-data`, where RFC 7578 section 4.2 forbids that, and names are UTF-8 as browsers
    /// send them.
    public var description: String {
        var text = type
        if let name { text += "; name=\(type == "form-data" ? Self.quotedForForm(name) : Self.quoted(name))" }
        guard let filename else { return text }
        if type == "form-data" { return text + "; filename=\(Self.quotedForForm(filename))" }
        let isPlain = filename.utf8.allSatisfy { 0x20..<0x7f ~= $0 && $0 != UInt8(ascii: "%") }
        text += "; filename=\(Self.quoted(filename))"
        return isPlain ? text : text + "; filename*=\(ExtendedValue.encode(filename))"
    }

    /// A quoted string of ASCII; what is not becomes `_`, one for each character. So does `%`: some take it for an escape
    /// (RFC 6266 appendix D).
    private static func quoted(_ text: String) -> String {
        let characters = text.map { character -> String in
            guard let byte = character.asciiValue, 0x20..<0x7f ~= byte, character != "%" else { return "_" }
            return character == "\"" || character == "\\" ? "\\\(character)" : String(character)
        }
        return "\"\(characters.joined())\""
    }

    /// As browsers quote (the multipart/form-data encoding algorithm of the HTML standard).
    private static func quotedForForm(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): bytes += Array("%22".utf8)
            case 13: bytes += Array("%0D".utf8)
            case 10: bytes += Array("%0A".utf8)
            case 0: bytes.append(0x20)
            default: bytes.append(byte)
            }
        }
        return "\"\(String(decoding: bytes, as: UTF8.self))\""
    }
}
