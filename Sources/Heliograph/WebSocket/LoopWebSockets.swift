internal import HelioHTTP
internal import HelioReactor

/// Gives the WebSockets of one loop their time, one timer for all, and what compresses their messages.
final class LoopWebSockets: WebSocketHost {
    private let loop: EventLoop
    private weak var resources: WebSocketResources?
    private var timer: LoopTimer?
    /// One for all WebSockets that keep no context, made when the first is opened that compresses so.
    private var shared: [SharedKey: ZlibWebSocketCompression] = [:]

    private struct SharedKey: Hashable {
        let level: Int
        let windowBits: Int
    }

    private init(_ loop: EventLoop) { self.loop = loop }

    /// What the WebSockets of a loop share, with a host of this kind.
    static func resources(on loop: EventLoop) -> WebSocketResources {
        let host = LoopWebSockets(loop)
        let resources = WebSocketResources(host: host)
        host.resources = resources
        return resources
    }

    var now: UInt64 { loop.now }

    func wakeWebSockets(at deadline: UInt64?) {
        guard let deadline else {
            timer?.cancel()
            return
        }
        let timer =
            timer
            ?? LoopTimer(on: loop) { [weak resources, loop] in
                resources?.expire(now: loop.now)
            }
        self.timer = timer
        timer.schedule(at: deadline)
    }

    func webSocketCompression(_ parameters: WebSocketCompressionParameters) -> (any WebSocketCompression)? {
        guard !parameters.keepsIncomingContext, !parameters.keepsOutgoingContext else {
            return ZlibWebSocketCompression(parameters)
        }
        let key = SharedKey(level: parameters.level, windowBits: parameters.outgoingWindowBits)
        if let made = shared[key] { return made }
        var parameters = parameters
        // Whatever the others' windows are.
        parameters.incomingWindowBits = 15
        let made = ZlibWebSocketCompression(parameters)
        shared[key] = made
        return made
    }
}
