/// What is wrong with compressed bytes. All of it is the fault of who sent them.
///
/// ```swift
/// func status(_ error: InflateError) -> Status {
///     if case .outputLimit = error { .contentTooLarge } else { .badRequest }
/// }
/// ```
public enum InflateError: Error, Hashable, Sendable, CustomStringConvertible {
    /// They stand for more than the inflater's limit, in bytes.
    case outputLimit(Int)
    /// They are not of the format, ask for a dictionary or a larger window, or do not match their checksum.
    case corrupt
    /// They end before the stream does.
    case truncated
    /// The stream has ended, and more follows.
    case trailingData

    public var description: String {
        switch self {
        case .outputLimit(let limit): "the compressed data stands for more than \(limit) bytes"
        case .corrupt: "the compressed data is corrupt"
        case .truncated: "the compressed data ends too early"
        case .trailingData: "bytes follow the end of the compressed data"
        }
    }
}
