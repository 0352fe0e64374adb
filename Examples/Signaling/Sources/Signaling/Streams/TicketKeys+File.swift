import Glibc

extension TicketKeys {
    /// Why a key file is of no use.
    struct FileError: Error, CustomStringConvertible {
        let description: String
    }

    /// A file that an operator has made.
    init(file path: String) throws(FileError) {
        let contents: [UInt8]
        do throws(signaling.FileError) {
            contents = try FileReader.read(path, maxSize: Self.maxSize)
        } catch {
            throw FileError(description: "\(path) cannot be read: \(error.reason)")
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
        if let contents = try? FileReader.read(path, maxSize: maxSize), let keys = TicketKeys(contents) { return keys }
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

    /// In bytes.
    private static let maxSize = 64 << 10

    private static func write(_ bytes: [UInt8], to path: String) {
        let temporary = "\(path).\(getpid())"
        let file = unsafe open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { return }
        let isWritten = unsafe Glibc.write(file, bytes, bytes.count) == bytes.count
        close(file)
        if unsafe !isWritten || rename(temporary, path) != 0 { unsafe unlink(temporary) }
    }
}
