internal import HelioHTTP
internal import HelioReactor

/// A range of a file as the body of a response.
///
/// What the page cache has is read on the loop, straight into the frames; what it has not, by the loop's blocking pool. It
/// ends as `failed` where the file has become shorter, or was written to while it was sent.
final class FileBody: BodySource {
    let file: OpenFile
    var offset: Int
    let end: Int
    /// Nil: there is no loop to be kept from waiting, and reads may block.
    private let loop: EventLoop?
    private var cold: ColdBytes?
    private(set) var hasFailed = false
    /// Up to where the pool has brought it into memory, for sendfile(2).
    var warmEnd = 0
    /// The file system does not take part in sendfile(2).
    var isUnpassable = false

    /// How long a read waits that the blocking pool has refused.
    private static let pause = Duration.milliseconds(10)

    init(_ file: OpenFile, _ range: Range<Int>, on loop: EventLoop?) {
        self.file = file
        self.loop = loop
        offset = range.lowerBound
        end = range.upperBound
    }

    var remaining: Int { end - offset }

    func read(into region: UnsafeMutableRawBufferPointer, for exchange: Exchange) -> BodyRead {
        guard !hasFailed else { return .failed }
        let region = unsafe UnsafeMutableRawBufferPointer(rebasing: region.prefix(remaining))
        if let count = unsafe cold?.take(into: region, at: offset) { return advanced(by: count) }
        let transfer =
            loop == nil
            ? unsafe file.file.read(into: region, at: offset) : unsafe file.file.readCached(into: region, at: offset)
        switch transfer {
        case .bytes(let count): return advanced(by: count)
        case .wouldBlock:
            load(for: exchange)
            return .later
        case .end, .failed: return .failed
        }
    }

    private func advanced(by count: Int) -> BodyRead {
        offset += count
        return remaining > 0 || file.keepsItsPromise ? .bytes(count) : .failed
    }

    /// Has the next piece read by the pool.
    private func load(for exchange: Exchange) {
        let (file, offset, count) = (file, offset, min(remaining, ColdBytes.capacity))
        let bytes = cold ?? ColdBytes()
        cold = bytes
        block(for: exchange) {
            bytes.fill(from: file, at: offset, count)
        } then: {
        }
    }

    /// Has `work` done by the pool; where it answers false there is nothing to read. Then the exchange goes on.
    func block(
        for exchange: Exchange, _ work: @escaping @Sendable () -> Bool, then: @escaping () -> Void
    ) {
        guard let loop else { return }
        let isQueued = loop.blockingPool.submit(on: loop) {
            work()
        } then: { [self] isDone in
            if isDone { then() } else { hasFailed = true }
            exchange.sourceIsReady()
        }
        if !isQueued { loop.schedule(after: Self.pause) { exchange.sourceIsReady() } }
    }
}

/// Bytes that the blocking pool has read. It belongs to the pool's thread while that fills it, and else to the loop's.
@safe final class ColdBytes: @unchecked Sendable {
    static let capacity = 64 * 1024
    private let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 16)
    private var offset = 0
    private var count = 0

    deinit { unsafe bytes.deallocate() }

    /// Reads from an offset on. Blocks. False: there is nothing.
    func fill(from file: OpenFile, at offset: Int, _ wanted: Int) -> Bool {
        self.offset = offset
        count = 0
        let region = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[..<wanted])
        guard case .bytes(let read) = unsafe file.file.read(into: region, at: offset) else { return false }
        count = read
        return true
    }

    /// Copies what it has of that place in the file; nil when that is nothing.
    func take(into region: UnsafeMutableRawBufferPointer, at place: Int) -> Int? {
        guard place >= offset, place < offset + count else { return nil }
        let taken = min(region.count, offset + count - place)
        let start = place - offset
        unsafe region.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + taken]))
        return taken
    }
}
