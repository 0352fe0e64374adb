internal import CZlib

/// Compresses a stream of bytes, a piece at a time (zlib's `deflate`).
///
/// All memory is taken at the start and kept: no call allocates, and ``reset()`` makes it ready for the next stream, so that one
/// serves all messages of a loop. It belongs to one thread at a time.
///
/// ```swift
/// let deflater = Deflater(format: .gzip)
/// let text = Array("a text, a text, a text".utf8)
/// deflater.write(text.span.bytes, flush: .finish) { piece in exchange.write(piece) }
/// ```
@safe public final class Deflater {
    private let stream: UnsafeMutablePointer<z_stream>
    private let output: UnsafeMutablePointer<UInt8>
    private let outputSize: Int
    private var isFinished = false
    /// Bytes of memory that it holds, within a few hundred: `2^(windowBits+2) + 2^(memoryLevel+9)`, some 6 KiB, and
    /// `outputSize`. 284 KiB with the defaults.
    public let memorySize: Int

    /// What is to have left the deflater when a call returns.
    public enum Flush: Sendable {
        /// Nothing in particular: zlib gathers input for as long as that compresses better.
        case none
        /// All input so far can be read by the receiver; the output ends in an empty stored block (00 00 ff ff).
        case sync
        /// All of it, and the end of the stream. Then ``Deflater/reset()``.
        case finish
    }

    /// - Parameters:
    ///   - format: the framing.
    ///   - level: 0 (store) to 9 (smallest); 1 is the fastest that compresses.
    ///   - windowBits: the logarithm of the window's size, 9 to 15.
    ///   - memoryLevel: 1 to 9; less memory compresses less and slower.
    ///   - outputSize: the largest piece that is emitted; at least 64 bytes.
    public init(
        format: CompressionFormat, level: Int = 6, windowBits: Int = 15, memoryLevel: Int = 8, outputSize: Int = 16384
    ) {
        precondition((0...9).contains(level), "a compression level is 0 to 9")
        // zlib itself takes 8 for some formats, and then uses 9 while the header says 8.
        precondition((9...15).contains(windowBits), "a deflater's window has 9 to 15 bits")
        precondition((1...9).contains(memoryLevel), "a memory level is 1 to 9")
        precondition((64...Int(UInt32.max)).contains(outputSize), "a deflater's output has at least 64 bytes")
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let bits = format.encoded(windowBits: windowBits)
        let status = unsafe heliograph_deflate_init(stream, Int32(level), bits, Int32(memoryLevel))
        precondition(status == Z_OK, "out of memory")
        unsafe output = .allocate(capacity: outputSize)
        self.outputSize = outputSize
        memorySize = 1 << (windowBits + 2) + 1 << (memoryLevel + 9) + 6 * 1024 + outputSize
    }

    deinit {
        unsafe deflateEnd(stream)
        unsafe stream.deallocate()
        unsafe output.deallocate()
    }

    /// Compresses bytes, all of which are taken.
    ///
    /// - Parameters:
    ///   - bytes: the next of the stream; may be empty.
    ///   - flush: what must have been emitted when the call returns.
    ///   - emit: gets the compressed bytes in pieces, each valid for the call; it does not use this deflater.
    /// - Precondition: the stream has not been finished since the last ``reset()``.
    public func write(_ bytes: RawSpan, flush: Flush = .none, _ emit: (RawSpan) -> Void) {
        precondition(!isFinished, "a finished deflater is reset before it is used again")
        unsafe bytes.withUnsafeBytes { bytes in
            var rest = unsafe bytes
            // zlib counts in 32 bits.
            while rest.count > Self.largestInput {
                unsafe run(UnsafeRawBufferPointer(rebasing: rest[..<Self.largestInput]), Z_NO_FLUSH, emit)
                unsafe rest = UnsafeRawBufferPointer(rebasing: rest[Self.largestInput...])
            }
            unsafe run(rest, flush.code, emit)
        }
        isFinished = flush == .finish
    }

    /// Forgets the stream; the next `write` begins a new one. The memory stays.
    public func reset() {
        unsafe deflateReset(stream)
        isFinished = false
    }

    private static let largestInput = 1 << 30

    private func run(_ input: UnsafeRawBufferPointer, _ flush: Int32, _ emit: (RawSpan) -> Void) {
        unsafe stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe stream.pointee.avail_in = UInt32(input.count)
        repeat {
            unsafe stream.pointee.next_out = output
            unsafe stream.pointee.avail_out = UInt32(outputSize)
            // Z_BUF_ERROR says that there was nothing to do; no other error can come of a stream that is used rightly.
            let status = unsafe CZlib.deflate(stream, flush)
            precondition(status != Z_STREAM_ERROR, "the state of a deflater is damaged")
            let produced = unsafe outputSize - Int(stream.pointee.avail_out)
            if produced > 0 { unsafe emit(UnsafeRawBufferPointer(start: output, count: produced).bytes) }
        } while unsafe stream.pointee.avail_out == 0
        unsafe stream.pointee.next_in = nil
    }
}

extension Deflater.Flush {
    fileprivate var code: Int32 {
        switch self {
        case .none: Z_NO_FLUSH
        case .sync: Z_SYNC_FLUSH
        case .finish: Z_FINISH
        }
    }
}
