/// Says whether a text is JSON (RFC 8259), by recursion and without any of the service's code.
struct ReferenceJSON {
    private var rest: ArraySlice<UInt8>
    private let maxDepth: Int

    static func isValid(_ text: [UInt8], maxDepth: Int) -> Bool {
        // Swift's own decoder says what is UTF-8.
        guard String(validating: text, as: UTF8.self) != nil else { return false }
        var parser = ReferenceJSON(rest: text[...], maxDepth: maxDepth)
        return parser.value(0) && parser.blanks() && parser.rest.isEmpty
    }

    private mutating func value(_ depth: Int) -> Bool {
        _ = blanks()
        switch rest.first {
        case UInt8(ascii: "{"):
            return depth < maxDepth && container("}") { $0.string() && $0.take(":") && $0.value(depth + 1) }
        case UInt8(ascii: "["): return depth < maxDepth && container("]") { $0.value(depth + 1) }
        case UInt8(ascii: "\""): return string()
        case UInt8(ascii: "t"): return word("true")
        case UInt8(ascii: "f"): return word("false")
        case UInt8(ascii: "n"): return word("null")
        default: return number()
        }
    }

    private mutating func container(_ end: Character, _ element: (inout ReferenceJSON) -> Bool) -> Bool {
        rest.removeFirst()
        if take(end) { return true }
        repeat { guard element(&self) else { return false } } while take(",")
        return take(end)
    }

    private mutating func string() -> Bool {
        guard take("\"") else { return false }
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\"") { return true }
            if byte < 0x20 { return false }
            guard byte == UInt8(ascii: "\\") else { continue }
            guard let escape = rest.popFirst() else { return false }
            if escape == UInt8(ascii: "u") {
                let digits = rest.prefix(4)
                guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit && $0 < 0x80 })
                else {
                    return false
                }
                rest.removeFirst(4)
            } else if !"\"\\/bfnrt".utf8.contains(escape) {
                return false
            }
        }
        return false
    }

    private mutating func number() -> Bool {
        _ = next("-")
        let whole = digits()
        guard !whole.isEmpty, whole.count == 1 || whole.first != UInt8(ascii: "0") else { return false }
        if next("."), digits().isEmpty { return false }
        if next("e") || next("E") {
            _ = next("+") || next("-")
            return !digits().isEmpty
        }
        return true
    }

    private mutating func digits() -> ArraySlice<UInt8> {
        let found = rest.prefix { (0x30...0x39).contains($0) }
        rest = rest.dropFirst(found.count)
        return found
    }

    private mutating func word(_ text: String) -> Bool {
        guard rest.starts(with: text.utf8) else { return false }
        rest = rest.dropFirst(text.utf8.count)
        return true
    }

    private mutating func next(_ character: Character) -> Bool {
        guard let wanted = character.asciiValue, rest.first == wanted else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func take(_ character: Character) -> Bool { blanks() && next(character) }

    private mutating func blanks() -> Bool {
        rest = rest.drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
        return true
    }
}
