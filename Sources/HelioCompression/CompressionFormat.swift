/// How compressed bytes are framed.
///
/// ```swift
/// let deflater = Deflater(format: .gzip)
/// ```
public enum CompressionFormat: Hashable, Sendable {
    /// RFC 1952: a header, the data, a CRC-32. The content coding `gzip`.
    case gzip
    /// RFC 1950, zlib's own: two bytes of header, the data, an Adler-32. The content coding `deflate`.
    case deflate
    /// RFC 1951: the data alone. What permessage-deflate (RFC 7692) carries.
    case raw

    /// The logarithm of the window's size as zlib takes it, with the format in it.
    func encoded(windowBits: Int) -> Int32 {
        switch self {
        case .gzip: Int32(windowBits + 16)
        case .deflate: Int32(windowBits)
        case .raw: Int32(-windowBits)
        }
    }
}
