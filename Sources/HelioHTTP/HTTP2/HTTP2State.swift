/// An HTTP/2 connection at one moment, for inspection.
public struct HTTP2ConnectionState: Hashable, Sendable {
    /// Streams that the peer has open.
    public let openStreams: Int
    /// Pushed streams that are promised or open.
    public let openPushes: Int
    /// What we may still send before the peer opens the connection's window, in bytes.
    public let sendWindow: Int
    /// What the peer may still send, in bytes.
    public let receiveWindow: Int
    /// The size of the window that we give the peer, in bytes.
    public let receiveWindowSize: Int
    /// Bytes of requests that handlers have not taken.
    public let heldBytes: Int
    /// Bytes of responses that the peer has not taken; those of responses given whole do not count.
    public let queuedBytes: Int
    /// Frames that wait to be sent, beside DATA.
    public let queuedFrames: Int
    /// The last stream of the peer's that a handler was given.
    public let lastStream: Int32
    /// The stream of the next push.
    public let nextPushedStream: Int32
    /// Bytes of the HPACK tables: the one that we decompress by and the one that we compress by.
    public let decoderTableSize: Int
    public let encoderTableSize: Int
    /// PING frames that the peer has not answered.
    public let unansweredPings: Int
    /// SETTINGS frames that the peer has not acknowledged.
    public let unacknowledgedSettings: Int
    /// A GOAWAY that admits no further stream has been sent, or is about to be.
    public let isLeaving: Bool
}

/// A stream of an HTTP/2 connection at one moment, for inspection.
public struct HTTP2StreamState: Hashable, Sendable {
    /// RFC 9113 section 5.1.
    public enum Phase: Hashable, Sendable { case idle, open, reserved, halfClosedRemote, halfClosedLocal, closed }

    public let phase: Phase
    /// What we may still send before the peer opens the stream's window, in bytes; the connection's counts too.
    public let sendWindow: Int
    /// What the peer may still send, in bytes.
    public let receiveWindow: Int
    /// Bytes of the response that wait for the peer.
    public let queuedBytes: Int
    public let priority: Priority
}
