/// Finds the frames in a peer's bytes, in any cut, and checks their heads (RFC 6455 section 5.2):
///
///      0               1               2               3
///      0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7
///     +-+-+-+-+-------+-+-------------+-------------------------------+
///     |F|R|R|R| opcode|M| Payload len |    Extended payload length    |
///     |I|S|S|S|  (4)  |A|     (7)     |          (0, 16 or 64)        |
///     |N|V|V|V|       |S|             |                               |
///     +-+-+-+-+-------+-+-------------+-------------------------------+
///     |             Masking key (0 or 32), then the payload           |
///     +---------------------------------------------------------------+
///
/// It keeps no payload and unmasks none: it tells where in the given bytes the payload lies.
///
/// ```swift
/// var parser = WebSocketParser(role: .server, allowsCompression: false, maxMessageSize: 1 << 20, maxFragments: 1000)
/// var position = 0
/// while let piece = try parser.next(in: ciphertext, from: &position) { print(piece.opcode, piece.range) }
/// ```
public struct WebSocketParser {
    private let role: WebSocketRole
    private let allowsCompression: Bool
    private let maxMessageSize: Int
    private let maxFragments: Int

    private var state = State.head
    /// The bytes of a head that have come, when it is cut, and how many.
    private var head: (UInt64, UInt64) = (0, 0)
    private var headCount = 0
    private var headSize = 0

    // The frame.
    private var opcode = WebSocketOpcode.continuation
    private var isFinal = false
    private var key: UInt32 = 0
    private var left = 0
    private var isFrameBegun = false

    // The message that is open, across its frames and the control frames between them.
    private var messageOpcode = WebSocketOpcode.continuation
    private var isMessageOpen = false
    private var isMessageCompressed = false
    private var isMessageBegun = false
    private var messageSize = 0
    private var fragments = 0

    private enum State { case head, payload, failed(WebSocketFault) }

    /// A run of payload.
    public struct Piece {
        /// `text` or `binary` for all pieces of a message; `close`, `ping`, `pong`.
        public var opcode: WebSocketOpcode
        /// The first of its message or control frame.
        public var isFirst: Bool
        /// The last of its message or control frame.
        public var isLast: Bool
        /// It belongs to a message that is compressed as a whole (RFC 7692 section 6).
        public var isCompressed: Bool
        /// Where it lies in the bytes that were given; may be empty.
        public var range: Range<Int>
        /// Its mask, the lowest byte for the first of it; 0 for a server's.
        public var key: UInt32
    }

    /// - Parameters:
    ///   - role: who reads: a server takes what is masked alone, a client what is not.
    ///   - allowsCompression: whether permessage-deflate was agreed, and so messages may have RSV1.
    ///   - maxMessageSize: the largest message, over all of its frames; of a compressed one the least that this may cost.
    ///     In bytes.
    ///   - maxFragments: frames of one message.
    public init(role: WebSocketRole, allowsCompression: Bool, maxMessageSize: Int, maxFragments: Int) {
        precondition(maxMessageSize >= 0 && maxFragments >= 1, "a WebSocket takes messages of at least one frame")
        self.role = role
        self.allowsCompression = allowsCompression
        self.maxMessageSize = maxMessageSize
        self.maxFragments = maxFragments
    }

    /// The next run of payload from `position` on, which moves behind it.
    ///
    /// - Returns: nil when the bytes are used up.
    /// - Throws: the peer's fault, as soon as it shows; then the same at each call.
    public mutating func next(
        in bytes: UnsafeRawBufferPointer, from position: inout Int
    ) throws(WebSocketFault) -> Piece? {
        switch state {
        case .failed(let fault): throw fault
        case .payload: break
        case .head:
            do throws(WebSocketFault) {
                guard try unsafe readHead(bytes, &position) else { return nil }
            } catch {
                state = .failed(error)
                throw error
            }
            state = .payload
        }
        guard position < bytes.count || left == 0 else { return nil }
        let take = min(left, bytes.count - position)
        let range = position..<position + take
        position += take
        left -= take
        return piece(range)
    }

    private mutating func piece(_ range: Range<Int>) -> Piece {
        let pieceKey = key
        key = WebSocketMask.key(key, after: range.count)
        let endsFrame = left == 0
        if endsFrame { state = .head }
        if opcode.isControl {
            let isFirst = !isFrameBegun
            isFrameBegun = true
            return Piece(
                opcode: opcode, isFirst: isFirst, isLast: endsFrame, isCompressed: false, range: range, key: pieceKey)
        }
        let isFirst = !isMessageBegun
        isMessageBegun = true
        let isLast = endsFrame && isFinal
        if isLast { isMessageOpen = false }
        return Piece(
            opcode: messageOpcode, isFirst: isFirst, isLast: isLast, isCompressed: isMessageCompressed, range: range,
            key: pieceKey)
    }

