internal import HelioCompression
internal import HelioHTTP

/// Deflaters of one loop and format, for the next responses: one is 284 KiB.
final class DeflaterPool {
    private let format: CompressionFormat
    private let level: Int
    private var free: [Deflater] = []
    /// Deflaters that responses have now.
    private(set) var inUse = 0

    private static let keptCount = 8

    init(_ format: CompressionFormat, level: Int) {
        self.format = format
        self.level = level
    }

    func take() -> Deflater {
        inUse += 1
        return free.popLast() ?? Deflater(format: format, level: level)
    }

    func giveBack(_ deflater: Deflater) {
        inUse -= 1
        guard free.count < Self.keptCount else { return }
        deflater.reset()
        free.append(deflater)
    }
}

/// One response's way through a deflater, which it gives back when the response has ended,
/// however it ends.
final class CompressingEncoder: ContentEncoder {
    private let pool: DeflaterPool
    private var deflater: Deflater?
    private var keepsBack = false

    init(_ pool: DeflaterPool) {
        self.pool = pool
        deflater = pool.take()
    }

    deinit { release() }

    func encode(_ bytes: RawSpan, isLast: Bool, _ emit: (RawSpan) -> Void) {
        guard let deflater else { return }
        keepsBack = true
        deflater.write(bytes, flush: isLast ? .finish : .none, emit)
        if isLast { release() }
    }

    func flush(_ emit: (RawSpan) -> Void) {
        guard keepsBack else { return }
        keepsBack = false
        unsafe deflater?.write([UInt8]().span.bytes, flush: .sync, emit)
    }

    private func release() {
        guard let deflater else { return }
        self.deflater = nil
        pool.giveBack(deflater)
    }
}
