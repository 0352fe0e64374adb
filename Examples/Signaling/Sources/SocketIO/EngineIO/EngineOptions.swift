/// How Engine.IO behaves, and its bounds.
struct EngineOptions: Sendable {
    var pingInterval: UInt64
    var pingTimeout: UInt64
    var upgradeTimeout: UInt64
    var closeTimeout: UInt64
    var maxPayload: Int
    var maxPacketsPerPayload: Int
    var maxPacketsPerResponse: Int
    var maxBufferedBytes: Int
    var allowsUpgrades: Bool

    init(_ options: SocketOptions) {
        pingInterval = options.pingInterval.wholeNanoseconds
        pingTimeout = options.pingTimeout.wholeNanoseconds
        upgradeTimeout = options.upgradeTimeout.wholeNanoseconds
        closeTimeout = options.closeTimeout.wholeNanoseconds
        maxPayload = options.maxPayload
        maxPacketsPerPayload = options.maxPacketsPerPayload
        maxPacketsPerResponse = max(options.maxPacketsPerResponse, 1)
        maxBufferedBytes = options.maxBufferedBytes
        allowsUpgrades = options.transports.contains(.webSocket)
    }
}

extension Duration {
    /// None for a negative one; bounded, so that a sum with a time cannot overflow.
    var wholeNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return UInt64(min(seconds, 1 << 32)) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }
}