    // MARK: The head

    /// Takes a head's bytes, checking the first two as soon as they are here.
    ///
    /// - Returns: whether it is whole.
    private mutating func readHead(
        _ bytes: UnsafeRawBufferPointer, _ position: inout Int
    ) throws(WebSocketFault) -> Bool {
        let room = bytes.count - position
        if headCount == 0, room >= 2 {
            let size = Self.headSize(unsafe bytes[position + 1])
            if room >= size {
                let start = unsafe bytes.baseAddress.unsafelyUnwrapped + position
                position += size
                try checkFirst(unsafe start.load(as: UInt8.self))
                try checkSecond(unsafe start.load(fromByteOffset: 1, as: UInt8.self))
                try unsafe finishHead(start)
                return true
            }
        }
        while position < bytes.count {
            let byte = unsafe bytes[position]
            position += 1
            unsafe withUnsafeMutableBytes(of: &head) { unsafe $0[headCount] = byte }
            headCount += 1
            if headCount == 1 { try checkFirst(byte) }
            if headCount == 2 {
                try checkSecond(byte)
                headSize = Self.headSize(byte)
            }
            guard headCount >= 2, headCount == headSize else { continue }
            headCount = 0
            let whole = head
            try unsafe withUnsafeBytes(of: whole) { whole throws(WebSocketFault) in
                try unsafe finishHead(whole.baseAddress.unsafelyUnwrapped)
            }
            return true
        }
        return false
    }

    /// The size of a head that has this second byte.
    private static func headSize(_ second: UInt8) -> Int {
        let length = second & 0x7f
        return 2 + (length <= 125 ? 0 : length == 126 ? 2 : 8) + (second & 0x80 != 0 ? 4 : 0)
    }

    private mutating func checkFirst(_ byte: UInt8) throws(WebSocketFault) {
        guard let opcode = WebSocketOpcode(rawValue: byte & 0x0f) else { throw .reservedOpcode }
        let isCompressed = byte & 0x40 != 0
        // RFC 7692 section 6: RSV1 stands on the first frame of a message, and on no other.
        let mayBeCompressed = allowsCompression && (opcode == .text || opcode == .binary)
        guard byte & 0x30 == 0, !isCompressed || mayBeCompressed else { throw .reservedBits }
        self.opcode = opcode
        isFinal = byte & 0x80 != 0
        isFrameBegun = false
        if opcode.isControl {
            guard isFinal else { throw .fragmentedControlFrame }
            return
        }
        guard (opcode == .continuation) == isMessageOpen else { throw .badFragmentation }
        if !isMessageOpen {
            isMessageOpen = true
            isMessageBegun = false
            isMessageCompressed = isCompressed
            messageOpcode = opcode
            messageSize = 0
            fragments = 0
        }
        fragments += 1
        guard fragments <= maxFragments else { throw .tooManyFragments }
    }

    private func checkSecond(_ byte: UInt8) throws(WebSocketFault) {
        guard (byte & 0x80 != 0) == (role == .server) else { throw .wrongMasking }
        guard !opcode.isControl || byte & 0x7f <= 125 else { throw .oversizedControlFrame }
    }

    private mutating func finishHead(_ start: UnsafeRawPointer) throws(WebSocketFault) {
        let second = unsafe start.load(fromByteOffset: 1, as: UInt8.self)
        let short = second & 0x7f
        var length = UInt64(short)
        var end = 2
        if short == 126 {
            length = UInt64(UInt16(bigEndian: unsafe start.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
            guard length > 125 else { throw .badLength }
            end = 4
        } else if short == 127 {
            length = UInt64(bigEndian: unsafe start.loadUnaligned(fromByteOffset: 2, as: UInt64.self))
            guard length > 0xffff, length <= UInt64(Int64.max) else { throw .badLength }
            end = 10
        }
        let isMasked = second & 0x80 != 0
        key = isMasked ? UInt32(littleEndian: unsafe start.loadUnaligned(fromByteOffset: end, as: UInt32.self)) : 0
        left = Int(length)
        guard !opcode.isControl else { return }
        // What is stored in a compressed message takes five bytes more for each 64 KiB.
        let bound = isMessageCompressed ? maxMessageSize.addingClamped(maxMessageSize / 64 + 64) : maxMessageSize
        guard left <= bound - messageSize else { throw .messageTooBig }
        messageSize += left
    }
}

extension Int {
    fileprivate func addingClamped(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? Int.max : sum
    }
}
