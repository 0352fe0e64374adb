/// Compresses and decompresses the messages of WebSockets. The library's own is zlib's; this module knows none.
public protocol WebSocketCompression: AnyObject {
    /// Compresses a message.
    ///
    /// - Parameter emit: gets the bytes without the last four, 00 00 ff ff (RFC 7692 section 7.2.1), in pieces that are
    ///   valid for the call.
    func compress(_ message: RawSpan, _ emit: (RawSpan) -> Void)

    /// Decompresses a message.
    ///
    /// - Parameters:
    ///   - message: the bytes as they came, without the last four (section 7.2.2).
    ///   - limit: the bytes that may come out.
    ///   - emit: gets them in pieces that are valid for the call.
    /// - Throws: `messageTooBig`, `badCompression`.
    func decompress(_ message: RawSpan, limit: Int, _ emit: (RawSpan) -> Void) throws(WebSocketFault)
}

/// What two ends have agreed on for permessage-deflate (RFC 7692 section 7.1), from the point of view of one.
public struct WebSocketCompressionParameters: Hashable, Sendable {
    /// What we send may refer to what we have sent before.
    public var keepsOutgoingContext = false
    /// What we receive may refer to what came before.
    public var keepsIncomingContext = false
    /// The logarithm of the window that we compress with, 9 to 15.
    public var outgoingWindowBits = 15
    /// The logarithm of the window that we need to decompress, 8 to 15.
    public var incomingWindowBits = 15
    /// Whether we compress at all: zlib has no window of 256 bytes, which a peer may ask for.
    public var isOutgoingCompressed = true
    /// How we compress.
    public var level = 6

    public init() {}
}
