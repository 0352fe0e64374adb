internal import HelioHTTP
internal import HelioTLS

/// What all connections of one loop share: buffers, the codec's and TLS' resources, budgets and counters.
///
/// Buffers belong to the loop and not to the connection: what a connection reads or seals is done with before the next
/// one has its turn. Belongs to one thread.
@safe public final class LoopResources {
    let limits: Limits
    let http: HTTPResources
    let http2: HTTP2Resources
    let tls = TLSRecordIO()
    /// What their WebSockets share; nil where there is no loop.
    var webSockets: WebSocketResources?
    var counters = ConnectionCounters()

    /// Where a socket is read into. A full read means that there may be more.
    let received: UnsafeMutableRawBufferPointer
    /// Where codecs write what is to be sealed.
    let plaintext: UnsafeMutableRawBufferPointer
    /// What is given to the socket.
    let outgoing: UnsafeMutableRawBufferPointer

    /// A flush takes this much from a connection's codec; the rest has its turn in the next iteration.
    static let flushSize = 256 * 1024
    private static let receiveSize = 64 * 1024
    /// Room for what sealing adds, and for a handshake's last flight in front.
    private static let sealingOverhead = 64 * 1024

    /// - Parameter limits: the bounds of the loop's connections.
    public init(limits: Limits) {
        self.limits = limits
        http = HTTPResources(limits: limits)
        http2 = HTTP2Resources(http)
        unsafe received = .allocate(byteCount: Self.receiveSize, alignment: 4096)
        unsafe plaintext = .allocate(byteCount: Self.flushSize, alignment: 4096)
        unsafe outgoing = .allocate(byteCount: Self.flushSize + Self.sealingOverhead, alignment: 4096)
    }

    deinit {
        unsafe received.deallocate()
        unsafe plaintext.deallocate()
        unsafe outgoing.deallocate()
    }

    func trip(_ limit: LimitName) { counters.limitsTripped[limit, default: 0] += 1 }
}

/// What the connections of a loop count. Numbers only grow, but for the gauge.
public struct ConnectionCounters: Sendable, Hashable {
    /// Connections accepted.
    public internal(set) var accepted = 0
    /// Connections open now (a gauge).
    public internal(set) var open = 0
    /// TLS handshakes completed; those by a session ticket are counted in `resumptions` too.
    public internal(set) var handshakes = 0
    public internal(set) var resumptions = 0
    /// Connections that ended before their handshake did, by a fault of the peer.
    public internal(set) var handshakeFailures = 0
    /// Connections closed because they came from elsewhere than the trusted proxies, or began with no proxy's header that is
    /// right, where ``ServerConfiguration/Endpoint/proxyProtocol`` requires one.
    public internal(set) var proxyRefusals = 0
    /// Bytes read from and given to sockets.
    public internal(set) var bytesReceived = 0
    public internal(set) var bytesSent = 0
    /// Limits crossed that are the connection's own, by name; those of HTTP are ``HTTPCounters``'.
    public internal(set) var limitsTripped: [LimitName: Int] = [:]
}
