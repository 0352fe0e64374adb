/// What is wrong with the text of a structured field: a media type, a disposition, a weighted list. Positions are bytes
/// from the start of the text.
public enum FieldSyntaxError: Error, Hashable, Sendable, CustomStringConvertible {
    /// This was needed at that position, and something else stands there.
    case expected(String, at: Int)
    /// A quoted string that begins there has no end.
    case unterminatedString(at: Int)
    /// A byte stands there that no such field holds: a control character.
    case forbiddenByte(at: Int)
    /// The same parameter comes twice.
    case duplicateParameter(String)
    /// An extended parameter (RFC 8187) that cannot be decoded.
    case invalidExtendedValue(String)
    /// More parameters or elements than are read.
    case tooMany(limit: Int)

    public var description: String {
        switch self {
        case .expected(let what, let position): "\(what) is missing at byte \(position)"
        case .unterminatedString(let position): "the quoted string at byte \(position) has no end"
        case .forbiddenByte(let position): "byte \(position) is a control character"
        case .duplicateParameter(let name): "the parameter '\(name)' comes twice"
        case .invalidExtendedValue(let name): "the extended parameter '\(name)' cannot be decoded (RFC 8187)"
        case .tooMany(let limit): "more than \(limit) elements"
        }
    }
}
