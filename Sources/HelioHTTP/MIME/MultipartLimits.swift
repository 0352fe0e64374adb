/// Every bound on a multipart body that a peer can reach. Past one the request is answered with 413.
///
/// ```swift
/// var limits = MultipartLimits()
/// limits.maxPartSize = 4 << 30
/// limits.maxTotalSize = 16 << 30
/// ```
public struct MultipartLimits: Sendable, Hashable {
    /// Parts, at all depths together.
    public var maxParts = 1000
    /// How deep parts nest: 1 for none within another.
    public var maxDepth = 4
    /// The fields of one part. In bytes.
    public var maxHeaderSize = 8 * 1024
    /// The fields of one part.
    public var maxHeaderCount = 32
    /// One part, as it is sent. In bytes.
    public var maxPartSize = 64 << 20
    /// The whole body. In bytes.
    public var maxTotalSize = 256 << 20
    /// What stands before the first part, behind the last, and behind boundaries, all together. In bytes.
    public var maxIgnoredSize = 16 * 1024

    public init() {}
}
