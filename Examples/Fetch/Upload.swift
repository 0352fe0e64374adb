import Glibc

/// A file that is sent a piece at a time.
final class Upload {
    private let descriptor: Int32

    init(_ path: String) throws {
        descriptor = unsafe path == "-" ? 0 : open(path, O_RDONLY)
        guard descriptor >= 0 else {
            throw Fetch.Failure(description: "\(path): \(unsafe String(cString: strerror(errno)))")
        }
    }

    deinit { if descriptor > 0 { close(descriptor) } }

    /// The next piece; nil at the end.
    func next() throws -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 64 * 1024)
        let count = unsafe read(descriptor, &bytes, bytes.count)
        guard count >= 0 else {
            throw Fetch.Failure(description: "cannot read: \(unsafe String(cString: strerror(errno)))")
        }
        return count == 0 ? nil : Array(bytes[..<count])
    }
}
