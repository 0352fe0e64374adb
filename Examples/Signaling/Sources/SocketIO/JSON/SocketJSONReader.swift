/// Reads a JSON text (RFC 8259): checks it, tells where its values lie, and builds them when asked. Bounded in depth and in the
/// number of values.
struct SocketJSONReader {
    let bytes: [UInt8]
    private let maxDepth: Int
    private var valuesLeft: Int
    private(set) var position: Int
    /// What placeholders stand for; each can be taken once.
    private var attachments: [[UInt8]?]
    private var depth = 0

    init(
        _ bytes: [UInt8], from start: Int = 0, maxDepth: Int, maxValues: Int = .max, attachments: [[UInt8]] = []
    ) {
        self.bytes = bytes
        self.maxDepth = maxDepth
        valuesLeft = maxValues
        position = start
        self.attachments = attachments
    }

    /// Whether every attachment has been taken.
    var hasAllAttachments: Bool { attachments.allSatisfy { $0 == nil } }

    // MARK: Values

    /// Checks the next value.
    ///
    /// - Returns: where it lies.
    @discardableResult
    mutating func skipValue() throws(SocketJSONError) -> Range<Int> {
        let first = try peek()
        let start = position
        try count()
        switch first {
        case UInt8(ascii: "{"):
            try enter()
            if try !accept("}") {
                repeat {
                    _ = try string()
                    try expect(":")
                    try skipValue()
                } while try accept(",")
                try expect("}")
            }
            depth -= 1
        case UInt8(ascii: "["): try elements { (reader) throws(SocketJSONError) in try reader.skipValue() }
        default: _ = try scalar(first)
        }
        return start..<position
    }

    /// Checks an array.
    ///
    /// - Returns: where its elements lie.
    mutating func elementRanges() throws(SocketJSONError) -> [Range<Int>] {
        guard try peek() == UInt8(ascii: "[") else { throw error(.unexpected) }
        var ranges: [Range<Int>] = []
        try elements { (reader) throws(SocketJSONError) in ranges.append(try reader.skipValue()) }
        return ranges
    }

    /// Looks for a member of an object.
    ///
    /// - Returns: where its value lies, of those with one name the last; nil when there is none, or no object.
    mutating func range(ofMember name: String) throws(SocketJSONError) -> Range<Int>? {
        guard try peek() == UInt8(ascii: "{") else { return nil }
        var found: Range<Int>?
        try enter()
        if try !accept("}") {
            repeat {
                let key = text(try string())
                try expect(":")
                let range = try skipValue()
                if key == name { found = range }
            } while try accept(",")
            try expect("}")
        }
        depth -= 1
        return found
    }

