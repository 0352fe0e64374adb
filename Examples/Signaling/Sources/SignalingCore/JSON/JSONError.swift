/// Why a text is not JSON that the service takes, and where.
package struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Reason: String, Sendable {
        case truncated = "the text ends too early"
        case unexpected = "unexpected byte"
        case trailing = "something follows the value"
        case control = "control character in a string"
        case escape = "bad escape sequence"
        case encoding = "not UTF-8"
        case number = "bad number"
        case depth = "nested too deeply"
        case members = "too many fields"
        case duplicate = "the same field twice"
    }

    package let reason: Reason
    /// In bytes from the start of the text.
    package let offset: Int

    package var description: String { "\(reason.rawValue) at byte \(offset)" }
}
