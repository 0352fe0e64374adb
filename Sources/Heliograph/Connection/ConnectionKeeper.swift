internal import HelioReactor

/// Who keeps connections: a server's part on a loop, or a client's. Loop thread.
protocol ConnectionKeeper: AnyObject {
    var loop: EventLoop { get }
    var resources: LoopResources { get }
    /// What it holds and has counted.
    var snapshot: LoopSnapshot { get }
    /// Whether a step of a handshake may be done in this iteration.
    ///
    /// - Parameter inTurn: it was refused before.
    func admitsHandshake(inTurn: Bool) -> Bool
    /// Whether a connection may be closed in this iteration.
    func admitsClose() -> Bool
    /// The connection ends as what came first on it is no header of a proxy's that is right.
    func proxyRefused(_ reason: String)
    /// The connection has ended: it is not called any more.
    func closed(_ connection: Connection)
}

extension ConnectionKeeper {
    func proxyRefused(_ reason: String) {}
}

/// How much of what is bounded per iteration of a loop this one has had.
struct IterationBudget {
    private let handshakesPerIteration: Int
    private var iteration: UInt64 = 0
    private var handshakes = 0
    private var closes = 0
    /// The iteration that last put a handshake off; 0: none has.
    private var lastRefusal: UInt64 = 0

    /// Connections that are closed in one iteration; closing one costs about as much as a few requests.
    private static let closesPerIteration = 64

    init(handshakes: Int) { handshakesPerIteration = max(1, handshakes) }

    /// - Parameters:
    ///   - current: the number of the loop's iteration.
    ///   - inTurn: it was refused before. Those go first: readiness is told before turns are given, so a storm of
    ///     comers would else keep them waiting until they time out.
    mutating func admitsHandshake(in current: UInt64, inTurn: Bool) -> Bool {
        begin(current)
        let othersWait = lastRefusal != 0 && lastRefusal &+ 1 >= current
        guard inTurn || !othersWait, handshakes < handshakesPerIteration else {
            lastRefusal = current
            return false
        }
        handshakes += 1
        return true
    }

    mutating func admitsClose(in current: UInt64) -> Bool {
        begin(current)
        guard closes < Self.closesPerIteration else { return false }
        closes += 1
        return true
    }

    private mutating func begin(_ current: UInt64) {
        guard iteration != current else { return }
        iteration = current
        handshakes = 0
        closes = 0
    }
}
