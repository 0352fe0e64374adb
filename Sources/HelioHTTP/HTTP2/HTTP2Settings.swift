/// What one side of an HTTP/2 connection has told the other (RFC 9113 section 6.5.2).
public struct HTTP2Settings: Hashable, Sendable {
    /// Bytes of the table by which the side that says so decompresses header fields.
    public let headerTableSize: Int
    /// Whether it takes pushed responses; of meaning for a client alone.
    public let allowsPush: Bool
    /// Streams that the other side may have open; `UInt32.max` is no bound.
    public let maxConcurrentStreams: Int
    /// The window that a stream begins with, in bytes.
    public let initialWindowSize: Int
    /// The largest payload of a frame that it takes, in bytes.
    public let maxFrameSize: Int
    /// The largest header list that it takes (advisory), in bytes; `UInt32.max` is no bound.
    public let maxHeaderListSize: Int
    /// Whether it takes extended CONNECT (RFC 8441); of meaning for a server alone.
    public let allowsConnectProtocol: Bool

    /// Settings of the server's to be changed on a connection that is open: what is nil stays.
    ///
    /// What `Limits` bounds is not raised above it: `maxConcurrentStreams`, `maxHeaderListSize` and `headerTableSize`.
    ///
    /// ```swift
    /// var changes = HTTP2Settings.Changes()
    /// changes.maxConcurrentStreams = 10
    /// exchange.http2?.updateSettings(changes)
    /// ```
    public struct Changes: Hashable, Sendable {
        /// 0 to `Limits.headerTableSize`.
        public var headerTableSize: Int?
        /// 0 (no new streams for now) to `Limits.maxConcurrentStreams`.
        public var maxConcurrentStreams: Int?
        /// For streams that are open too. 0 to 2^31-1.
        public var initialWindowSize: Int?
        /// 16,384 to 2^24-1.
        public var maxFrameSize: Int?
        /// 0 to `Limits.maxHeaderListSize`.
        public var maxHeaderListSize: Int?

        public init() {}
    }
}
