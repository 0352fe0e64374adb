/// Reads a dictionary of structured fields (RFC 8941 section 3.2) member by member. All of it is checked; of the values only
/// integers and booleans are told apart from the rest.
@safe struct StructuredFieldReader {
    enum Value: Equatable { case integer(Int), boolean(Bool), other }

    struct Member {
        /// Where the key stands.
        let key: Range<Int>
        let value: Value
    }

    private let bytes: UnsafeRawBufferPointer
    private let count: Int
    private var position = 0
    /// The bytes are no dictionary.
    private(set) var hasFailed = false
    private var isFirst = true

    init(bytes: UnsafeRawBufferPointer) {
        unsafe self.bytes = bytes
        count = bytes.count
    }

    /// The next member; nil at the end, or where the dictionary is broken.
    mutating func nextMember() -> Member? {
        if hasFailed { return nil }
        if isFirst {
            isFirst = false
            skip { $0 == UInt8(ascii: " ") }
            if position == count { return nil }
        } else {
            skipBlanks()
            if position == count { return nil }
            guard take(UInt8(ascii: ",")) else { return fail() }
            skipBlanks()
        }
        guard let key = readKey() else { return fail() }
        guard let value = take(UInt8(ascii: "=")) ? readItemOrList() : .boolean(true), readParameters() else {
            return fail()
        }
        return Member(key: key, value: value)
    }

    // MARK: The grammar of section 4.2

    private mutating func readItemOrList() -> Value? {
        guard take(UInt8(ascii: "(")) else { return readBareItem() }
        while true {
            skip { $0 == UInt8(ascii: " ") }
            if take(UInt8(ascii: ")")) { return .other }
            guard readBareItem() != nil, readParameters() else { return nil }
            guard let next = peek, next == UInt8(ascii: " ") || next == UInt8(ascii: ")") else { return nil }
        }
    }

    private mutating func readParameters() -> Bool {
        while take(UInt8(ascii: ";")) {
            skip { $0 == UInt8(ascii: " ") }
            guard readKey() != nil else { return false }
            if take(UInt8(ascii: "=")), readBareItem() == nil { return false }
        }
        return true
    }

    private mutating func readKey() -> Range<Int>? {
        guard let first = peek, Self.isLower(first) || first == UInt8(ascii: "*") else { return nil }
        let start = position
        skip { Self.isLower($0) || Self.isDigit($0) || Self.isOne(of: "_-.*", $0) }
        return start..<position
    }

    private mutating func readBareItem() -> Value? {
        guard let first = peek else { return nil }
        switch first {
        case UInt8(ascii: "?"):
            position += 1
            if take(UInt8(ascii: "1")) { return .boolean(true) }
            return take(UInt8(ascii: "0")) ? .boolean(false) : nil
        case UInt8(ascii: "\""): return readString()
        case UInt8(ascii: ":"):
            position += 1
            skip { Self.isLetter($0) || Self.isDigit($0) || Self.isOne(of: "+/=", $0) }
            return take(UInt8(ascii: ":")) ? .other : nil
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return readNumber()
        default:
            guard Self.isLetter(first) || first == UInt8(ascii: "*") else { return nil }
            skip { Self.isLetter($0) || Self.isDigit($0) || Self.isOne(of: "!#$%&'*+-.^_`|~:/", $0) }
            return .other
        }
    }

    private mutating func readString() -> Value? {
        position += 1
        while let byte = peek {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return .other
            case UInt8(ascii: "\\"):
                guard let escaped = peek, Self.isOne(of: "\"\\", escaped) else { return nil }
                position += 1
            case 0x20...0x7e: break
            default: return nil
            }
        }
        return nil
    }

    /// At most 15 digits, or 12 and up to three behind a point (section 3.3).
    private mutating func readNumber() -> Value? {
        let isNegative = take(UInt8(ascii: "-"))
        var value = 0
        var digits = 0
        while let byte = peek, Self.isDigit(byte), digits < 16 {
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
            digits += 1
            position += 1
        }
        guard (1...15).contains(digits) else { return nil }
        guard take(UInt8(ascii: ".")) else { return .integer(isNegative ? -value : value) }
        let start = position
        skip(Self.isDigit)
        return digits <= 12 && (1...3).contains(position - start) ? .other : nil
    }

    // MARK: Bytes

    private var peek: UInt8? { unsafe position < count ? bytes[position] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    private mutating func skip(_ isTaken: (UInt8) -> Bool) {
        while let byte = peek, isTaken(byte) { position += 1 }
    }

    private mutating func skipBlanks() { skip { $0 == UInt8(ascii: " ") || $0 == 9 } }

    private mutating func fail() -> Member? {
        hasFailed = true
        return nil
    }

    private static func isLower(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    private static func isLetter(_ byte: UInt8) -> Bool { isLower(byte | 0x20) }
    private static func isOne(of set: StaticString, _ byte: UInt8) -> Bool {
        set.withUTF8Buffer { unsafe $0.contains(byte) }
    }
}
