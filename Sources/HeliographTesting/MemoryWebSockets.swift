public import Heliograph

/// Hosts WebSockets in memory, on a manual clock: call ``HelioHTTP/WebSocketResources/expire(now:)`` when it has moved.
///
/// ```swift
/// let clock = ManualClock()
/// let resources = MemoryWebSockets.resources(on: clock)
/// ```
public final class MemoryWebSockets: WebSocketHost {
    private let clock: ManualClock

    private init(_ clock: ManualClock) { self.clock = clock }

    /// What WebSockets share, hosted so.
    public static func resources(on clock: ManualClock) -> WebSocketResources {
        WebSocketResources(host: MemoryWebSockets(clock))
    }

    public var now: UInt64 { clock.now }
    public func wakeWebSockets(at deadline: UInt64?) {}
    public func webSocketCompression(
        _ parameters: WebSocketCompressionParameters
    ) -> (any WebSocketCompression)? {
        ZlibWebSocketCompression(parameters)
    }
}
