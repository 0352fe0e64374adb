/// HTTP/2 frames as raw bytes (RFC 9113 section 4), for what a well-behaved client library refuses to send.
///
/// ```swift
/// let bytes = FrameBuilder.preface + FrameBuilder.settings() + FrameBuilder.request(stream: 1, path: "/")
/// ```
public enum FrameBuilder {
    /// A frame's type (RFC 9113 section 6; ALTSVC is RFC 7838's, ORIGIN RFC 8336's, PRIORITY_UPDATE RFC 9218's).
    public enum FrameType: UInt8, Sendable {
        case data = 0, headers, priority, resetStream, settings, pushPromise, ping, goaway, windowUpdate, continuation
        case altsvc = 0xa, origin = 0xc, priorityUpdate = 0x10
    }

    public static let endStream: UInt8 = 0x1
    public static let ack: UInt8 = 0x1
    public static let endHeaders: UInt8 = 0x4

    /// What a client sends first (RFC 9113 section 3.4); its SETTINGS follow.
    public static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    /// A frame of any type with any payload, of up to 2^24-1 bytes.
    public static func frame(type: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) -> [UInt8] {
        let length = UInt32(truncatingIfNeeded: payload.count)
        return bigEndian(length).dropFirst() + [type, flags] + bigEndian(stream) + payload
    }

    public static func frame(
        _ type: FrameType, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []
    ) -> [UInt8] {
        frame(type: type.rawValue, flags: flags, stream: stream, payload)
    }

    /// SETTINGS of pairs of identifier and value.
    public static func settings(_ entries: [(id: UInt16, value: UInt32)] = []) -> [UInt8] {
        frame(.settings, entries.flatMap { [UInt8($0.id >> 8), UInt8($0.id & 0xff)] + bigEndian($0.value) })
    }

    /// HEADERS with the block of `fields`, whole.
    public static func headers(
        stream: UInt32, _ fields: [(String, String)], flags: UInt8 = endHeaders | endStream
    ) -> [UInt8] {
        frame(.headers, flags: flags, stream: stream, headerBlock(fields))
    }

    /// A request's HEADERS with the usual pseudo-header fields.
    public static func request(
        stream: UInt32, method: String = "GET", path: String = "/", _ fields: [(String, String)] = [],
        endsStream: Bool = true
    ) -> [UInt8] {
        headers(
            stream: stream,
            [(":method", method), (":scheme", "https"), (":authority", "localhost"), (":path", path)] + fields,
            flags: endHeaders | (endsStream ? endStream : 0))
    }

    public static func data(stream: UInt32, _ bytes: [UInt8], endsStream: Bool = false) -> [UInt8] {
        frame(.data, flags: endsStream ? endStream : 0, stream: stream, bytes)
    }

    public static func reset(stream: UInt32, code: UInt32) -> [UInt8] {
        frame(.resetStream, stream: stream, bigEndian(code))
    }

    public static func windowUpdate(stream: UInt32, by increment: UInt32) -> [UInt8] {
        frame(.windowUpdate, stream: stream, bigEndian(increment))
    }

    /// PRIORITY_UPDATE of a stream, such as `u=1, i`.
    public static func priorityUpdate(stream: UInt32, _ value: String) -> [UInt8] {
        frame(.priorityUpdate, bigEndian(stream) + Array(value.utf8))
    }

    /// PING with eight bytes.
    public static func ping(_ data: [UInt8] = [0, 1, 2, 3, 4, 5, 6, 7], isAck: Bool = false) -> [UInt8] {
        frame(.ping, flags: isAck ? ack : 0, data)
    }

    /// A header block of literal fields, none of them indexed or compressed (RFC 7541 section 6.2.2).
    public static func headerBlock(_ fields: [(String, String)]) -> [UInt8] {
        fields.flatMap { [0] + literal($0.0) + literal($0.1) }
    }

    /// A string without Huffman coding (RFC 7541 section 5.2): its length in seven bits and more, its bytes.
    private static func literal(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        guard bytes.count >= 127 else { return [UInt8(bytes.count)] + bytes }
        var length: [UInt8] = [127]
        var rest = bytes.count - 127
        while rest >= 128 {
            length.append(UInt8(rest & 127) | 128)
            rest >>= 7
        }
        return length + [UInt8(rest)] + bytes
    }

    static func bigEndian(_ value: UInt32) -> [UInt8] {
        [UInt8(value >> 24), UInt8(value >> 16 & 0xff), UInt8(value >> 8 & 0xff), UInt8(value & 0xff)]
    }
}

/// A frame as it came.
public struct RawFrame: Hashable, Sendable {
    public let type: UInt8
    public let flags: UInt8
    public let stream: UInt32
    public let payload: [UInt8]

    /// The 32 bits of the payload from `offset`, big endian; 0 where there are none.
    public func number(at offset: Int = 0) -> UInt32 {
        guard offset >= 0, offset + 4 <= payload.count else { return 0 }
        return payload[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }

    public func isType(_ type: FrameBuilder.FrameType) -> Bool { self.type == type.rawValue }

    /// Splits a stream of bytes into the frames that it holds whole.
    public static func parse(_ bytes: [UInt8]) -> [RawFrame] {
        var frames: [RawFrame] = []
        var start = 0
        while start + 9 <= bytes.count {
            let length = bytes[start..<start + 3].reduce(0) { $0 << 8 | Int($1) }
            guard start + 9 + length <= bytes.count else { break }
            let stream = bytes[start + 5..<start + 9].reduce(0) { $0 << 8 | UInt32($1) }
            frames.append(
                RawFrame(
                    type: bytes[start + 3], flags: bytes[start + 4], stream: stream,
                    payload: Array(bytes[start + 9..<start + 9 + length])))
            start += 9 + length
        }
        return frames
    }
}
