internal import CLinux

/// A descriptor of a file, closed once by its owner.
///
/// Opening and reading a file may block for as long as its disk takes: they are for the ``BlockingPool``. Only
/// ``readCached(into:at:)`` and ``status()`` are for a loop.
///
/// ```swift
/// let file = try File(reading: "/etc/hostname")
/// print(try file.status().size)
/// ```
public struct File: ~Copyable, Sendable {
    /// The descriptor. It stays the file's.
    public let descriptor: Int32

    /// Takes over a descriptor.
    public init(descriptor: Int32) { self.descriptor = descriptor }

    /// Opens a file for reading (open(2)). A pipe without a writer is not waited for. Blocks.
    ///
    /// - Throws: `Errno` of open(2); EINVAL for a path with a NUL.
    public init(reading path: String) throws(Errno) {
        guard !path.utf8.contains(0) else { throw Errno(EINVAL, in: "open") }
        descriptor = try checked("open") { unsafe helio_openat(AT_FDCWD, path, Self.readingFlags) }
    }

    deinit { close(descriptor) }

    static let readingFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY

    /// What a read has come to.
    public enum Transfer: Equatable, Sendable {
        /// So many bytes, at least one.
        case bytes(Int)
        /// Nothing is there without waiting for the disk.
        case wouldBlock
        /// The file ends here, or before.
        case end
        case failed(Errno)
    }

    /// How it is now (fstat(2)).
    public borrowing func status() throws(Errno) -> FileStatus { try FileStatus(descriptor) }

    /// Reads from an offset on, once (pread(2)). Blocks.
    public borrowing func read(into region: UnsafeMutableRawBufferPointer, at offset: Int) -> Transfer {
        while true {
            let count = unsafe pread(descriptor, region.baseAddress, region.count, off_t(offset))
            if count > 0 { return .bytes(count) }
            if count == 0 { return .end }
            let code = helio_errno()
            if code != EINTR { return .failed(Errno(code, in: "pread")) }
        }
    }

    /// Gives bytes of the file to a socket, from an offset on, once (sendfile(2)). `wouldBlock`: the socket takes none now. It
    /// waits for the disk where they are not in memory. For the thread of a loop, which is safe from SIGPIPE.
    public borrowing func send(_ count: Int, at offset: Int, to socket: borrowing Socket) -> Transfer {
        var place = off_t(offset)
        while true {
            let sent = unsafe sendfile(socket.descriptor, descriptor, &place, count)
            if sent > 0 { return .bytes(sent) }
            if sent == 0 { return .end }
            let code = helio_errno()
            if code == EINTR { continue }
            return code == EAGAIN ? .wouldBlock : .failed(Errno(code, in: "sendfile"))
        }
    }

    /// Reads from an offset on what is in memory (preadv2(2) with RWF_NOWAIT), and never waits for a disk. Where the file
    /// system cannot tell what that is, `wouldBlock`.
    public borrowing func readCached(into region: UnsafeMutableRawBufferPointer, at offset: Int) -> Transfer {
        while true {
            let count = unsafe helio_read_cached(descriptor, region.baseAddress, region.count, off_t(offset))
            if count > 0 { return .bytes(count) }
            if count == 0 { return .end }
            let code = helio_errno()
            switch code {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            case EOPNOTSUPP, ENOSYS, EINVAL:
                return helio_is_in_memory(descriptor) != 0 ? unsafe read(into: region, at: offset) : .wouldBlock
            default: return .failed(Errno(code, in: "preadv2"))
            }
        }
    }
}
