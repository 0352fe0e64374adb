internal import CLinux

/// A directory, under which files are opened by paths that do not lead out of it.
///
/// ```swift
/// let site = try Directory("/srv/site")
/// let page = try site.open("docs/index.html", links: .within)
/// ```
public struct Directory: ~Copyable, Sendable {
    /// Which symbolic links are followed.
    public enum Links: Hashable, Sendable {
        /// None: a path that meets one is refused.
        case never
        /// Those that lead to a place under the directory, by a relative path.
        case within
        /// All.
        case anywhere
    }

    let descriptor: Int32
    /// Whether openat2(2) is there: not before Linux 5.6, and not in sandboxes that do not know it.
    private let hasOpenat2: Bool

    /// Opens it. What comes in its place later under the same name is another one. Blocks.
    ///
    /// - Throws: `Errno` of open(2): ENOTDIR for what is none.
    public init(_ path: String) throws(Errno) { try self.init(path, avoidsOpenat2: false) }

    /// - Parameter avoidsOpenat2: it is as on a system without it.
    init(_ path: String, avoidsOpenat2: Bool) throws(Errno) {
        guard !path.utf8.contains(0) else { throw Errno(EINVAL, in: "open") }
        let descriptor = try checked("open") { unsafe helio_open_path(AT_FDCWD, path, O_DIRECTORY) }
        self.descriptor = descriptor
        guard !avoidsOpenat2 else {
            hasOpenat2 = false
            return
        }
        let probe = unsafe helio_openat2(
            descriptor, ".", File.readingFlags, HELIO_RESOLVE_BENEATH | HELIO_RESOLVE_NO_MAGICLINKS)
        // EACCES: the directory can be searched and not read.
        hasOpenat2 = probe >= 0 || helio_errno() == EACCES
        if probe >= 0 { close(probe) }
    }

    deinit { close(descriptor) }

    /// Opens a file or a directory under this one for reading. Blocks.
    ///
    /// A pipe without a writer is not waited for; what a name stands for is the caller's to look at.
    ///
    /// - Parameters:
    ///   - path: names with slashes between them; a slash at its end asks for a directory.
    ///   - links: which symbolic links are followed.
    /// - Throws: `Errno`: EXDEV for a path that leads out, ELOOP for a link that is not followed; EINVAL for a path that is
    ///   empty, begins with a slash or has a NUL.
    public borrowing func open(_ path: String, links: Links) throws(Errno) -> File {
        guard let first = path.utf8.first, first != UInt8(ascii: "/"), !path.utf8.contains(0) else {
            throw Errno(EINVAL, in: "openat")
        }
        guard links != .anywhere else {
            let descriptor = descriptor
            return File(
                descriptor: try checked("openat") { unsafe helio_openat(descriptor, path, File.readingFlags) })
        }
        guard hasOpenat2 else { return try walk(path, links: links) }
        var resolve = HELIO_RESOLVE_BENEATH | HELIO_RESOLVE_NO_MAGICLINKS
        if links == .never { resolve |= HELIO_RESOLVE_NO_SYMLINKS }
        // A directory that is moved while a link's `..` is followed: EAGAIN, try again.
        for _ in 0..<Self.attempts {
            let opened = unsafe helio_openat2(descriptor, path, File.readingFlags, resolve)
            if opened >= 0 { return File(descriptor: opened) }
            let code = helio_errno()
            guard code == EAGAIN || code == EINTR else { throw Errno(code, in: "openat2") }
        }
        throw Errno(EAGAIN, in: "openat2")
    }

    private static let attempts = 16
}
