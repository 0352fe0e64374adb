/// A packet's text that is encoded once for all its receivers: without the frame that carries it in a WebSocket, which is the
/// runtime's and not to be fuzzed here.
final class SharedText: Sendable, Equatable {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    static func == (one: SharedText, other: SharedText) -> Bool { one.bytes == other.bytes }
}
