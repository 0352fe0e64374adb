internal import CLinux

/// What openat2(2) does, for systems that do not have it: one name after the other, and links by hand.
extension Directory {
    borrowing func walk(_ path: String, links: Links) throws(Errno) -> File {
        var walk = Walk(root: descriptor, links: links)
        return try walk.open(path)
    }
}

/// One walk down from a directory. It owns the directories that it has gone through.
private struct Walk: ~Copyable {
    private let root: Int32
    private let links: Directory.Links
    /// The directories between the root and here.
    private var passed: [Int32] = []
    /// Names that are still to be gone through, the next one last.
    private var ahead: [String] = []
    private var followed = 0

    /// As the kernel has it (path_resolution(7)).
    private static let mostLinks = 40

    init(root: Int32, links: Directory.Links) {
        self.root = root
        self.links = links
    }

    deinit { for directory in passed { close(directory) } }

    private var here: Int32 { passed.last ?? root }

    mutating func open(_ path: String) throws(Errno) -> File {
        ahead = Self.names(path)
        while let name = ahead.popLast() {
            switch name {
            case ".": continue
            case "..":
                guard let left = passed.popLast() else { throw Errno(EXDEV, in: "openat") }
                close(left)
            default:
                if let file = try step(name) { return file }
            }
        }
        let here = here
        return File(descriptor: try checked("openat") { unsafe helio_openat(here, ".", File.readingFlags) })
    }

    /// Goes into a directory, or opens what the last name stands for.
    private mutating func step(_ name: String) throws(Errno) -> File? {
        let here = here
        let found = File(descriptor: try checked("openat") { unsafe helio_open_path(here, name, O_NOFOLLOW) })
        switch try found.status().kind {
        case .symbolicLink:
            try follow(found)
            return nil
        case .directory where !ahead.isEmpty:
            passed.append(try checked("openat") { unsafe helio_open_path(found.descriptor, ".", O_DIRECTORY) })
            return nil
        default:
            guard ahead.isEmpty else { throw Errno(ENOTDIR, in: "openat") }
            // A link that has come in its place meanwhile is not followed.
            let flags = File.readingFlags | O_NOFOLLOW
            return File(descriptor: try checked("openat") { unsafe helio_openat(here, name, flags) })
        }
    }

    private mutating func follow(_ link: borrowing File) throws(Errno) {
        guard links == .within else { throw Errno(ELOOP, in: "openat") }
        followed += 1
        guard followed <= Self.mostLinks else { throw Errno(ELOOP, in: "openat") }
        let descriptor = link.descriptor
        var target = [UInt8](repeating: 0, count: 4096)
        let count = try checked("readlinkat") {
            unsafe target.withUnsafeMutableBytes { bytes in
                guard let base = bytes.baseAddress else { return 0 }
                return unsafe Int32(
                    readlinkat(descriptor, "", base.assumingMemoryBound(to: CChar.self), bytes.count))
            }
        }
        guard count > 0, Int(count) < target.count else { throw Errno(ENAMETOOLONG, in: "readlinkat") }
        guard target[0] != UInt8(ascii: "/") else { throw Errno(EXDEV, in: "openat") }
        ahead += Self.names(String(decoding: target[..<Int(count)], as: UTF8.self))
    }

    /// A slash at the end asks for a directory: as if a `.` followed.
    private static func names(_ path: String) -> [String] {
        var names = path.split(separator: "/").map(String.init)
        if path.utf8.last == UInt8(ascii: "/") { names.append(".") }
        return names.reversed()
    }
}
