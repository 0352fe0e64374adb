internal import CLinux

/// What a descriptor stands for, and how it is now (fstat(2)).
public struct FileStatus: Hashable, Sendable {
    /// What kind of file it is.
    public enum Kind: Hashable, Sendable {
        case regular, directory, symbolicLink
        /// A pipe, a socket or a device: nothing that has a size.
        case other
    }

    public let kind: Kind
    /// In bytes.
    public let size: Int
    /// When the contents last changed: nanoseconds since 1970.
    public let modified: Int64
    /// When the contents or what the file system says of them last changed: nanoseconds since 1970.
    public let changed: Int64
    /// The file system and the file's number in it: two descriptors of the same file have the same.
    public let device: UInt64
    public let inode: UInt64

    init(_ descriptor: Int32) throws(Errno) {
        var status = helio_file_status()
        _ = try checked("fstat") { unsafe helio_fstat(descriptor, &status) }
        switch status.format {
        case 0o100000: kind = .regular
        case 0o040000: kind = .directory
        case 0o120000: kind = .symbolicLink
        default: kind = .other
        }
        size = Int(status.size)
        modified = status.modified
        changed = status.changed
        device = status.device
        inode = status.inode
    }
}
