/// How the bytes of a part are written (Content-Transfer-Encoding, RFC 2045 section 6).
public enum TransferEncoding: String, Hashable, Sendable, CaseIterable, CustomStringConvertible {
    /// Lines of at most 998 ASCII bytes, without NUL, ended by CRLF.
    case sevenBit = "7bit"
    /// The same with bytes above 127.
    case eightBit = "8bit"
    /// Any bytes: what HTTP carries anyway, and what a part has that names no encoding.
    case binary = "binary"
    case base64 = "base64"
    case quotedPrintable = "quoted-printable"

    /// The encoding of that name, in any case; nil for one that is not known.
    public init?(_ name: String) {
        guard let known = Self.allCases.first(where: { $0.rawValue == name.lowercased() }) else { return nil }
        self = known
    }

    public var description: String { rawValue }

    /// Whether the bytes are others than those that they stand for.
    public var changesBytes: Bool { self == .base64 || self == .quotedPrintable }
}

/// What is wrong with encoded bytes. All of it is the fault of who sent them.
public enum TransferEncodingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A byte that the encoding does not have.
    case invalidByte(UInt8)
    /// CR or LF that is not part of CRLF, where lines are meant.
    case bareLineEnd
    /// A line of more than 998 bytes (RFC 2045 section 2.7).
    case lineTooLong
    /// `=` of quoted-printable with neither two hexadecimal digits nor the end of a line behind it.
    case invalidEscape
    /// Padding of base64 at a place where there is none, with bits that are lost, or with data behind it.
    case invalidPadding
    /// The data ends within a unit of its encoding.
    case truncated

    public var description: String {
        switch self {
        case .invalidByte(let byte): "byte \(byte) is not of the encoding"
        case .bareLineEnd: "a line does not end in CRLF"
        case .lineTooLong: "a line has more than \(TransferDecoder.longestLine) bytes"
        case .invalidEscape: "'=' begins no escape"
        case .invalidPadding: "the padding is wrong"
        case .truncated: "the encoded data ends too early"
        }
    }
}
