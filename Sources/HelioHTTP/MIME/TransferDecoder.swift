/// Decodes a part's bytes, a piece at a time in any cut, strictly.
///
/// ```swift
/// var decoder = TransferDecoder(.base64)
/// let text = Array("SGVsbG8=".utf8)
/// try decoder.decode(text.span.bytes) { piece in exchange.write(piece) }
/// try decoder.finish()
/// ```
public struct TransferDecoder: Sendable {
    public let encoding: TransferEncoding
    private var state: State

    private enum State {
        case asIs
        case lines(LineChecker)
        case base64(Base64Decoder)
        case quotedPrintable(QuotedPrintableDecoder)
    }

    /// In bytes, without CRLF. RFC 2045 section 2.7.
    static let longestLine = 998
    /// Input is decoded in pieces of this many bytes, so that the output has its place on the stack.
    private static let pieceSize = 8192

    public init(_ encoding: TransferEncoding) {
        self.encoding = encoding
        state =
            switch encoding {
            case .binary: .asIs
            case .sevenBit: .lines(LineChecker(allowsHighBytes: false))
            case .eightBit: .lines(LineChecker(allowsHighBytes: true))
            case .base64: .base64(Base64Decoder())
            case .quotedPrintable: .quotedPrintable(QuotedPrintableDecoder())
            }
    }

    /// Decodes bytes, all of which are taken.
    ///
    /// - Parameter emit: gets what they stand for in pieces, each valid for the call.
    /// - Throws: what is wrong with them. What was emitted before stands; the decoder is of no more use.
    public mutating func decode(
        _ bytes: RawSpan, _ emit: (RawSpan) -> Void
    ) throws(TransferEncodingError) {
        switch state {
        case .asIs: emit(bytes)
        case .lines(var checker):
            try unsafe bytes.withUnsafeBytes { bytes throws(TransferEncodingError) in try unsafe checker.check(bytes) }
            state = .lines(checker)
            emit(bytes)
        case .base64(var decoder):
            unsafe try Self.inPieces(bytes, extra: 3, emit) { input, output throws(TransferEncodingError) in
                try unsafe decoder.decode(input, into: output)
            }
            state = .base64(decoder)
        case .quotedPrintable(var decoder):
            // A run of blanks that was held back is at most a line long.
            state = .asIs
            unsafe try Self.inPieces(bytes, extra: Self.longestLine + 2, emit) {
                input, output throws(TransferEncodingError) in
                try unsafe decoder.decode(input, into: output)
            }
            state = .quotedPrintable(decoder)
        }
    }

    /// Says that the data has ended.
    ///
    /// - Throws: `truncated` when it ends within a unit of its encoding.
    public mutating func finish() throws(TransferEncodingError) {
        switch state {
        case .asIs: break
        case .lines(let checker): try checker.finish()
        case .base64(let decoder): try decoder.finish()
        case .quotedPrintable(let decoder): try decoder.finish()
        }
    }

    /// Gives each piece with room for what comes of it, which is at most its own size and `extra`, and emits that.
    private static func inPieces(
        _ bytes: RawSpan, extra: Int, _ emit: (RawSpan) -> Void,
        _ decode: (UnsafeRawBufferPointer, UnsafeMutableRawBufferPointer) throws(TransferEncodingError) -> Int
    ) throws(TransferEncodingError) {
        try unsafe bytes.withUnsafeBytes { bytes throws(TransferEncodingError) in
            let room = min(bytes.count, pieceSize) + extra
            try unsafe withTemporaryBytes(room) { output throws(TransferEncodingError) in
                for start in stride(from: 0, to: bytes.count, by: pieceSize) {
                    let piece = unsafe UnsafeRawBufferPointer(
                        rebasing: bytes[start..<min(start + pieceSize, bytes.count)])
                    let count = try unsafe decode(piece, output)
                    if count > 0 { unsafe emit(UnsafeRawBufferPointer(rebasing: output[..<count]).bytes) }
                }
            }
        }
    }
}

/// `withUnsafeTemporaryAllocation`, with an error of known type.
@inline(__always)
func withTemporaryBytes<Failure: Error>(
    _ count: Int, _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
) throws(Failure) {
    let outcome = unsafe withUnsafeTemporaryAllocation(byteCount: count, alignment: 16) {
        bytes -> Result<Void, Failure> in
        do throws(Failure) { return .success(try unsafe body(bytes)) } catch { return .failure(error) }
    }
    try outcome.get()
}
