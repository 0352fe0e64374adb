import Heliograph

/// The bounds of the runtime's ``Limits``. A server takes them when it starts.
extension Setting {
    static let http: [Setting] = httpTimes + httpSizes + httpRates

    private static func http<Value>(
        _ name: String, _ path: any WritableKeyPath<ServiceConfiguration, Value> & Sendable,
        _ format: SettingFormat<Value>, _ help: String
    ) -> Setting {
        Setting("http-" + name, path, format, help, .atStart, audience: .tuning)
    }

    private static let timeout = SettingFormat<Duration>.time(.milliseconds(100)...day)

    private static let httpTimes: [Setting] = [
        http("proxy-header-timeout", \.http.proxyHeaderTimeout, timeout, "For the header of the PROXY protocol."),
        http("handshake-timeout", \.http.handshakeTimeout, timeout, "For the TLS handshake."),
        http("preface-timeout", \.http.prefaceTimeout, timeout, "For the first bytes behind the handshake."),
        http("header-timeout", \.http.headerTimeout, timeout, "For the head of one request."),
        http("body-timeout", \.http.bodyTimeout, timeout, "Without a byte of a request's body."),
        http("send-timeout", \.http.sendTimeout, timeout, "With a response waiting of which the client takes nothing."),
        http("idle-timeout", \.http.idleTimeout, timeout, "For a connection without a request."),
    ]

    private static let httpSizes: [Setting] = [
        http("connections", \.http.maxConnectionsPerLoop, .integer(1...10_000_000), "Connections of one event loop."),
        http("streams", \.http.maxConcurrentStreams, .integer(1...10_000), "Requests at once on one connection."),
        http("header-size", \.http.maxHeaderListSize, .size(1024...1 << 20), "The fields of a request."),
        http("header-count", \.http.maxHeaderCount, .integer(16...10_000), "The number of a request's fields."),
        http("target-length", \.http.maxTargetLength, .size(256...64 << 10), "The target of a request."),
        http("stream-window", \.http.streamWindow, .size(65_535...(1 << 30)), "The flow-control window of a stream."),
        http(
            "connection-window", \.http.connectionWindow, .size(65_535...(1 << 30)),
            "The flow-control window of a connection."),
        http(
            "high-water-mark", \.http.responseHighWaterMark, .size(1024...64 << 20),
            "The queue of a response past which its events wait in the session."),
        http(
            "queued-output", \.http.maxQueuedOutput, .size(64 << 10...1 << 30),
            "Bytes that a client has not taken, over the streams of its connection."),
        http(
            "queued-frames", \.http.maxQueuedFrames, .integer(16...1_000_000),
            "Frames that wait for a client that does not read."),
        http(
            "handshakes-at-once", \.http.maxHandshakesPerIteration, .integer(1...10_000),
            "TLS handshakes that a loop carries on in one iteration."),
    ]

    private static let httpRates: [Setting] = [
        http("frame-rate", \.http.frameRate.perSecond, rate, "\(frames), per second and connection."),
        http("frame-burst", \.http.frameRate.burst, rate, "\(frames), at once."),
        http("control-frame-rate", \.http.controlFrameRate.perSecond, rate, "\(controls), per second and connection."),
        http("control-frame-burst", \.http.controlFrameRate.burst, rate, "\(controls), at once."),
        http("reset-rate", \.http.peerResetRate.perSecond, rate, "\(resets), per second and connection."),
        http("reset-burst", \.http.peerResetRate.burst, rate, "\(resets), at once."),
        http("induced-reset-rate", \.http.inducedResetRate.perSecond, rate, "\(induced), per second and connection."),
        http("induced-reset-burst", \.http.inducedResetRate.burst, rate, "\(induced), at once."),
    ]

    private static let rate = SettingFormat<Int>.integer(1...10_000_000)
    private static let frames = "Frames that carry neither a request nor content"
    private static let controls = "Pings, settings, priorities, empty and unknown frames"
    private static let resets = "Streams that a client resets"
    private static let induced = "Streams that are reset for a client's fault"
}
