/// The line that divides parts (RFC 2046 section 5.1.1).
///
/// ```swift
/// let type = MediaType.mixed.with("boundary", MultipartBoundary.random())
/// ```
public enum MultipartBoundary {
    /// A boundary that no data holds but by a chance of 2^-128: 38 characters, tokens all, so that it needs no quotes.
    public static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        return random(using: &generator)
    }

    static func random(using generator: inout some RandomNumberGenerator) -> String {
        var text = Array("helio-".utf8)
        for _ in 0..<2 {
            var number: UInt64 = generator.next()
            for _ in 0..<16 {
                text.append(Hexadecimal.digit(UInt8(truncatingIfNeeded: number & 15)))
                number >>= 4
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// 1 to 70 characters of the set `bchars`, the last no blank.
    public static func isValid(_ boundary: String) -> Bool {
        (1...70).contains(boundary.utf8.count) && boundary.utf8.last != 0x20 && boundary.utf8.allSatisfy(isBoundaryByte)
    }

    private static func isBoundaryByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "'()+_,-./:=? ".utf8.contains(byte)
        }
    }

    /// What stands before each part but a first one that nothing precedes: CRLF, two dashes and the boundary.
    static func delimiter(_ boundary: String) -> [UInt8] { Array("\r\n--".utf8) + Array(boundary.utf8) }
}
