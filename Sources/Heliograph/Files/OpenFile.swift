internal import HelioReactor

/// A file that is open, as it was when it was looked at. Responses share it; it closes with the last of them.
final class OpenFile: Sendable {
    let file: File
    let status: FileStatus

    /// - Throws: `Errno` of fstat(2).
    init(_ file: consuming File) throws(Errno) {
        status = try file.status()
        self.file = file
    }

    /// Whether its bytes are still those that were promised: it may have grown, and not otherwise have been written to.
    var keepsItsPromise: Bool {
        guard let now = try? file.status() else { return false }
        return now.size > status.size || now.size == status.size && now.modified == status.modified
    }
}