    /// Builds the next value.
    mutating func value() throws(SocketJSONError) -> SocketValue {
        let first = try peek()
        try count()
        switch first {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["):
            var array: [SocketValue] = []
            try elements { (reader) throws(SocketJSONError) in array.append(try reader.value()) }
            return .array(array)
        default: return try scalar(first)
        }
    }

    /// White space, then the end.
    mutating func expectEnd() throws(SocketJSONError) {
        skipWhitespace()
        guard position == bytes.count else { throw error(.unexpected) }
    }

    /// The next byte after white space, not consumed.
    mutating func peek() throws(SocketJSONError) -> UInt8 {
        skipWhitespace()
        return try byte(at: position)
    }

    private mutating func elements(
        _ element: (inout SocketJSONReader) throws(SocketJSONError) -> Void
    ) throws(SocketJSONError) {
        try enter()
        if try !accept("]") {
            repeat { try element(&self) } while try accept(",")
            try expect("]")
        }
        depth -= 1
    }

    private mutating func object() throws(SocketJSONError) -> SocketValue {
        let start = position
        var object = SocketObject()
        try enter()
        if try !accept("}") {
            repeat {
                let name = try string()
                try expect(":")
                object.append(text(name), try value())
            } while try accept(",")
            try expect("}")
        }
        depth -= 1
        guard !attachments.isEmpty, object["_placeholder"] == .bool(true) else { return .object(object) }
        guard let number = object["num"]?.integer, attachments.indices.contains(number),
            let attachment = attachments[number]
        else { throw SocketJSONError(reason: .attachment, offset: start) }
        attachments[number] = nil
        return .binary(attachment)
    }

    private mutating func scalar(_ first: UInt8) throws(SocketJSONError) -> SocketValue {
        switch first {
        case UInt8(ascii: "\""): return .string(text(try string()))
        case UInt8(ascii: "t"):
            try literal("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try literal("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try literal("null")
            return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw error(.unexpected)
        }
    }

    // MARK: Steps

    private mutating func enter() throws(SocketJSONError) {
        guard depth < maxDepth else { throw error(.depth) }
        depth += 1
        position += 1
    }

    private mutating func count() throws(SocketJSONError) {
        guard valuesLeft > 0 else { throw error(.size) }
        valuesLeft -= 1
    }

    private mutating func expect(_ wanted: Character) throws(SocketJSONError) {
        guard try peek() == wanted.asciiValue else { throw error(.unexpected) }
        position += 1
    }

    private mutating func accept(_ wanted: Character) throws(SocketJSONError) -> Bool {
        guard try peek() == wanted.asciiValue else { return false }
        position += 1
        return true
    }

    private mutating func literal(_ word: String) throws(SocketJSONError) {
        for wanted in word.utf8 {
            guard try byte(at: position) == wanted else { throw error(.unexpected) }
            position += 1
        }
    }

    private mutating func skipWhitespace() {
        while let byte = current, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func byte(at index: Int) throws(SocketJSONError) -> UInt8 {
        guard index < bytes.count else { throw SocketJSONError(reason: .truncated, offset: bytes.count) }
        return bytes[index]
    }

    private func error(_ reason: SocketJSONError.Reason) -> SocketJSONError {
        SocketJSONError(reason: reason, offset: position)
    }
}

// MARK: - Numbers

extension SocketJSONReader {
    /// RFC 8259 section 6.
    private mutating func number() throws(SocketJSONError) -> SocketValue {
        let start = position
        if current == UInt8(ascii: "-") { position += 1 }
        let startsWithZero = current == UInt8(ascii: "0")
        let count = digits()
        guard count > 0 else { throw error(current == nil ? .truncated : .number) }
        guard !startsWithZero || count == 1 else { throw error(.number) }
        var isWhole = true
        if current == UInt8(ascii: ".") {
            isWhole = false
            position += 1
            guard digits() > 0 else { throw error(.number) }
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            isWhole = false
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            guard digits() > 0 else { throw error(.number) }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole, text != "-0", let integer = Int(text) { return .integer(integer) }
        return .number(Double(text) ?? .nan)
    }

    private mutating func digits() -> Int {
        let start = position
        while let byte = current, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        return position - start
    }
}

// MARK: - Strings

extension SocketJSONReader {
    /// A string of the text, between its quotes.
    private struct Text {
        let range: Range<Int>
        let hasEscapes: Bool
    }

    private mutating func string() throws(SocketJSONError) -> Text {
        try expect("\"")
        let start = position
        var hasEscapes = false
        while true {
            let byte = try byte(at: position)
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return Text(range: start..<position - 1, hasEscapes: hasEscapes)
            case UInt8(ascii: "\\"):
                hasEscapes = true
                try escape()
            case ..<0x20: throw error(.control)
            case ..<0x80: position += 1
            default: try multibyte(byte)
            }
        }
    }

    private mutating func escape() throws(SocketJSONError) {
        switch try byte(at: position + 1) {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 2
        case UInt8(ascii: "u"):
            for index in position + 2..<position + 6 {
                guard try Self.hexadecimal(byte(at: index)) != nil else { throw error(.escape) }
            }
            position += 6
        default: throw error(.escape)
        }
    }

    /// A character of two to four bytes (The Unicode Standard, table 3-7).
    private mutating func multibyte(_ lead: UInt8) throws(SocketJSONError) {
        let second: ClosedRange<UInt8>
        let length: Int
        switch lead {
        case 0xC2...0xDF: (second, length) = (0x80...0xBF, 2)
        case 0xE0: (second, length) = (0xA0...0xBF, 3)
        case 0xED: (second, length) = (0x80...0x9F, 3)
        case 0xE1...0xEF: (second, length) = (0x80...0xBF, 3)
        case 0xF0: (second, length) = (0x90...0xBF, 4)
        case 0xF4: (second, length) = (0x80...0x8F, 4)
        case 0xF1...0xF3: (second, length) = (0x80...0xBF, 4)
        default: throw error(.encoding)
        }
        guard try second.contains(byte(at: position + 1)) else { throw error(.encoding) }
        for index in position + 2..<position + length {
            guard try byte(at: index) & 0xC0 == 0x80 else { throw error(.encoding) }
        }
        position += length
    }

    /// What a string stands for. Half of a surrogate pair, which JSON allows, becomes U+FFFD.
    private func text(_ text: Text) -> String {
        guard text.hasEscapes else { return String(decoding: bytes[text.range], as: UTF8.self) }
        var units: [UInt16] = []
        var result = ""
        var index = text.range.lowerBound
        var plain = index
        func flush(to end: Int) {
            if !units.isEmpty, end > plain {
                result += String(decoding: units, as: UTF16.self)
                units = []
            }
            result += String(decoding: bytes[plain..<end], as: UTF8.self)
        }
        while index < text.range.upperBound {
            guard bytes[index] == UInt8(ascii: "\\") else {
                index += 1
                continue
            }
            flush(to: index)
            if bytes[index + 1] == UInt8(ascii: "u") {
                units.append(bytes[index + 2..<index + 6].reduce(0) { $0 << 4 | UInt16(Self.hexadecimal($1) ?? 0) })
                index += 6
            } else {
                units.append(UInt16(Self.unescaped(bytes[index + 1])))
                index += 2
            }
            plain = index
        }
        result += units.isEmpty ? "" : String(decoding: units, as: UTF16.self)
        units = []
        flush(to: index)
        return result
    }

    private static func unescaped(_ letter: UInt8) -> UInt8 {
        switch letter {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: letter
        }
    }

    private static func hexadecimal(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
