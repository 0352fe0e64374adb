internal import CLinux

/// A file without a name that is gone when it is let go, unless it is given one.
///
/// Its calls block: they are for a ``BlockingPool``. Any thread may use it.
///
/// ```swift
/// let file = try await pool.run { try TemporaryFile() }
/// try await pool.run { try file.write([1, 2, 3], at: 0) }
/// try await pool.run { try file.keep(as: "upload.bin") }
/// ```
@safe public final class TemporaryFile: Sendable {
    /// Open for reading and writing; the file owns it.
    public let descriptor: Int32
    /// The name of a file on a file system that has none without; removed with it.
    private let name: String?

    /// `TMPDIR` of the environment, else `/tmp`.
    public static var defaultDirectory: String {
        guard let value = unsafe getenv("TMPDIR"), unsafe value[0] != 0 else { return "/tmp" }
        return unsafe String(cString: value)
    }

    /// Makes one that nobody else can open (open(2) with O_TMPFILE, or mkostemp(3) where the file system cannot).
    ///
    /// - Parameter directory: where it lies; nil for ``defaultDirectory``. To be kept it has to lie on the file system of its
    ///   later place.
    public init(in directory: String? = nil) throws(Errno) {
        let directory = directory ?? Self.defaultDirectory
        let unnamed = unsafe helio_unnamed_file(directory)
        if unnamed >= 0 {
            descriptor = unnamed
            name = nil
            return
        }
        guard helio_errno() == EOPNOTSUPP || helio_errno() == EISDIR else { throw .last("open") }
        var template = Array((directory + "/heliograph-XXXXXX").utf8CString)
        descriptor = try checked("mkostemp") {
            unsafe template.withUnsafeMutableBufferPointer { unsafe helio_named_file($0.baseAddress) }
        }
        name = unsafe template.withUnsafeBufferPointer { template in
            unsafe template.baseAddress.map { unsafe String(cString: $0) }
        }
    }

    deinit {
        close(descriptor)
        if let name { unsafe unlink(name) }
    }

    /// Writes all of the bytes at an offset (pwrite(2)).
    public func write(_ bytes: [UInt8], at offset: Int) throws(Errno) {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { bytes in
                unsafe pwrite(
                    descriptor, bytes.baseAddress.unsafelyUnwrapped + done, bytes.count - done, off_t(offset + done))
            }
            if count < 0, helio_errno() == EINTR { continue }
            guard count > 0 else { throw .last("pwrite") }
            done += count
        }
    }

    /// Reads up to `count` bytes at an offset (pread(2)); none at the end.
    public func read(_ count: Int, at offset: Int) throws(Errno) -> [UInt8] {
        var failure: Errno?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while true {
                let count = unsafe pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
                if count < 0, helio_errno() == EINTR { continue }
                if count < 0 { failure = .last("pread") }
                filled = max(count, 0)
                return
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// In bytes.
    public var size: Int {
        get throws(Errno) {
            let size = helio_file_size(descriptor)
            guard size >= 0 else { throw .last("fstat") }
            return Int(size)
        }
    }

    /// Gives the file a name, under which it stays (linkat(2)). A file that has the name already is an error (EEXIST).
    public func keep(as path: String) throws(Errno) {
        _ = try checked("linkat") { unsafe helio_link(descriptor, path) }
    }
}
