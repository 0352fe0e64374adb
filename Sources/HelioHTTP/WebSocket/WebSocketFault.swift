/// What a peer has done wrong. It ends the WebSocket with ``closeCode``.
public enum WebSocketFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// A client's frame without a mask, or a server's with one (RFC 6455 section 5.1).
    case wrongMasking
    /// A reserved bit that no extension has given a meaning (section 5.2).
    case reservedBits
    case reservedOpcode
    /// A control frame of more than 125 bytes, or in fragments (section 5.5).
    case oversizedControlFrame
    case fragmentedControlFrame
    /// A length in more bytes than it takes, or of 64 bits (section 5.2).
    case badLength
    /// A continuation of nothing, or a new message within one (section 5.4).
    case badFragmentation
    /// A message over `WebSocketOptions.maxMessageSize`, compressed or not.
    case messageTooBig
    /// A message in more than `WebSocketOptions.maxFragments` frames.
    case tooManyFragments
    /// A text or a close reason that is not UTF-8 (section 8.1).
    case invalidUTF8
    /// A close frame of one byte, or with a code that is not to be sent (section 7.4).
    case badClose
    /// A compressed message that is none (RFC 7692).
    case badCompression

    /// The code that the peer is told.
    public var closeCode: WebSocketCloseCode {
        switch self {
        case .messageTooBig: .messageTooBig
        case .tooManyFragments: .policyViolation
        case .invalidUTF8, .badCompression: .invalidPayload
        default: .protocolError
        }
    }

    /// The limit that was crossed, if it is one.
    public var limit: LimitName? {
        switch self {
        case .messageTooBig: .webSocketMessageSize
        case .tooManyFragments: .webSocketFragments
        default: nil
        }
    }

    public var description: String {
        switch self {
        case .wrongMasking: "a frame is masked that must not be, or not that must"
        case .reservedBits: "a frame has reserved bits"
        case .reservedOpcode: "a frame has a reserved opcode"
        case .oversizedControlFrame: "a control frame is over 125 bytes"
        case .fragmentedControlFrame: "a control frame is fragmented"
        case .badLength: "a frame's length is not in its shortest form"
        case .badFragmentation: "the fragments of messages are out of order"
        case .messageTooBig: "a message is over the limit"
        case .tooManyFragments: "a message is in too many fragments"
        case .invalidUTF8: "a text is not UTF-8"
        case .badClose: "a close frame is malformed"
        case .badCompression: "a compressed message cannot be decompressed"
        }
    }
}
