import Glibc

/// A file that could not be read, with the reason in words.
struct FileError: Error {
    let reason: String
}

/// Reads small files of the operator's, blocking.
enum FileReader {
    /// - Throws: a reason that does not repeat the path.
    static func read(_ path: String, maxSize: Int) throws(FileError) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure() }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: maxSize + 1)
        var count = 0
        while count < bytes.count {
            let got = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe Glibc.read(descriptor, buffer.baseAddress.unsafelyUnwrapped + count, buffer.count - count)
            }
            if got == 0 { break }
            guard got > 0 else {
                if errno == EINTR { continue }
                throw failure()
            }
            count += got
        }
        guard count <= maxSize else { throw FileError(reason: "it is over \(maxSize) bytes") }
        return Array(bytes.prefix(count))
    }

    /// Whether others than the owner and the group may read it.
    static func isWorldReadable(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IROTH != 0
    }

    private static func failure() -> FileError { FileError(reason: unsafe String(cString: strerror(errno))) }
}
