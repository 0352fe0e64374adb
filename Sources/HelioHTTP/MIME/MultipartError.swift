/// Why a multipart body is refused.
public enum MultipartError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The request's content is not multipart.
    case notMultipart
    /// A multipart type without a boundary, or with one that is not 1 to 70 of the characters of RFC 2046 section 5.1.1.
    case invalidBoundary
    /// The boundary of a part within a part begins with that of a part around it, or the other way round.
    case ambiguousBoundary
    /// A line begins as a boundary and goes on as none.
    case malformedDelimiter
    /// A part's fields are no fields.
    case malformedHeaders
    /// This field of a part is not as it has to be.
    case field(String, FieldSyntaxError)
    /// A part of a form without a name (RFC 7578 section 4.2).
    case missingName
    /// An encoding that is not known, or one that changes the bytes of a part that has parts (RFC 2045 section 6.4).
    case unsupportedEncoding(String)
    /// A part's data is not as its encoding has it.
    case encoding(TransferEncodingError)
    /// A version of MIME other than 1.0.
    case unsupportedVersion
    /// The body ends before its closing boundary, or that of a part before its own.
    case truncated
    case tooManyParts(limit: Int)
    case tooDeep(limit: Int)
    case headersTooLarge(limit: Int)
    case tooManyHeaders(limit: Int)
    case partTooLarge(limit: Int)
    case tooLarge(limit: Int)
    case tooMuchIgnored(limit: Int)

    /// What the peer is told of it.
    public var status: Status {
        switch self {
        case .notMultipart, .unsupportedEncoding, .unsupportedVersion: .unsupportedMediaType
        case .tooManyParts, .tooDeep, .headersTooLarge, .tooManyHeaders, .partTooLarge, .tooLarge, .tooMuchIgnored:
            .contentTooLarge
        default: .badRequest
        }
    }

    /// The limit that was crossed.
    var limitName: LimitName? {
        switch self {
        case .tooManyParts: .multipartParts
        case .tooDeep: .multipartDepth
        case .headersTooLarge, .tooManyHeaders: .multipartHeaders
        case .partTooLarge, .tooLarge: .bodySize
        case .tooMuchIgnored: .multipartIgnored
        default: nil
        }
    }

    public var description: String {
        switch self {
        case .notMultipart: "the content is not multipart"
        case .invalidBoundary: "the multipart type has no valid boundary"
        case .ambiguousBoundary: "the boundaries of nested parts cannot be told apart"
        case .malformedDelimiter: "a boundary's line goes on as none"
        case .malformedHeaders: "the fields of a part are malformed"
        case .field(let name, let error): "the field '\(name)' of a part is malformed: \(error)"
        case .missingName: "a part of the form has no name"
        case .unsupportedEncoding: "the transfer encoding of a part is not supported"
        case .encoding(let error): "the data of a part is wrongly encoded: \(error)"
        case .unsupportedVersion: "the version of MIME is not 1.0"
        case .truncated: "the closing boundary is missing"
        case .tooManyParts(let limit): "more than \(limit) parts"
        case .tooDeep(let limit): "parts are nested more than \(limit) deep"
        case .headersTooLarge(let limit): "the fields of a part are over \(limit) bytes"
        case .tooManyHeaders(let limit): "a part has more than \(limit) fields"
        case .partTooLarge(let limit): "a part is over \(limit) bytes"
        case .tooLarge(let limit): "the content is over \(limit) bytes"
        case .tooMuchIgnored(let limit): "more than \(limit) bytes stand outside of the parts"
        }
    }
}
