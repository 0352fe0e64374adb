import HelioHTTP
import HeliographTesting
import Testing

/// A peer that sends frames byte by byte as the test wants them, and keeps the frames that it gets.
final class RawPeer {
    let server: MemorySession
    private(set) var frames: [RawFrame] = []

    /// - Parameter acknowledges: whether the server's SETTINGS are acknowledged.
    init(
        handler: any Handler = hello(), limits: Limits = Limits(), acknowledges: Bool = true,
        settings: [(id: UInt16, value: UInt32)] = []
    ) {
        server = MemorySession(handler: handler, limits: limits)
        send(FrameBuilder.preface + FrameBuilder.settings(settings))
        if acknowledges { send(FrameBuilder.frame(.settings, flags: FrameBuilder.ack)) }
    }

    /// Gives bytes to the server and takes what it answers.
    func send(_ bytes: [UInt8]) {
        server.receive(bytes)
        read()
    }

    /// Gives bytes to the server and reads nothing, as a peer that does not drain its socket.
    func sendWithoutReading(_ bytes: [UInt8]) { server.receive(bytes) }

    func read() { frames += RawFrame.parse(server.output()) }

    /// Takes what one drain gives, as a socket does that has room for no more.
    func readOnce() { frames += RawFrame.parse(server.drain()) }

    func advance(by duration: Duration) {
        server.advance(by: duration)
        read()
    }

    /// Opens a stream with a body to follow.
    func post(_ stream: UInt32, _ fields: [(String, String)] = []) {
        send(FrameBuilder.request(stream: stream, method: "POST", fields, endsStream: false))
    }

    func get(_ stream: UInt32, _ fields: [(String, String)] = []) {
        send(FrameBuilder.request(stream: stream, fields))
    }

    /// The code of the last GOAWAY.
    var goaway: HTTP2ErrorCode? { frames.last { $0.isType(.goaway) }.map { .init(rawValue: $0.number(at: 4)) } }

    /// The code of the stream's RST_STREAM.
    func reset(_ stream: UInt32) -> HTTP2ErrorCode? {
        frames.last { $0.isType(.resetStream) && $0.stream == stream }.map { .init(rawValue: $0.number()) }
    }

    /// Whether a response's head came for the stream.
    func isAnswered(_ stream: UInt32) -> Bool { frames.contains { $0.isType(.headers) && $0.stream == stream } }

    /// The last frame of that type.
    func last(_ type: FrameBuilder.FrameType) -> RawFrame? { frames.last { $0.isType(type) } }

    /// The streams of the DATA frames from the `start`th frame on, each once for a run of them.
    func runs(from start: Int = 0) -> [UInt32] {
        frames[start...].filter { $0.isType(.data) && !$0.payload.isEmpty }.map(\.stream)
            .reduce(into: []) { if $0.last != $1 { $0.append($1) } }
    }

    func body(_ stream: UInt32) -> [UInt8] {
        frames.filter { $0.isType(.data) && $0.stream == stream }.flatMap(\.payload)
    }

    func tripped(_ limit: LimitName) -> Int { server.resources.shared.counterSnapshot().limitsTripped[limit] ?? 0 }

    /// Ends the connection; nothing may be left.
    func leave(sourceLocation: SourceLocation = #_sourceLocation) {
        server.close()
        #expect(server.resources.liveBlocks == 0, sourceLocation: sourceLocation)
        #expect(server.resources.shared.counterSnapshot().openStreams == 0, sourceLocation: sourceLocation)
    }
}

/// The default limits, changed.
func limits(_ change: (inout Limits) -> Void) -> Limits {
    var limits = Limits()
    change(&limits)
    return limits
}

/// Reproducible random numbers (SplitMix64): a test prints its seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
