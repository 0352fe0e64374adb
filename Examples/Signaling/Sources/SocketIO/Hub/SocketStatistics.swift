/// What a hub counts.
public struct SocketStatistics: Sendable {
    /// Sessions of Engine.IO that live on this loop.
    public var sessions = 0
    /// Sockets that are connected.
    public var sockets = 0
    public var packetsIn = 0
    public var packetsOut = 0
    public var recoveries = 0
    /// How often a bound was reached.
    public var limits: [SocketLimit: Int] = [:]
}
