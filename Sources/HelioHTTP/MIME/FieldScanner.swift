/// Reads the parts of which structured fields are made (RFC 9110 section 5.6), strictly, without allocating until a
/// text is asked for. It lives no longer than the bytes that it was made of.
@safe struct FieldScanner {
    private let bytes: UnsafeRawBufferPointer
    private(set) var position: Int
    private let end: Int

    /// More parameters than this has no field that anyone sends.
    static let maxParameters = 32

    init(_ bytes: UnsafeRawBufferPointer) {
        unsafe self.bytes = bytes
        position = 0
        end = bytes.count
    }

    /// Runs `body` over the bytes of a text.
    static func scan<Result, Failure: Error>(
        _ text: String, _ body: (inout FieldScanner) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let outcome = unsafe withBytes(text) { bytes -> Swift.Result<Result, Failure> in
            var scanner = unsafe FieldScanner(bytes)
            do throws(Failure) { return .success(try body(&scanner)) } catch { return .failure(error) }
        }
        return try outcome.get()
    }

    var isAtEnd: Bool { position == end }
    var next: UInt8? { position < end ? unsafe bytes[position] : nil }

    /// OWS: blanks and tabs.
    mutating func skipBlanks() {
        while position < end, unsafe bytes[position] == 0x20 || bytes[position] == 0x09 { position += 1 }
    }

    /// Takes the byte if it stands here.
    mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        position += 1
        return true
    }

    mutating func take(_ byte: UInt8, _ what: String) throws(FieldSyntaxError) {
        guard take(byte) else { throw .expected(what, at: position) }
    }

    /// A token (RFC 9110 section 5.6.2).
    mutating func token(_ what: String) throws(FieldSyntaxError) -> Range<Int> {
        let start = position
        while position < end, unsafe Self.isTokenByte(bytes[position]) { position += 1 }
        guard position > start else { throw .expected(what, at: start) }
        return start..<position
    }

    func text(_ range: Range<Int>) -> String { unsafe String(decoding: bytes(range), as: UTF8.self) }

    /// The bytes of a range; valid as long as those that the scanner was made of.
    func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(rebasing: bytes[range])
    }

    /// The text in lower case (ASCII alone has cases here).
    func lowercased(_ range: Range<Int>) -> String {
        unsafe String(unsafeUninitializedCapacity: range.count) { target in
            var length = 0
            for index in range {
                unsafe target[length] = Self.lowercased(unsafe bytes[index])
                length += 1
            }
            return length
        }
    }

    /// Whether the range holds these bytes, whatever their case. `name` is in lower case.
    func range(_ range: Range<Int>, equals name: StaticString) -> Bool {
        guard range.count == name.utf8CodeUnitCount else { return false }
        for index in 0..<range.count
        where unsafe Self.lowercased(bytes[range.lowerBound + index]) != name.utf8Start[index] {
            return false
        }
        return true
    }

    /// Whether the range ends in these bytes, whatever their case. `name` is in lower case.
    func range(_ range: Range<Int>, endsIn name: StaticString) -> Bool {
        range.count >= name.utf8CodeUnitCount
            && self.range(range.upperBound - name.utf8CodeUnitCount..<range.upperBound, equals: name)
    }

    /// A token or a quoted string (RFC 9110 section 5.6.4), the latter without its quotes and escapes.
    ///
    /// - Parameter keepsBackslashes: only quotes and backslashes are escaped. Browsers send the paths of another system as
    ///   they are, and no one escapes what needs no escape.
    mutating func value(keepsBackslashes: Bool = false) throws(FieldSyntaxError) -> String {
        guard next == UInt8(ascii: "\"") else { return text(try token("a value")) }
        let start = position
        position += 1
        var value: [UInt8] = []
        while position < end {
            var byte = unsafe bytes[position]
            position += 1
            if byte == UInt8(ascii: "\"") { return String(decoding: value, as: UTF8.self) }
            if byte == UInt8(ascii: "\\") {
                guard let escaped = next else { break }
                if !keepsBackslashes || escaped == UInt8(ascii: "\"") || escaped == byte {
                    byte = escaped
                    position += 1
                }
            }
            guard byte >= 0x20 && byte != 0x7f || byte == 0x09 else { throw .forbiddenByte(at: position - 1) }
            value.append(byte)
        }
        throw .unterminatedString(at: start)
    }

    /// The parameters that follow (RFC 9110 section 5.6.6), each once; to the end of the text or to a comma.
    mutating func parameters(
        keepsBackslashes: Bool = false
    ) throws(FieldSyntaxError) -> [(name: String, value: String)] {
        var found: [(name: String, value: String)] = []
        while true {
            skipBlanks()
            guard take(UInt8(ascii: ";")) else { return found }
            skipBlanks()
            // Empty ones are allowed.
            guard let byte = next, byte != UInt8(ascii: ";"), byte != UInt8(ascii: ",") else { continue }
            let name = lowercased(try token("a parameter's name"))
            try take(UInt8(ascii: "="), "'='")
            let value = try value(keepsBackslashes: keepsBackslashes)
            guard !found.contains(where: { $0.name == name }) else { throw .duplicateParameter(name) }
            guard found.count < Self.maxParameters else { throw .tooMany(limit: Self.maxParameters) }
            found.append((name, value))
        }
    }

    func expectEnd() throws(FieldSyntaxError) {
        guard isAtEnd else { throw .expected("the end", at: position) }
    }
}

extension FieldScanner {
    static func lowercased(_ byte: UInt8) -> UInt8 {
        UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte ? byte | 0x20 : byte
    }

    /// tchar of RFC 9110 section 5.6.2.
    static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
            UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default: false
        }
    }

    static func isToken(_ text: String) -> Bool { !text.isEmpty && text.utf8.allSatisfy(isTokenByte) }

    /// The value as a token where it is one, else as a quoted string; control characters become blanks.
    static func serialized(_ value: String) -> String {
        guard !isToken(value) else { return value }
        var text: [UInt8] = [UInt8(ascii: "\"")]
        for byte in value.utf8 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { text.append(UInt8(ascii: "\\")) }
            text.append(byte < 0x20 || byte == 0x7f ? 0x20 : byte)
        }
        text.append(UInt8(ascii: "\""))
        return String(decoding: text, as: UTF8.self)
    }
}
