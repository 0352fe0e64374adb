/// What languages a user reads, and how gladly (RFC 9110 section 12.5.4).
///
/// ```swift
/// let accept = try AcceptLanguage(parsing: "da, en-gb;q=0.8, en;q=0.7")
/// let language = accept.best(of: ["en", "de"]) ?? "en"
/// ```
public struct AcceptLanguage: Hashable, Sendable {
    /// Language ranges in the order in which they came, in lower case, or `*`.
    public let ranges: [Weighted<String>]

    /// - Throws: for anything that is not a list of weighted language ranges, and for more than 64 of them.
    public init(parsing text: String) throws(FieldSyntaxError) {
        ranges = try FieldScanner.scan(text) { (scanner: inout FieldScanner) throws(FieldSyntaxError) in
            var ranges: [Weighted<String>] = []
            try scanner.list { scanner throws(FieldSyntaxError) in
                let range = try scanner.token("a language range")
                guard Self.isRange(scanner.text(range)) else {
                    throw .expected("a language range", at: range.lowerBound)
                }
                ranges.append(Weighted(scanner.lowercased(range), weight: try scanner.weight()))
            }
            return ranges
        }
    }

    /// What a request's fields say; nil when they say nothing, or nothing that can be read.
    public init?(_ headers: HeaderBlock) {
        guard let text = headers.list("accept-language"), let accept = try? AcceptLanguage(parsing: text) else {
            return nil
        }
        self = accept
    }

    /// How gladly a language is read, in thousandths; 0: not at all. The longest range that it begins with decides (basic
    /// filtering, RFC 4647 section 3.3.1), then `*`.
    public func weight(of language: String) -> Int {
        let tag = language.lowercased()
        var longest = -1
        var weight = 0
        for range in ranges {
            let length: Int
            if range.value == "*" {
                length = 0
            } else if tag == range.value || tag.hasPrefix(range.value + "-") {
                length = range.value.utf8.count
            } else {
                continue
            }
            guard length > longest else { continue }
            longest = length
            weight = range.weight
        }
        return weight
    }

    /// The offer that is read most gladly, of several the first; nil when there is none that the user reads.
    ///
    /// An offer of a language at large also serves who asks for one of its regions: `en` for `en-gb`, a little less gladly
    /// (lookup, RFC 4647 section 3.4).
    public func best(of offers: [String]) -> String? {
        if ranges.isEmpty { return offers.first }
        if let found = offers.best({ weight(of: $0) }) { return found }
        return offers.best { offer in
            let tag = offer.lowercased() + "-"
            return ranges.filter { $0.value.hasPrefix(tag) }.map(\.weight).max() ?? 0
        }
    }

    private static func isRange(_ text: String) -> Bool {
        if text == "*" { return true }
        return text.split(separator: "-", omittingEmptySubsequences: false).enumerated().allSatisfy { index, part in
            (1...8).contains(part.utf8.count)
                && part.utf8.allSatisfy { byte in
                    let lower = FieldScanner.lowercased(byte)
                    return UInt8(ascii: "a")...UInt8(ascii: "z") ~= lower
                        || index > 0 && UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
                }
        }
    }
}
