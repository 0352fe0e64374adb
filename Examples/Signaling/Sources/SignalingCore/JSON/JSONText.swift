extension JSONScanner {
    /// Whether two strings of the text are the same once decoded.
    func isSame(_ one: Text, _ other: Text) -> Bool {
        if !one.hasEscapes, !other.hasEscapes {
            return one.range.count == other.range.count && bytes[one.range].elementsEqual(bytes[other.range])
        }
        return decoded(one).utf8 == decoded(other).utf8
    }

    /// The name of a field, decoded, to compare with those that the service knows.
    func name(_ text: Text) -> String {
        text.hasEscapes
            ? String(decoding: decoded(text).utf8, as: UTF8.self) : String(decoding: bytes[text.range], as: UTF8.self)
    }

    /// What a string stands for, in UTF-8.
    ///
    /// - Returns: `isUnicode` false when the string holds half of a surrogate pair, which JSON allows and UTF-8 does not;
    ///   then it stands in `utf8` as three bytes of its own.
    func decoded(_ text: Text) -> (utf8: [UInt8], isUnicode: Bool) {
        guard text.hasEscapes else { return (Array(bytes[text.range]), true) }
        var result: [UInt8] = []
        result.reserveCapacity(text.range.count)
        var isUnicode = true
        var index = text.range.lowerBound
        while index < text.range.upperBound {
            guard bytes[index] == UInt8(ascii: "\\") else {
                result.append(bytes[index])
                index += 1
                continue
            }
            guard bytes[index + 1] == UInt8(ascii: "u") else {
                result.append(Self.unescaped(bytes[index + 1]))
                index += 2
                continue
            }
            var scalar = unit(at: index)
            index += 6
            if (0xD800...0xDBFF).contains(scalar), index + 6 <= text.range.upperBound,
                bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u"),
                (0xDC00...0xDFFF).contains(unit(at: index))
            {
                scalar = 0x10000 + (scalar - 0xD800) << 10 + (unit(at: index) - 0xDC00)
                index += 6
            }
            if (0xD800...0xDFFF).contains(scalar) { isUnicode = false }
            Self.append(scalar, to: &result)
        }
        return (result, isUnicode)
    }

    /// Lines of a string whose line ends are written `\\r` and `\\n`: of those that begin with `prefix`, where the rest lies. It is
    /// not decoded, which an SDP of some kilobytes would take long for.
    ///
    /// - Returns: nil when the string has other escapes, which may stand for anything.
    func escapedLines(_ text: Range<Int>, startingWith prefix: [UInt8]) -> [Range<Int>]? {
        var lines: [Range<Int>] = []
        var start = text.lowerBound
        var index = start
        func take() {
            guard index - start >= prefix.count, bytes[start] == prefix[0],
                bytes[start..<index].starts(with: prefix)
            else { return }
            lines.append(start + prefix.count..<index)
        }
        while true {
            index = min(bytes.firstBackslash(from: index), text.upperBound)
            guard index < text.upperBound else { break }
            let letter = bytes[index + 1]
            guard letter == UInt8(ascii: "r") || letter == UInt8(ascii: "n") else { return nil }
            take()
            index += 2
            start = index
        }
        take()
        return lines
    }

    /// The value of `\uXXXX` at `index`, whose digits the scanner has checked.
    private func unit(at index: Int) -> UInt32 {
        bytes[index + 2..<index + 6].reduce(0) { $0 << 4 | UInt32(hexadecimal($1) ?? 0) }
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

    private static func append(_ scalar: UInt32, to result: inout [UInt8]) {
        func continuation(_ shift: UInt32) -> UInt8 { UInt8(0x80 | scalar >> shift & 0x3F) }
        switch scalar {
        case ..<0x80: result.append(UInt8(scalar))
        case ..<0x800: result += [UInt8(0xC0 | scalar >> 6), continuation(0)]
        case ..<0x10000: result += [UInt8(0xE0 | scalar >> 12), continuation(6), continuation(0)]
        default: result += [UInt8(0xF0 | scalar >> 18), continuation(12), continuation(6), continuation(0)]
        }
    }
}

/// The value of a hexadecimal digit.
func hexadecimal(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
}
