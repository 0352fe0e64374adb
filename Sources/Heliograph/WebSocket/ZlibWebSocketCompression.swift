internal import HelioCompression
public import HelioHTTP

/// permessage-deflate (RFC 7692) by zlib. One that keeps no context serves any number of WebSockets of one thread, and takes
/// memory, some 350 KiB, when the first message is compressed or decompressed.
///
/// ```swift
/// let compression = ZlibWebSocketCompression(WebSocketCompressionParameters())
/// let news = PreparedWebSocketMessage("a long text for many", compressedBy: compression)
/// ```
public final class ZlibWebSocketCompression: WebSocketCompression {
    private let parameters: WebSocketCompressionParameters
    private lazy var deflater = Deflater(
        format: .raw, level: parameters.level, windowBits: parameters.outgoingWindowBits)
    private lazy var inflater = Inflater(format: .raw, windowBits: parameters.incomingWindowBits, outputLimit: 0)
    /// The last bytes that came out, which may be the tail that is not sent; the first of them is the highest.
    private var held: UInt64 = 0
    private var heldCount = 0

    public init(_ parameters: WebSocketCompressionParameters) { self.parameters = parameters }

    public func compress(_ message: RawSpan, _ emit: (RawSpan) -> Void) {
        if !parameters.keepsOutgoingContext { deflater.reset() }
        heldCount = 0
        deflater.write(message, flush: .sync) { piece in withoutTail(piece, emit) }
    }

    public func decompress(
        _ message: RawSpan, limit: Int, _ emit: (RawSpan) -> Void
    ) throws(WebSocketFault) {
        if !parameters.keepsIncomingContext { inflater.reset() }
        let (end, overflow) = inflater.outputCount.addingReportingOverflow(limit)
        inflater.outputLimit = overflow ? Int.max : end
        do throws(InflateError) {
            try inflater.write(message, emit)
            try unsafe withUnsafeBytes(of: UInt32(0x0000_ffff).bigEndian) { tail throws(InflateError) in
                try unsafe inflater.write(tail.bytes, emit)
            }
        } catch {
            if case .outputLimit = error { throw .messageTooBig }
            throw .badCompression
        }
    }

    /// Passes bytes on, four of them later.
    private func withoutTail(_ piece: RawSpan, _ emit: (RawSpan) -> Void) {
        unsafe piece.withUnsafeBytes { piece in
            let old = max(0, min(heldCount, heldCount + piece.count - 4))
            if old > 0 {
                // The oldest bytes of those that are held: they stand at its front when it is written out.
                let front = held.bigEndian
                unsafe withUnsafeBytes(of: front) { bytes in
                    unsafe emit(UnsafeRawBufferPointer(rebasing: bytes[(8 - heldCount)..<(8 - heldCount + old)]).bytes)
                }
                heldCount -= old
            }
            let new = max(0, piece.count - 4)
            if new > 0 { unsafe emit(UnsafeRawBufferPointer(rebasing: piece[..<new]).bytes) }
            for index in new..<piece.count {
                held = unsafe held << 8 | UInt64(piece[index])
                heldCount += 1
            }
        }
    }
}
