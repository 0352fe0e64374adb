/// The parameters of a query, as a form has them.
enum Query {
    /// Past so many, the rest is not looked at.
    private static let maxParameters = 64

    /// Of a name that comes more than once, the first.
    static func parse(_ query: String) -> [String: String] {
        var result: [String: String] = [:]
        for part in query.utf8.split(separator: UInt8(ascii: "&")).prefix(maxParameters) {
            let pieces = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let name = decode(pieces[0])
            if result[name] == nil { result[name] = pieces.count > 1 ? decode(pieces[1]) : "" }
        }
        return result
    }

    private static func decode(_ text: some Sequence<UInt8>) -> String {
        var bytes: [UInt8] = []
        var escape: [UInt8]?
        for byte in text {
            if var digits = escape {
                digits.append(byte)
                escape = digits.count == 2 ? nil : digits
                guard digits.count == 2 else { continue }
                if let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16) {
                    bytes.append(value)
                } else {
                    bytes += [UInt8(ascii: "%")] + digits
                }
            } else if byte == UInt8(ascii: "%") {
                escape = []
            } else {
                bytes.append(byte == UInt8(ascii: "+") ? 0x20 : byte)
            }
        }
        if let escape { bytes += [UInt8(ascii: "%")] + escape }
        return String(decoding: bytes, as: UTF8.self)
    }
}
