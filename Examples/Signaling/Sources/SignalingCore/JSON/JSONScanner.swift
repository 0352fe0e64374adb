/// Walks once through a JSON text (RFC 8259) and checks all of it: grammar, UTF-8, depth. It builds nothing; its callers
/// note where the fields lie that they need.
struct JSONScanner {
    let bytes: [UInt8]
    let maxDepth: Int
    private(set) var position = 0
    /// CR or LF has been seen; in valid JSON it can only be between tokens.
    private(set) var sawLineBreak = false

    /// A string of the text, between its quotes.
    struct Text {
        var range: Range<Int>
        var hasEscapes: Bool
    }

    /// - Parameter start: where to begin, in bytes.
    /// - Precondition: `maxDepth` is at most 64, as one bit is kept for each level.
    init(_ bytes: [UInt8], maxDepth: Int, from start: Int = 0) {
        precondition(maxDepth <= 64)
        self.bytes = bytes
        self.maxDepth = maxDepth
        position = start
    }

    /// The next byte after white space, not consumed.
    mutating func peek() throws(JSONError) -> UInt8 {
        skipWhitespace()
        return try byte(at: position)
    }

    /// Consumes white space and this byte.
    mutating func expect(_ wanted: Unicode.Scalar) throws(JSONError) {
        guard try peek() == UInt8(ascii: wanted) else { throw error(.unexpected) }
        position += 1
    }

    /// Consumes this byte if it is next after white space.
    mutating func accept(_ wanted: Unicode.Scalar) throws(JSONError) -> Bool {
        guard try peek() == UInt8(ascii: wanted) else { return false }
        position += 1
        return true
    }

    /// White space, then the end.
    mutating func expectEnd() throws(JSONError) {
        skipWhitespace()
        guard position == bytes.count else { throw error(.trailing) }
    }

    /// An object: calls `member` for each, after its colon; it consumes the value. Fields are told apart by their decoded
    /// names, at most `maxMembers` of them.
    mutating func object(
        maxMembers: Int,
        _ member: (inout JSONScanner, _ key: Text, _ start: Int) throws(JSONError) -> Void
    ) throws(JSONError) {
        try expect("{")
        if try accept("}") { return }
        var seen: [Text] = []
        repeat {
            skipWhitespace()
            let start = position
            let key = try string()
            guard seen.count < maxMembers else { throw JSONError(reason: .members, offset: start) }
            guard !seen.contains(where: { isSame($0, key) }) else { throw JSONError(reason: .duplicate, offset: start) }
            seen.append(key)
            try expect(":")
            try member(&self, key, start)
        } while try accept(",")
        try expect("}")
    }

    /// An array: calls `element` before each; it consumes the value.
    mutating func array(_ element: (inout JSONScanner) throws(JSONError) -> Void) throws(JSONError) {
        try expect("[")
        if try accept("]") { return }
        repeat { try element(&self) } while try accept(",")
        try expect("]")
    }

    /// Any value, `depth` objects and arrays deep, whose inside does not matter. Field names may repeat in there.
    ///
    /// - Returns: its bytes.
    @discardableResult
    mutating func skipValue(depth: Int) throws(JSONError) -> Range<Int> {
        skipWhitespace()
        let start = position
        var level = depth
        // Bit n: whether the value opened at level n is an object.
        var objects: UInt64 = 0
        repeat {
            if try opens(&level, &objects) { continue }
            while level > depth, try !goesOn(level, objects) { level -= 1 }
        } while level > depth
        return start..<position
    }
}

// MARK: - Tokens

