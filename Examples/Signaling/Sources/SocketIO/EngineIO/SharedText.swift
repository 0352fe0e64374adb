internal import Heliograph

/// A packet's text that is encoded once for all its receivers, as a payload of long polling and as a WebSocket's frame.
final class SharedText: Sendable, Equatable {
    /// From the packet's type on.
    let bytes: [UInt8]
    let frame: PreparedWebSocketMessage

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        frame = PreparedWebSocketMessage(String(decoding: bytes, as: UTF8.self))
    }

    static func == (one: SharedText, other: SharedText) -> Bool { one.bytes == other.bytes }
}
