/// The parts of a representation that a request's `range` asks for (RFC 9110 section 14).
///
/// ```swift
/// let ranges = ByteRanges.select("bytes=0-99,200-", of: 1000, atMost: 16)
/// print(ranges)  // parts([0..<100, 200..<1000])
/// ```
public enum ByteRanges: Hashable, Sendable {
    /// All of it: the field is in another unit, or malformed, which is as if it were not there.
    case whole
    /// More ranges than are answered: all of it, too.
    case tooMany
    /// Nothing that was asked for is there: 416.
    case unsatisfiable
    /// At least one, none empty, and none that touches another.
    case parts([Range<Int>])

    /// Parts that lie closer than this are sent as one: what stands between two parts of a multipart is about as long.
    static let coalescedGap = 80

    /// Selects from a representation of `length` bytes.
    ///
    /// - Parameters:
    ///   - field: the value of `range`.
    ///   - limit: so many ranges may be asked for.
    public static func select(_ field: String, of length: Int, atMost limit: Int) -> ByteRanges {
        guard let bytes = parse(field) else { return .whole }
        guard bytes.count <= limit else { return .tooMany }
        var parts: [Range<Int>] = []
        for asked in bytes {
            // The empty representation has no part that a content-range could name, but is the end of itself.
            if length == 0, asked.first == nil, asked.last > 0 { return .whole }
            guard let part = asked.resolve(length) else { continue }
            add(part, to: &parts)
        }
        return parts.isEmpty ? .unsatisfiable : .parts(parts)
    }

    /// One range as it was asked for: `first-last`, `first-`, or with no first `-last`, the last so many bytes.
    private struct Asked {
        var first: Int?
        var last: Int

        func resolve(_ length: Int) -> Range<Int>? {
            guard let first else {
                let count = min(last, length)
                return count > 0 ? length - count..<length : nil
            }
            guard first < length else { return nil }
            return first..<min(last, length - 1) + 1
        }
    }

    private static func add(_ part: Range<Int>, to parts: inout [Range<Int>]) {
        var union = part
        var place = parts.count
        // What grows may reach another one: until nothing more is absorbed.
        while let index = parts.firstIndex(where: { isClose($0, union) }) {
            union = min(union.lowerBound, parts[index].lowerBound)..<max(union.upperBound, parts[index].upperBound)
            parts.remove(at: index)
            place = min(place, index)
        }
        parts.insert(union, at: min(place, parts.count))
    }

    private static func isClose(_ one: Range<Int>, _ other: Range<Int>) -> Bool {
        one.lowerBound <= other.upperBound + coalescedGap && other.lowerBound <= one.upperBound + coalescedGap
    }

    private static func parse(_ field: String) -> [Asked]? {
        let unit = field.utf8.prefix(6)
        guard unit.count == 6, unit.elementsEqual("bytes=".utf8, by: { $0 | 0x20 == $1 | 0x20 }) else { return nil }
        var asked: [Asked] = []
        for element in field.utf8.dropFirst(6).split(separator: UInt8(ascii: ",")) {
            let text = trimmed(element)
            if text.isEmpty { continue }
            guard let dash = text.firstIndex(of: UInt8(ascii: "-")) else { return nil }
            let (left, right) = (text[..<dash], text[text.index(after: dash)...])
            guard let first = number(left), let last = number(right), first != nil || last != nil else { return nil }
            if let first, let last, last < first { return nil }
            asked.append(Asked(first: first, last: last ?? Int.max - 1))
        }
        return asked.isEmpty ? nil : asked
    }

    private static func trimmed(_ text: Substring.UTF8View) -> Substring.UTF8View {
        var text = text.drop { $0 == 0x20 || $0 == 0x09 }
        while let last = text.last, last == 0x20 || last == 0x09 { text.removeLast() }
        return text
    }

    /// A number, which may be larger than any file; `.some(nil)` for none, and nil for what is no number.
    private static func number(_ digits: Substring.UTF8View) -> Int?? {
        if digits.isEmpty { return .some(nil) }
        var value = 0
        for byte in digits {
            let digit = byte &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            value = overflow ? Int.max - 1 : product > Int.max - 10 ? Int.max - 1 : product + Int(digit)
        }
        return .some(value)
    }
}
