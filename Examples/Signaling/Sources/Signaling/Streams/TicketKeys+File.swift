import Glibc

extension TicketKeys {
    /// Why a key file is of no use.
    struct FileError: Error, CustomStringConvertible {
        let description: String
    }

    /// A file that an operator has made.
    init(file path: String) throws(FileError) {
        guard let contents = Self.read(path) else {
            throw FileError(description: "\(path) cannot be read: \(Self.reason)")
        }
        guard let keys = Self(contents) else {
            let need = "a key in each line, of \(Self.shortest) characters or more, the newest first"
            throw FileError(description: "\(path) needs \(need)")
        }
        self = keys
    }

    /// The key of development, beside the certificate of development, made when it is not there. When it cannot be kept, it
    /// is good until the process ends.
    static var development: TicketKeys {
        guard let directory = cacheDirectory else { return TicketKeys() }
        let path = directory + "/signaling-tickets.key"
        if let keys = read(path).flatMap(TicketKeys.init) { return keys }
        let key = makeKey()
        unsafe _ = mkdir(directory, 0o700)
        write(key, to: path)
        return TicketKeys(key) ?? TicketKeys()
    }

    private static var cacheDirectory: String? {
        if let cache = unsafe getenv("XDG_CACHE_HOME") { return unsafe String(cString: cache) + "/heliograph" }
        if let home = unsafe getenv("HOME") { return unsafe String(cString: home) + "/.cache/heliograph" }
        return nil
    }

    private static var reason: String { unsafe String(cString: strerror(errno)) }

    /// At most 64 KiB; nil with `errno` when that fails.
    private static func read(_ path: String) -> [UInt8]? {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe Glibc.read(file, &bytes, bytes.count)
        return count < 0 ? nil : Array(bytes[..<count])
    }

    private static func write(_ bytes: [UInt8], to path: String) {
        let temporary = "\(path).\(getpid())"
        let file = unsafe open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { return }
        let isWritten = unsafe Glibc.write(file, bytes, bytes.count) == bytes.count
        close(file)
        if unsafe !isWritten || rename(temporary, path) != 0 { unsafe unlink(temporary) }
    }
}
