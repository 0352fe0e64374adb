/// A message that is encoded once, and compressed once, to be sent to many. It may go from loop to loop.
///
/// ```swift
/// let news = PreparedWebSocketMessage("the doors open at nine")
/// func tell(_ guests: [WebSocket]) { for guest in guests { guest.send(news) } }
/// ```
public struct PreparedWebSocketMessage: Sendable {
    public let kind: WebSocketKind
    /// A server's frame: its receivers share it.
    private let plain: [UInt8]
    private let compressed: [UInt8]?
    private let headSize: Int

    /// A text.
    ///
    /// - Parameter compression: compresses it for those WebSockets that have agreed to it, keep no context and have a window
    ///   of 15 bits; it keeps no context itself. The others get the text as it is. Nil: all do.
    public init(_ text: String, compressedBy compression: (any WebSocketCompression)? = nil) {
        self.init(Array(text.utf8), .text, compression)
    }

    /// Bytes; see ``init(_:compressedBy:)-(String,_)``.
    public init(_ bytes: [UInt8], compressedBy compression: (any WebSocketCompression)? = nil) {
        self.init(bytes, .binary, compression)
    }

    private init(_ payload: [UInt8], _ kind: WebSocketKind, _ compression: (any WebSocketCompression)?) {
        var serializer = WebSocketSerializer(role: .server)
        self.kind = kind
        headSize = serializer.headSize(payload.count)
        plain = serializer.frame(kind.opcode, isFinal: true, isCompressed: false, payload)
        var deflated: [UInt8] = []
        unsafe compression?.compress(payload.span.bytes) { piece in
            unsafe piece.withUnsafeBytes { unsafe deflated.append(contentsOf: $0) }
        }
        compressed =
            compression == nil || deflated.count >= payload.count
            ? nil : serializer.frame(kind.opcode, isFinal: true, isCompressed: true, deflated)
    }

    var payload: ArraySlice<UInt8> { plain[headSize...] }

    /// The frame for a server's WebSocket of these parameters.
    func frame(for parameters: WebSocketCompressionParameters?) -> [UInt8] {
        guard let compressed, let parameters, parameters.isOutgoingCompressed, !parameters.keepsOutgoingContext,
            parameters.outgoingWindowBits == 15
        else { return plain }
        return compressed
    }
}
