public import HelioHTTP
public import HelioReactor

/// Where the data of a part is after ``HelioHTTP/MultipartPart/save(keeping:in:by:inspecting:)``.
public enum SavedPart: Sendable {
    case memory([UInt8])
    case file(TemporaryFile, size: Int)

    /// In bytes.
    public var size: Int {
        switch self {
        case .memory(let bytes): bytes.count
        case .file(_, let size): size
        }
    }
}

/// Of a part that came by `exchange.parts()`.
extension MultipartPart {
    /// Reads the part's data into a temporary file; a part of at most `limit` bytes stays in memory. The disk never holds up
    /// the loop: the pool writes, and the peer is held back while it lags.
    ///
    /// ```swift
    /// for try await part in exchange.parts() where part.filename != nil {
    ///     let saved = try await part.save(by: pool)
    ///     print(part.name ?? "", saved.size)
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - limit: in bytes.
    ///   - directory: where the file lies; nil for ``HelioReactor/TemporaryFile/defaultDirectory``.
    ///   - inspect: gets each chunk as it comes.
    /// - Throws: what reading the body throws, `Errno`, or the pool's refusal.
    nonisolated(nonsending) public func save(
        keeping limit: Int = 0, in directory: String? = nil, by pool: BlockingPool,
        inspecting inspect: ([UInt8]) -> Void = { _ in }
    ) async throws -> SavedPart {
        var pending: [UInt8] = []
        var file: TemporaryFile?
        var written = 0
        while let chunk = try await nextChunk() {
            inspect(chunk)
            if pending.isEmpty { pending = chunk } else { pending += chunk }
            guard pending.count > max(file == nil ? limit : 0, Self.blockSize) else { continue }
            (file, written) = try await Self.write(pending, file, at: written, in: directory, by: pool)
            pending.removeAll(keepingCapacity: true)
        }
        if file == nil, pending.count <= limit { return .memory(pending) }
        let (last, size) = try await Self.write(pending, file, at: written, in: directory, by: pool)
        return .file(last, size: size)
    }

    private static let blockSize = 128 * 1024

    nonisolated(nonsending) private static func write(
        _ bytes: [UInt8], _ file: TemporaryFile?, at offset: Int, in directory: String?, by pool: BlockingPool
    ) async throws -> (file: TemporaryFile, size: Int) {
        let file = try await pool.run {
            let file = try file ?? TemporaryFile(in: directory)
            try file.write(bytes, at: offset)
            return file
        }
        return (file, offset + bytes.count)
    }
}
