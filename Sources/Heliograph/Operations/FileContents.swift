internal import Glibc
internal import HelioReactor

/// Small files, read and written whole: certificates and keys. They block, so they are for the start and for reloads.
enum FileContents {
    /// Longer than any certificate chain; a device or a log given by mistake ends there.
    private static let largest = 1 << 20

    static func read(_ path: String) throws(ServerError) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .file(path: path, Errno(errno, in: "open")) }
        defer { close(descriptor) }
        var contents: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = unsafe Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .file(path: path, Errno(errno, in: "read")) }
            if count == 0 { return contents }
            guard contents.count + count <= largest else { throw .file(path: path, Errno(EFBIG, in: "read")) }
            contents += chunk[..<count]
        }
    }

    /// Writes a file that only its owner can read, whole or not at all.
    static func write(_ contents: [UInt8], to path: String) throws(ServerError) {
        let temporary = path + ".\(getpid())"
        let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .file(path: path, Errno(errno, in: "open")) }
        var written = 0
        while written < contents.count {
            let count = unsafe contents.withUnsafeBytes { bytes in
                unsafe Glibc.write(descriptor, bytes.baseAddress.unsafelyUnwrapped + written, bytes.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let error = Errno(errno, in: "write")
                close(descriptor)
                unsafe unlink(temporary)
                throw .file(path: path, error)
            }
            written += count
        }
        close(descriptor)
        guard unsafe rename(temporary, path) == 0 else { throw .file(path: path, Errno(errno, in: "rename")) }
    }

    /// Keeps other processes and threads that ask for the same out (flock(2)), until it is released.
    static func lock(_ directory: String) throws(ServerError) -> FileLock {
        let descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .file(path: directory, Errno(errno, in: "open")) }
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno != EINTR else { continue }
            let error = Errno(errno, in: "flock")
            close(descriptor)
            throw .file(path: directory, error)
        }
        return FileLock(descriptor: descriptor)
    }

    static func makeDirectory(_ path: String) throws(ServerError) {
        var partial = ""
        for part in path.split(separator: "/") {
            partial += (partial.isEmpty && !path.hasPrefix("/") ? "" : "/") + part
            guard unsafe mkdir(partial, 0o700) != 0, errno != EEXIST else { continue }
            throw .file(path: partial, Errno(errno, in: "mkdir"))
        }
    }
}

/// A lock that is held.
struct FileLock {
    fileprivate let descriptor: Int32
    func release() { close(descriptor) }
}

/// Seconds since 1970, by the system's clock.
func unixTime() -> Int64 { Int64(time(nil)) }
