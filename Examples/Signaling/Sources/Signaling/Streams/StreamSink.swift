import SignalingCore

/// The way down of a duplex stream, and its brake, for the node.
protocol StreamSink: AnyObject {
    /// The version of HTTP that carries it.
    var version: String { get }
    var queuedBytes: Int { get }
    /// Names its connection in the log; nil when none carries it alone.
    var connection: String? { get }

    /// One message by WebSocket, lines otherwise; false when nothing more shall be written until it has drained.
    func write(_ bytes: [UInt8]) -> Bool
    func end(_ reason: StreamEnd)
    /// What became of a message that was given to the node with a tag.
    func acknowledge(_ tag: UInt64, _ result: [UInt8])
    /// Takes no more messages from the client.
    func pause()
    func resume()
}

extension StreamSink {
    var connection: String? { nil }

    func acknowledge(_ tag: UInt64, _ result: [UInt8]) {}
}