extension JSONScanner {
    mutating func string() throws(JSONError) -> Text {
        try expect("\"")
        let start = position
        var hasEscapes = false
        while true {
            skipPlain()
            let byte = try byte(at: position)
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return Text(range: start..<position - 1, hasEscapes: hasEscapes)
            case UInt8(ascii: "\\"):
                hasEscapes = true
                try escape()
            case ..<0x20: throw error(.control)
            default: try multibyte(byte)
            }
        }
    }

    /// Consumes what stands for itself within a string, in ASCII.
    private mutating func skipPlain() {
        position = bytes.endOfPlainText(from: position)
    }

    /// RFC 8259 section 6.
    mutating func number() throws(JSONError) -> Range<Int> {
        skipWhitespace()
        let start = position
        if current == UInt8(ascii: "-") { position += 1 }
        let leadingZero = current == UInt8(ascii: "0")
        let count = digits()
        guard count > 0 else { throw error(position < bytes.count ? .number : .truncated) }
        guard !leadingZero || count == 1 else { throw error(.number) }
        if current == UInt8(ascii: ".") {
            position += 1
            guard digits() > 0 else { throw error(.number) }
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            guard digits() > 0 else { throw error(.number) }
        }
        return start..<position
    }

    private mutating func literal(_ word: StaticString) throws(JSONError) {
        for character in "\(word)".utf8 {
            guard try byte(at: position) == character else { throw error(.unexpected) }
            position += 1
        }
    }

    private mutating func skipWhitespace() {
        while let byte = current {
            switch byte {
            case 0x20, 0x09: break
            case 0x0A, 0x0D: sawLineBreak = true
            default: return
            }
            position += 1
        }
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func byte(at index: Int) throws(JSONError) -> UInt8 {
        guard index < bytes.count else { throw JSONError(reason: .truncated, offset: bytes.count) }
        return bytes[index]
    }

    private func error(_ reason: JSONError.Reason) -> JSONError { JSONError(reason: reason, offset: position) }

    private mutating func digits() -> Int {
        let start = position
        while let byte = current, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        return position - start
    }

    private mutating func escape() throws(JSONError) {
        switch try byte(at: position + 1) {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 2
        case UInt8(ascii: "u"):
            for index in position + 2..<position + 6 {
                guard try hexadecimal(byte(at: index)) != nil else { throw error(.escape) }
            }
            position += 6
        default: throw error(.escape)
        }
    }

    /// A character of two to four bytes (The Unicode Standard, table 3-7).
    private mutating func multibyte(_ lead: UInt8) throws(JSONError) {
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
        for index in position + 2..<position + max(length, 2) {
            guard try byte(at: index) & 0xC0 == 0x80 else { throw error(.encoding) }
        }
        position += length
    }
}

// MARK: - Inside of skipped values

extension JSONScanner {
    /// Consumes a value, or the beginning of one that has content.
    ///
    /// - Returns: true when a value was opened and its first inner value comes next.
    private mutating func opens(_ level: inout Int, _ objects: inout UInt64) throws(JSONError) -> Bool {
        switch try peek() {
        case UInt8(ascii: "{"):
            try enter()
            if try accept("}") { return false }
            try name()
            objects |= 1 << UInt64(level)
        case UInt8(ascii: "["):
            try enter()
            if try accept("]") { return false }
            objects &= ~(1 << UInt64(level))
        case UInt8(ascii: "\""):
            _ = try string()
            return false
        case UInt8(ascii: "t"):
            try literal("true")
            return false
        case UInt8(ascii: "f"):
            try literal("false")
            return false
        case UInt8(ascii: "n"):
            try literal("null")
            return false
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            _ = try number()
            return false
        default: throw error(.unexpected)
        }
        level += 1
        return true

        func enter() throws(JSONError) {
            guard level < maxDepth else { throw error(.depth) }
            position += 1
        }
    }

    /// After a value within another one of `level`.
    ///
    /// - Returns: true when a further value comes next, false when the outer one is closed.
    private mutating func goesOn(_ level: Int, _ objects: UInt64) throws(JSONError) -> Bool {
        let isObject = objects & (1 << UInt64(level - 1)) != 0
        if try accept(",") {
            if isObject { try name() }
            return true
        }
        try expect(isObject ? "}" : "]")
        return false
    }

    private mutating func name() throws(JSONError) {
        _ = try string()
        try expect(":")
    }
}
