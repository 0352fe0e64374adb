public import HelioHTTP
public import HelioReactor

/// A part's data on its way to a temporary file: what ``MultipartPart/sink`` is set to. The disk never holds up the loop: a
/// pool writes, and the peer is held back while it lags.
///
/// ```swift
/// final class Upload: MultipartHandler {
///     let loop: EventLoop
///     let pool: BlockingPool
///     private var files: [TemporaryFile] = []
///     init(loop: EventLoop, pool: BlockingPool) { (self.loop, self.pool) = (loop, pool) }
///     func partBegan(_ exchange: Exchange, _ part: MultipartPart) {
///         if part.filename != nil { part.sink = PartFile(by: pool, on: loop) }
///     }
///     func partEnded(_ exchange: Exchange, _ part: MultipartPart) {
///         if let file = (part.sink as? PartFile)?.file { files.append(file) }
///     }
///     func partsEnded(_ exchange: Exchange) { exchange.respond(.noContent) }
/// }
/// ```
///
/// Belongs to the loop of its exchange.
public final class PartFile: PartSink {
    /// The file, once the part has ended; nil when it could not be written.
    public private(set) var file: TemporaryFile?
    /// Why it could not: an `Errno`, or ``Refused``.
    public private(set) var failure: (any Error)?
    /// Bytes that are in the file.
    public private(set) var size = 0

    /// The pool has more work than it takes, or is stopped.
    public struct Refused: Error, CustomStringConvertible {
        public var description: String { "the pool takes no more work: raise its limit or send less" }
    }

    private let directory: String?
    private let pool: BlockingPool
    private let loop: EventLoop
    private var resume: () -> Void = {}
    private var pending: [UInt8] = []
    private var isWriting = false
    private var isWaiting = false
    private var isEnding = false
    private var opened: TemporaryFile?

    /// A write to the disk has this size; twice as much waits at most.
    private static let blockSize = 128 * 1024

    /// - Parameters:
    ///   - directory: where the file lies; nil for ``HelioReactor/TemporaryFile/defaultDirectory``.
    ///   - pool: writes it.
    ///   - loop: that of the exchange.
    public init(in directory: String? = nil, by pool: BlockingPool, on loop: EventLoop) {
        self.directory = directory
        self.pool = pool
        self.loop = loop
    }

    public func attach(resume: @escaping () -> Void) { self.resume = resume }

    public func write(_ data: RawSpan) -> Bool {
        guard failure == nil else { return true }
        unsafe data.withUnsafeBytes { unsafe pending.append(contentsOf: $0) }
        if pending.count >= Self.blockSize { writeNext() }
        isWaiting = pending.count >= Self.blockSize
        return !isWaiting
    }

    public func finish() -> Bool {
        isEnding = true
        writeNext()
        if !isWriting { settle() }
        isWaiting = isWriting
        return !isWaiting
    }

    public func abandon() {
        resume = {}
        pending = []
        failure = failure ?? MultipartError.truncated
        opened = nil
    }

    /// Gives what is pending to the pool, unless it has work of this file already.
    private func writeNext() {
        guard !isWriting, failure == nil, !pending.isEmpty || opened == nil else { return }
        let bytes = pending
        pending = []
        let (file, offset, directory) = (opened, size, directory)
        isWriting = pool.submit(on: loop) {
            do throws(Errno) {
                let file = if let file { file } else { try TemporaryFile(in: directory) }
                try file.write(bytes, at: offset)
                return Result<TemporaryFile, Errno>.success(file)
            } catch {
                return Result<TemporaryFile, Errno>.failure(error)
            }
        } then: { [self] result in
            wrote(bytes.count, result)
        }
        if !isWriting { failure = Refused() }
    }

    private func wrote(_ count: Int, _ result: Result<TemporaryFile, Errno>) {
        isWriting = false
        guard failure == nil else { return }
        switch result {
        case .success(let file):
            opened = file
            size += count
            if pending.count >= Self.blockSize || isEnding && !pending.isEmpty { writeNext() }
        case .failure(let error):
            failure = error
            pending = []
        }
        if isEnding, !isWriting { settle() }
        guard isWaiting, !isEnding || !isWriting else { return }
        isWaiting = false
        resume()
    }

    private func settle() {
        if failure == nil { file = opened }
        opened = nil
    }
}
