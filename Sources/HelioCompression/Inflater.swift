internal import CZlib

/// Decompresses a stream of bytes, a piece at a time, up to a limit (zlib's `inflate`).
///
/// Compressed input can stand for a thousand times its size, so every inflater is bounded: what would go past
/// ``outputLimit`` is not produced. It takes memory at its start and for its first stream, and keeps it: ``reset()`` makes it
/// ready for the next one. It belongs to one thread at a time.
///
/// ```swift
/// let inflater = Inflater(format: .gzip, outputLimit: 1 << 20)
/// let compressed = read("page.html.gz")
/// try inflater.write(compressed.span.bytes) { piece in exchange.write(piece) }
/// try inflater.finish()
/// ```
@safe public final class Inflater {
    private let stream: UnsafeMutablePointer<z_stream>
    private let output: UnsafeMutablePointer<UInt8>
    private let outputSize: Int
    private let format: CompressionFormat
    private var state = State.reading
    /// Bytes that may come out of a stream. Past it ``InflateError/outputLimit(_:)``.
    public var outputLimit: Int {
        didSet { precondition(outputLimit >= 0, "a limit is not negative") }
    }
    /// Bytes that have come out since the last ``reset()``.
    public private(set) var outputCount = 0
    /// Bytes of memory that it holds, within a few hundred: `2^windowBits`, some 7 KiB, and `outputSize`. 55 KiB with
    /// the defaults.
    public let memorySize: Int

    private enum State {
        case reading
        /// The end has been seen. Another member of a gzip file, or another raw stream, may follow.
        case ended
        case failed(InflateError)
    }

    /// - Parameters:
    ///   - format: the framing.
    ///   - windowBits: the logarithm of the window's size, 8 to 15: what the other side compresses with, or more.
    ///   - outputLimit: bytes that may come out of a stream.
    ///   - outputSize: the largest piece that is emitted; at least 64 bytes.
    public init(format: CompressionFormat, windowBits: Int = 15, outputLimit: Int, outputSize: Int = 16384) {
        precondition((8...15).contains(windowBits), "an inflater's window has 8 to 15 bits")
        precondition(outputLimit >= 0, "a limit is not negative")
        precondition((64...Int(UInt32.max)).contains(outputSize), "an inflater's output has at least 64 bytes")
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let status = unsafe heliograph_inflate_init(stream, format.encoded(windowBits: windowBits))
        precondition(status == Z_OK, "out of memory")
        unsafe output = .allocate(capacity: outputSize)
        self.format = format
        self.outputLimit = outputLimit
        self.outputSize = outputSize
        memorySize = 1 << windowBits + 7 * 1024 + outputSize
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
        unsafe output.deallocate()
    }

    /// Decompresses bytes, all of which are taken.
    ///
    /// - Parameters:
    ///   - bytes: the next of the stream, in any cut; may be empty.
    ///   - emit: gets the plain bytes in pieces, each valid for the call; it does not use this inflater.
    /// - Throws: what is wrong with the stream; the same again until ``reset()``. What was emitted before stands.
    public func write(_ bytes: RawSpan, _ emit: (RawSpan) -> Void) throws(InflateError) {
        do {
            try unsafe bytes.withUnsafeBytes { bytes throws(InflateError) in
                var rest = unsafe bytes
                // zlib counts in 32 bits.
                while rest.count > Self.largestInput {
                    try unsafe run(UnsafeRawBufferPointer(rebasing: rest[..<Self.largestInput]), emit)
                    unsafe rest = UnsafeRawBufferPointer(rebasing: rest[Self.largestInput...])
                }
                try unsafe run(rest, emit)
            }
        } catch {
            state = .failed(error)
            throw error
        }
    }

    /// Whether a stream has come to its end with the bytes so far.
    public var isAtEnd: Bool { if case .ended = state { true } else { false } }

    /// Says that no more bytes come.
    ///
    /// - Throws: `truncated` when the stream has not come to its end; what `write` has thrown.
    public func finish() throws(InflateError) {
        switch state {
        case .ended: return
        case .reading: throw .truncated
        case .failed(let error): throw error
        }
    }

    /// Forgets the stream; the next `write` begins a new one. The memory stays.
    public func reset() {
        unsafe inflateReset(stream)
        state = .reading
        outputCount = 0
    }

    private static let largestInput = 1 << 30

    private func run(_ input: UnsafeRawBufferPointer, _ emit: (RawSpan) -> Void) throws(InflateError) {
        if case .failed(let error) = state { throw error }
        unsafe stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe stream.pointee.avail_in = UInt32(input.count)
        defer { unsafe stream.pointee.next_in = nil }
        var isFull = false
        while unsafe stream.pointee.avail_in > 0 || isFull {
            if case .ended = state { try beginNext() }
            // One byte of room past the limit tells a stream that ends there from one that goes on.
            let room = min(outputSize, outputLimit - min(outputCount, outputLimit) + 1)
            unsafe stream.pointee.next_out = output
            unsafe stream.pointee.avail_out = UInt32(room)
            let status = unsafe CZlib.inflate(stream, Z_NO_FLUSH)
            isFull = unsafe stream.pointee.avail_out == 0
            let produced = unsafe room - Int(stream.pointee.avail_out)
            guard outputCount + produced <= outputLimit else { throw .outputLimit(outputLimit) }
            outputCount += produced
            if produced > 0 { unsafe emit(UnsafeRawBufferPointer(start: output, count: produced).bytes) }
            switch status {
            case Z_OK: continue
            case Z_STREAM_END:
                state = .ended
                isFull = false
            // All that came is used up.
            case Z_BUF_ERROR: return
            default: throw .corrupt
            }
        }
    }

    /// More bytes behind an end: the next member of a gzip file (RFC 1952 section 2.2); behind a raw stream's last block, blocks
    /// that go on with the same window (RFC 7692 section 7.2.3.4).
    private func beginNext() throws(InflateError) {
        switch format {
        case .gzip: unsafe inflateReset(stream)
        case .raw: unsafe inflateResetKeep(stream)
        case .deflate: throw .trailingData
        }
        state = .reading
    }
}
