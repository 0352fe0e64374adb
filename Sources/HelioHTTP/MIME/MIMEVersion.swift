/// The version of MIME that a message says it is made by (RFC 2045 section 4). HTTP does not need it (RFC 9110 section 8.4
/// does without); what was made for mail may carry it, and a multipart response may say it.
///
/// ```swift
/// exchange.addHeader(MIMEVersion.fieldName, MIMEVersion.current.description)
/// ```
public struct MIMEVersion: Hashable, Sendable, CustomStringConvertible {
    public let major: Int
    public let minor: Int

    public static let fieldName = "mime-version"
    /// 1.0: there is no other.
    public static let current = MIMEVersion(major: 1, minor: 0)

    init(major: Int, minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// The version that a field's value holds; comments in parentheses are allowed anywhere between its parts.
    public init(parsing text: String) throws(FieldSyntaxError) {
        var rest: [UInt8] = []
        var depth = 0
        for (index, byte) in text.utf8.enumerated() {
            switch byte {
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")"):
                guard depth > 0 else { throw .expected("a version", at: index) }
                depth -= 1
            case _ where depth > 0, 0x20, 0x09: break
            default: rest.append(byte)
            }
        }
        let parts = rest.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard depth == 0, parts.count == 2, let major = Self.number(parts[0]), let minor = Self.number(parts[1]) else {
            throw .expected("a version", at: 0)
        }
        self.init(major: major, minor: minor)
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        guard (1...4).contains(digits.count), digits.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else {
            return nil
        }
        return digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    public var description: String { "\(major).\(minor)" }
}
